"""copy_from_user, copy_to_user and the validation of user pointers."""

from coalmm.check.directed.caller import RO, RW, Caller
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE, PAGE_PRESENT, PAGE_WRITABLE
from coalmm.check.protocol import SLOT_BUFFER_END, Ref
from coalmm.check.result import ADVICE

COPY = "@return 0 on success, -EFAULT on failure"
VALID = "@return True if valid, false otherwise"
NEEDS = ("paging_map_page", "frame_alloc")
READ_ONLY = "PAGE_WRITABLE: Page is writable; " + COPY
KERNEL_ONLY = "PAGE_USER: Accessible from user mode; " + COPY


@check("copy_to_user", COPY, *NEEDS, "copy_from_user", rows="B224 B239")
def what_is_copied_out_is_copied_in(t: Caller) -> None:
    """Bytes that were copied to user space come back, at all offsets, over up to three pages"""
    t.directory()
    for page in range(4):
        t.map(page)
    for offset, size in ((0, 1), (0, PAGE), (1, 100), (4095, 2), (4095, PAGE + 2), (100, 3 * PAGE), (0, 4 * PAGE)):
        t.write(t.user(0, offset), size, offset % 800 + 1)
        t.read(t.user(0, offset), size)
    t.read(t.user(0), 4 * PAGE)


@check("copy_to_user", COPY, *NEEDS, "copy_from_user", "paging_create_directory", "paging_switch_directory")
def each_directory_has_its_bytes(t: Caller) -> None:
    """The same address in two directories holds what was copied there in each"""
    one = t.directory()
    assert one is not None
    t.map(0)
    t.write(t.user(0), 300, 1)
    two = t.directory()
    t.map(0)
    t.write(t.user(0), 300, 2)
    t.read(t.user(0), 300)
    t.paging_switch_directory(one)
    t.read(t.user(0), 300)
    t.write(t.user(0, 100), 50, 3)
    t.paging_switch_directory(two)
    t.read(t.user(0), 300)


@check("copy_from_user", COPY, rows="B214")
def nothing_is_read_where_nothing_is(t: Caller) -> None:
    """Reading at NULL or at a page that is not mapped is -EFAULT"""
    t.directory()
    efault = -t.traits.efault
    t.equal(t.copy_from_user(t.buffer(16), 0, 16), efault, "for NULL")
    if t.has("paging_create_directory", "paging_switch_directory"):
        t.equal(t.copy_from_user(t.buffer(16), t.user(77), 16), efault, "for a page that is not mapped")


@check("copy_to_user", COPY, rows="B229")
def nothing_is_written_where_nothing_is(t: Caller) -> None:
    """Writing at NULL or at a page that is not mapped is -EFAULT"""
    t.directory()
    efault = -t.traits.efault
    t.equal(t.copy_to_user(0, t.buffer(16, 1), 16), efault, "for NULL")
    if t.has("paging_create_directory", "paging_switch_directory"):
        t.equal(t.copy_to_user(t.user(77), t.buffer(16, 1), 16), efault, "for a page that is not mapped")


@check("copy_from_user", COPY, *NEEDS, "copy_to_user", rows="B219 B234")
def a_range_that_ends_in_a_hole_fails(t: Caller) -> None:
    """A range whose second or third page is not mapped is -EFAULT; other pages keep their bytes"""
    t.directory()
    t.map(0)
    t.map(1)
    t.map(3)
    t.write(t.user(3), PAGE, 30)
    efault = -t.traits.efault
    for offset, size in ((PAGE, PAGE + 1), (100, 2 * PAGE), (2 * PAGE - 1, 2)):
        t.equal(t.copy_from_user(t.buffer(size), t.user(0, offset), size), efault, "for a range that ends in a hole")
        t.equal(t.write(t.user(0, offset), size, 31), efault, "for a range that ends in a hole")
    t.equal(t.copy_from_user(t.buffer(3 * PAGE), t.user(0, PAGE), 3 * PAGE), efault, "for a range with a hole in it")
    t.read(t.user(3), PAGE)


