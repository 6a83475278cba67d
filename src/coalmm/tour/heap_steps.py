"""Steps of the tour about the heap: the buddy allocator splits and merges, a slab, kmalloc; and the end."""

from rich.console import RenderableType
from rich.text import Text

from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
from coalmm.inspect.dump import dump_text
from coalmm.inspect.meminfo import memory_info
from coalmm.physical.constants import D_COUNT, D_DATA, D_HEAD, D_OWNER
from coalmm.sizes import format_size
from coalmm.tour.bits import word_in_binary
from coalmm.tour.pieces import (
    descriptor,
    descriptor_table,
    free_list_table,
    free_lists,
    numbers,
    owners,
    plain_table,
)
from coalmm.tour.scene import Scene, Tour

BLOCK = 8192
TASK_SIZE = 200
TEXT = b"kmalloc gives 100 bytes"


def buddy_split(tour: Tour) -> Scene:
    """A small block when only a large one is free."""
    kernel = tour.kernel
    sizes = [FRAME_SIZE << order for order, blocks in enumerate(free_lists(kernel)) for _ in blocks]
    tour.others = [kernel.buddy.allocate(size) for size in sizes[:-1]]
    watch = tour.watch()
    tour.block = kernel.buddy.allocate(BLOCK)
    paddr = tour.block - kernel.kernel_base
    order = (BLOCK >> FRAME_SHIFT).bit_length() - 1
    buddy = f"{paddr:#x} ^ {BLOCK:#x} = {paddr ^ BLOCK:#x}: {kernel.frames.describe(paddr ^ BLOCK)}"
    return Scene(
        "The buddy allocator splits a block",
        [
            f"others = [kernel.buddy.allocate(size) for size in {sizes[:-1]}]",
            f"block = kernel.buddy.allocate({BLOCK})        # buddy_alloc() -> {tour.block:#x}",
        ],
        f"{BLOCK} bytes are a block of order {order}: {BLOCK >> FRAME_SHIFT} frames. Only a large block is free, the "
        "others were taken before. It is cut in halves until one has the size; the other halves go on the lists.",
        [
            ("Free lists, by the last call", free_list_table(watch.lists, free_lists(kernel))),
            ("The block's first frame", descriptor_table(watch.descriptor(paddr), descriptor(kernel, paddr))),
            ("Its buddy differs from it in one bit of the address", Text(buddy)),
        ],
        watch.changed(),
    )


def buddy_merge(tour: Tour) -> Scene:
    """The block goes back and joins its buddies."""
    kernel = tour.kernel
    watch = tour.watch()
    kernel.buddy.free(tour.block)
    paddr = tour.block - kernel.kernel_base
    scene = Scene(
        "and merges it again",
        ["kernel.buddy.free(block)                  # buddy_free()"],
        "The block's buddy is free and of the same size: they become one block, whose buddy is free, and so on up.",
        [
            ("Free lists", free_list_table(watch.lists, free_lists(kernel))),
            ("The block's first frame", descriptor_table(watch.descriptor(paddr), descriptor(kernel, paddr))),
        ],
        watch.changed(),
    )
    for other in tour.others:
        kernel.buddy.free(other)
    return scene