@check("copy_to_user", READ_ONLY, *NEEDS, "copy_from_user", rows="B243 B246")
def a_read_only_page_is_not_written(t: Caller) -> None:
    """Writing to a page without PAGE_WRITABLE is -EFAULT and does not change it; reading works"""
    t.directory()
    t.map(0)
    t.map(1, RO)
    before, result = t.read(t.user(1), PAGE)
    t.equal(result, 0, "for a page that may be read")
    efault = -t.traits.efault
    t.equal(t.write(t.user(1, 8), 16, 5), efault, "for a page that is read-only")
    t.equal(t.write(t.user(0, 4000), 200, 5), efault, "for a range that ends in a read-only page")
    after, _ = t.read(t.user(1), PAGE)
    t.require(before == after, "a read-only page was changed")


@check("copy_from_user", KERNEL_ONLY, *NEEDS, "copy_to_user", rows="B220 B235")
def a_kernel_page_is_not_for_users(t: Caller) -> None:
    """A page without PAGE_USER can neither be read nor written through the copies"""
    t.directory()
    t.map(0)
    t.map(1, PAGE_PRESENT | PAGE_WRITABLE)
    efault = -t.traits.efault
    t.equal(t.copy_from_user(t.buffer(8), t.user(1), 8), efault, "for a page without PAGE_USER")
    t.equal(t.write(t.user(1), 8, 1), efault, "for a page without PAGE_USER")
    t.equal(t.copy_from_user(t.buffer(200), t.user(0, 4000), 200), efault, "for a range that ends in such a page")


@check("copy_from_user", COPY, "kmalloc", rows="B215 B230")
def kernel_memory_is_not_user_memory(t: Caller) -> None:
    """An address of kmalloc is -EFAULT as the user's side, and the memory is not changed"""
    t.directory()
    secret = t.given(t.kmalloc(64))
    t.fill(secret, 64, 8)
    efault = -t.traits.efault
    t.equal(t.copy_from_user(t.buffer(64), secret, 64), efault, "for kernel memory")
    if t.has("copy_to_user"):
        t.equal(t.copy_to_user(secret, t.buffer(64, 9), 64), efault, "for kernel memory")
    t.intact(secret, 64, 8)


@check("copy_from_user", COPY, *NEEDS, rows="B217 B226")
def a_range_that_wraps_fails(t: Caller) -> None:
    """A size that runs past the end of the address space is -EFAULT, at once"""
    t.directory()
    t.map(0)
    efault = -t.traits.efault
    for size in (t.size_max, t.size_max - t.user(0) + 1, 1 << 8 * t.word - 1):
        for function in ("copy_from_user", "copy_to_user"):
            if t.has(function):
                where = Ref(SLOT_BUFFER_END, -4096)
                args = (where, t.user(0)) if function == "copy_from_user" else (t.user(0), where)
                t.equal(t.call(function, *args, size), efault, f"for {size:#x} bytes")


@check("copy_from_user", COPY, *NEEDS, rows="B213 B228")
def no_bytes_are_copied_at_once(t: Caller) -> None:
    """Copying 0 bytes at a mapped address is 0"""
    t.directory()
    t.map(0)
    t.equal(t.copy_from_user(t.buffer(0), t.user(0), 0), 0, "for 0 bytes")
    if t.has("copy_to_user"):
        t.equal(t.copy_to_user(t.user(0), t.buffer(0), 0), 0, "for 0 bytes")


@check("copy_from_user", COPY, rows="B213", level=ADVICE)
def no_bytes_can_come_from_nowhere(t: Caller) -> None:
    """Copying 0 bytes at NULL is 0"""
    t.directory()
    t.equal(t.copy_from_user(t.buffer(0), 0, 0), 0, "for 0 bytes at NULL")


@check("copy_from_user", COPY, *NEEDS, "copy_to_user")
def nothing_is_written_past_the_buffer(t: Caller) -> None:
    """copy_from_user writes its n bytes, and none before them"""
    t.directory()
    t.map(0)
    t.map(1)
    t.write(t.user(0), 2 * PAGE, 3)
    for offset, size in ((0, 1), (5, 13), (4090, 20), (0, PAGE)):
        t.buffer(size + 64, 70)
        t.copy_from_user(t.buffer(size), t.user(0, offset), size)
        t.intact(t.buffer(size + 64), 64, 70)