def slab_object(tour: Tour) -> Scene:
    """An object of a cache, and the bitmap of its slab."""
    kernel = tour.kernel
    cache = kernel.slabs.create("task", TASK_SIZE)
    first, second = kernel.slabs.allocate(cache), kernel.slabs.allocate(cache)
    kernel.slabs.free(cache, first)
    watch = tour.watch()
    third = kernel.slabs.allocate(cache)
    info = next(each for each in kernel.slabs.caches() if each.address == cache)
    slab = kernel.ram.halves[kernel.frames.first_half + (third - kernel.kernel_base >> FRAME_SHIFT << 4) + D_HEAD]
    word = kernel.frames.first_word + (slab << 3) + D_DATA
    paddr = slab << FRAME_SHIFT
    counts = [("live objects of the slab", watch.descriptor(paddr)[D_COUNT], _half(tour, slab, D_COUNT))]
    return Scene(
        "A slab cache",
        [
            f'cache = kernel.slabs.create("task", {TASK_SIZE})  # slab_cache_create()',
            f"kernel.slabs.allocate(cache), twice       # {first:#x}, {second:#x}",
            f"kernel.slabs.free(cache, {first:#x}); kernel.slabs.allocate(cache)   # -> {third:#x}",
        ],
        f"A slab is {info.pages_per_slab} page(s) cut into {info.objects_per_slab} objects of {info.stride} bytes. "
        "Which are free is a bitmap in the frame's descriptor, outside of the objects: an overflow cannot corrupt it, "
        "and a free object keeps what it holds.",
        [
            ("The slab's bitmap, 1 is free, before and after the last call",
             word_in_binary(watch.word(word), kernel.ram.words[word])),
            ("", numbers(counts)),
            ("The frame", descriptor_table(watch.descriptor(paddr), descriptor(kernel, paddr))),
            ("Who owns it", Text(f"{owners(kernel, paddr)}; cache {info.name!r}")),
        ],
        watch.changed(),
    )  # fmt: skip


def _half(tour: Tour, pfn: int, field: int) -> int:
    return int(tour.kernel.ram.halves[tour.kernel.frames.first_half + (pfn << 4) + field])


def kmalloc(tour: Tour) -> Scene:
    """Memory of any size."""
    kernel = tour.kernel
    watch = tour.watch()
    pointer = kernel.heap.kmalloc(100)
    kernel.memory.write(pointer, TEXT)
    changed = watch.changed()
    table = plain_table("kmalloc", "usable", "comes from", right=("kmalloc", "usable"))
    for size in (1, 100, 1000, 5000, 100_000):
        each = kernel.heap.kmalloc(size)
        table.add_row(str(size), str(kernel.heap.kmalloc_size(each)), came_from(tour, each))
        kernel.heap.kfree(each)
    frame = pointer - kernel.kernel_base & ~0xFFF
    return Scene(
        "kmalloc",
        [
            f"pointer = kernel.heap.kmalloc(100)        # -> {pointer:#x}",
            f"kernel.memory.write(pointer, {TEXT!r})",
        ],
        "Up to 8 KiB, kmalloc rounds the size up to a class and takes an object of the class's slab cache; larger "
        "memory is a run of whole frames from the frame allocator.",
        [
            ("What it was asked for, and gives", table),
            ("mem_dump(pointer, 100)", Text(dump_text(kernel, pointer, 100).rstrip())),
            ("The frame", descriptor_table(watch.descriptor(frame), descriptor(kernel, frame))),
        ],
        changed,
    )


def came_from(tour: Tour, pointer: int) -> str:
    """Where kmalloc got memory, from the frame's descriptor."""
    kernel = tour.kernel
    pfn = pointer - kernel.kernel_base >> FRAME_SHIFT
    what = kernel.frames.describe(pfn << FRAME_SHIFT).partition(",")[0]
    owner = _half(tour, pfn, D_OWNER)
    return f"{what}, cache {kernel.slabs.info(owner).name}" if owner else f"{what}, {_half(tour, pfn, D_COUNT)} frames"


def finish(tour: Tour) -> Scene:
    """Everything is checked, and adds up."""
    kernel = tour.kernel
    kernel.validate()
    info = memory_info(kernel)
    table = plain_table("memory", "bytes", "", right=("bytes",))
    for name, size in info._asdict().items():
        table.add_row(name, str(size), format_size(size))
    pieces: list[tuple[str, RenderableType]] = [
        ("get_meminfo()", table),
        ("total == free + kernel + user + cache + buffer", Text(str(2 * info.total == sum(info._asdict().values())))),
        ("RAM's digest: the same steps give the same bytes, compiled or not", Text(kernel.digest())),
    ]
    return Scene(
        "The end",
        ["kernel.validate()", "get_meminfo()"],
        "Every structure was checked against every other. Go on in a Python prompt: `import coalmm`, then the calls of "
        "this tour. kernel.save(path) writes all of this RAM; `coalmm info` and `coalmm translate` read it.",
        pieces,
    )