@check("copy_to_user", COPY, *NEEDS, "copy_from_user", "paging_unmap_page", "paging_get_physical", rows="B058")
def an_unmapped_page_is_gone_for_copies(t: Caller) -> None:
    """After paging_unmap_page the page cannot be read or written; mapped anew, it is the new frame"""
    t.directory()
    t.map(0)
    t.write(t.user(0), 64, 1)
    t.paging_unmap_page(t.user(0))
    efault = -t.traits.efault
    t.equal(t.copy_from_user(t.buffer(64), t.user(0), 64), efault, "for an unmapped page")
    t.equal(t.write(t.user(0), 64, 2), efault, "for an unmapped page")
    t.map(0)
    t.write(t.user(0), 64, 3)
    t.read(t.user(0), 64)


def valid(t: Caller, function: str) -> None:
    """The answers of a validating function for pages of each kind."""
    t.directory()
    t.map(0)
    t.map(1)
    t.map(2, RO)
    t.map(3, PAGE_PRESENT | PAGE_WRITABLE)
    for vaddr, size, write, expected in (
        (t.user(0), 1, 0, 1),
        (t.user(0), 2 * PAGE, 1, 1),
        (t.user(0, 4095), 2, 1, 1),
        (t.user(2), PAGE, 0, 1),
        (t.user(2), PAGE, 1, 0),
        (t.user(1, 4000), 200, 1, 0),
        (t.user(1, 4000), 200, 0, 1),
        (t.user(3), 4, 0, 0),
        (t.user(2, 4000), 200, 0, 0),
        (0, 1, 0, 0),
        (0, PAGE, 1, 0),
        (t.user(0), t.size_max, 0, 0),
        (t.user(0), t.size_max - t.user(0) + 1, 0, 0),
    ):
        answer = t.call(function, vaddr, size, write)
        wanted = "true" if expected else "false"
        t.require(answer == expected, f"{function}({vaddr:#x}, {size:#x}, {write}) is not {wanted}",
                  f"{answer.c} == {wanted}")  # fmt: skip
    if t.has("paging_create_directory", "paging_switch_directory"):
        for vaddr, size in ((t.user(500), 1), (t.user(400), 3 * PAGE)):
            answer = t.call(function, vaddr, size, 0)
            t.require(answer == 0, f"{function}({vaddr:#x}, {size}, 0) is true, and nothing is mapped there",
                      f"!{answer.c}")  # fmt: skip


@check("validate_user_pointer", VALID, *NEEDS, rows="B268 B272 B273 B274 B277")
def a_pointer_is_valid_where_a_copy_works(t: Caller) -> None:
    """True for mapped pages with the right asked for, false for holes, read-only and kernel pages, and what wraps"""
    valid(t, "validate_user_pointer")


@check("validate_user_buffer", VALID, *NEEDS, rows="B281 B285 B286 B287 B290")
def a_buffer_is_valid_where_a_copy_works(t: Caller) -> None:
    """True for mapped pages with the right asked for, false for holes, read-only and kernel pages, and what wraps"""
    valid(t, "validate_user_buffer")


@check("validate_user_pointer", VALID, *NEEDS, "paging_clone_directory", "paging_create_directory",
       "paging_switch_directory", rows="B275 B288", level=ADVICE)  # fmt: skip
def a_copy_on_write_page_may_be_written(t: Caller) -> None:
    """A page that will be copied on the first write is valid for writing"""
    directory = t.directory()
    t.map(0, RW)
    t.paging_clone_directory(directory)
    answer = t.validate_user_pointer(t.user(0), 4, 1)
    t.require(answer == 1, "a copy-on-write page is not valid for writing", f"{answer.c}")


@check("validate_user_pointer", VALID, "kmalloc", rows="B270")
def kernel_memory_is_not_valid(t: Caller) -> None:
    """An address of kmalloc is not a user pointer"""
    t.directory()
    secret = t.given(t.kmalloc(64))
    answer = t.validate_user_pointer(secret, 8, 0)
    t.require(answer == 0, "kernel memory is valid as a user pointer", f"!{answer.c}")
