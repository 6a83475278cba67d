"""The kernel: one machine, all layers over one RAM. The only place that knows them all."""

import os

from coalmm import current
from coalmm.errors import BadImageError, ClosedError, CoalError, CorruptionError
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
from coalmm.hardware.formats import FORMATS, EntryFormat, format_of_number
from coalmm.hardware.memory_map import MemoryMap, pc_map
from coalmm.hardware.mmu import Mmu
from coalmm.hardware.ram import LARGEST, SMALLEST, Place, Ram
from coalmm.heap.buddy import Buddy
from coalmm.heap.kmalloc import Kmalloc
from coalmm.heap.slab import Slabs
from coalmm.heap.tracking import Tracking
from coalmm.memory import Memory
from coalmm.named import Named
from coalmm.physical.constants import (
    HOOK_DEBUG,
    HOOK_INJECT,
    HOOK_NO_HEAP,
    SB_CURRENT_DIRECTORY,
    SB_FREE,
    SB_HOOKS,
    SB_KERNEL_BASE,
    SB_KERNEL_DIRECTORY,
    SB_LOWMEM,
    SB_PAGING,
)
from coalmm.physical.frames import Frames
from coalmm.physical.injection import Failing, Injection
from coalmm.physical.superblock import check_superblock, format_ram
from coalmm.process.process import Process
from coalmm.process.processes import Processes
from coalmm.sizes import format_size, parse_size
from coalmm.typed import TYPE_CHECKING, Any, Callable, Mapping, Sequence, TracebackType, cast
from coalmm.virtual.address_space import AddressSpaces
from coalmm.virtual.areas import Areas
from coalmm.virtual.faults import Faults
from coalmm.virtual.files import Files
from coalmm.virtual.mappings import Mappings
from coalmm.virtual.page_cache import PageCache
from coalmm.virtual.page_tables import PageTables
from coalmm.virtual.user_access import UserAccess

if TYPE_CHECKING:
    from coalmm.inspect.picture import Picture
    from coalmm.linux.program import RunningProgram
    from coalmm.linux.report.recorder import Recorder
    from coalmm.linux.system import System

LOW_MEMORY = 896 << 20  # of RAM, what the kernel half of a 32-bit mode maps
HEAP_TABLES = 32  # frames that must be free for the first caches and kmalloc's table
FIRST_REGION_SHARE = 16  # the buddy heap's first region: this part of RAM,
FIRST_REGION_LARGEST = 1 << 20  # but at most 1 MiB
QUESTIONS = {"paging_get_physical", "validate_user_pointer", "validate_user_buffer"}  # 0 is an answer of theirs
LONGEST_STEP = 1e6  # seconds


class Kernel:
    """A booted machine. Make one with `coalmm.boot` or `coalmm.attach`.

    The methods that the document names behave as it says; addresses are ints, 0 is NULL. Used as a
    context manager it is closed at the end. A closed machine has nothing left: ClosedError.
    """

    frame_alloc, frame_free = Named("frames", Frames.allocate), Named("frames", Frames.free)
    kmalloc, kzalloc = Named("heap", Kmalloc.kmalloc), Named("heap", Kmalloc.kzalloc)
    kmalloc_aligned = Named("heap", Kmalloc.kmalloc_aligned)
    krealloc, kfree = Named("heap", Kmalloc.krealloc), Named("heap", Kmalloc.kfree)
    kmalloc_size = Named("heap", Kmalloc.kmalloc_size)
    buddy_alloc, buddy_free = Named("buddy", Buddy.allocate), Named("buddy", Buddy.free)
    slab_cache_create, slab_cache_destroy = Named("slabs", Slabs.create), Named("slabs", Slabs.destroy)
    slab_alloc, slab_free = Named("slabs", Slabs.allocate), Named("slabs", Slabs.free)
    slab_shrink_caches = Named("slabs", Slabs.shrink)
    copy_from_user = Named("user", UserAccess.copy_from_user, fails_below=0)
    copy_to_user = Named("user", UserAccess.copy_to_user, fails_below=0)
    strncpy_from_user = Named("user", UserAccess.strncpy_from_user, fails_below=0)
    strnlen_user = Named("user", UserAccess.strnlen_user, fails_below=0)
    validate_user_pointer = Named("user", UserAccess.validate_user_pointer, fails_below=1)
    validate_user_buffer = Named("user", UserAccess.validate_user_buffer, fails_below=1)
    paging_create_directory = Named("page_tables", PageTables.create, fails_below=1)
    paging_clone_directory = Named("page_tables", PageTables.clone, fails_below=1)
    paging_free_directory = Named("page_tables", PageTables.free)
    paging_switch_directory = Named("page_tables", PageTables.switch)

    def __init__(self, ram: Ram, form: EntryFormat, read_only: bool = False) -> None:
        self.ram = ram
        self.format = form
        self.read_only = read_only
        self.face = read_only_face(self) if read_only else self  # what the user has
        self.mmu = Mmu(ram, form)
        self.frames = Frames(ram)
        self.injection: Injection = self.frames.injection
        self.tracking = Tracking(self.frames)
        self.buddy = Buddy(self.frames, self.tracking)
        self.slabs = Slabs(self.buddy, self.tracking)
        self.heap = Kmalloc(self.slabs)
        self.page_tables = PageTables(self.frames, self.mmu)
        self.files = Files(ram, self.frames, self.slabs, self.heap, PageCache(ram, self.frames))
        self.spaces = AddressSpaces(
            ram, form, self.frames, Areas(ram, self.heap, self.files), self.files, self.page_tables, self.slabs
        )
        self.faults = Faults(self.spaces, self.mmu)
        self.user = UserAccess(self.faults, self.mmu, form.user_top)
        self.processes = Processes(
            self.spaces, Mappings(self.spaces, self.faults), self.user, self.page_tables, self.heap, self.slabs
        )
        self.memory = Memory(ram, self.physical_address)
        self.kernel_base: int = ram.words[SB_KERNEL_BASE]
        self.closed = False
        self.failure: str | tuple[str, tuple[Any, ...], int] = ""
        self.frames.on_failure = self.failed
        self.system: System | None = None  # programs, when there are any
        self.recorder: Recorder
        self.mmu.set_cr3(ram.words[SB_CURRENT_DIRECTORY])

    def paging_map_page(self, vaddr: int, paddr: int, flags: int) -> int:
        """Map a page of the current directory to a frame; 0 or a negative errno: see `PageTables.map`."""
        error = self.page_tables.map(self.mmu.cr3, vaddr, paddr, flags)
        return self.failed("paging_map_page", vaddr, paddr, flags, result=error) if error else 0

    def paging_unmap_page(self, vaddr: int) -> None:
        """Unmap the page that holds `vaddr` in the current directory; one that is not mapped is nothing."""
        error = self.page_tables.unmap(self.mmu.cr3, vaddr)
        if error:
            self.failed("paging_unmap_page", vaddr, result=error)

    def paging_get_physical(self, vaddr: int) -> int:
        """The physical address under `vaddr` in the current directory, offset included; 0 if not mapped."""
        paddr = self.page_tables.physical(self.mmu.cr3, vaddr)
        return paddr or self.failed("paging_get_physical", vaddr)

    def __repr__(self) -> str:
        if self.closed:
            return "<Kernel: closed>"
        now = self.frames.statistics()
        sizes = f"{format_size(self.ram.size)} of RAM, {self.format.name} paging"
        return f"<Kernel: {sizes}, {now.free:,} of {now.total:,} frames free, {len(self.processes)} processes>"

    def failed(self, call: str, *arguments: Any, result: int = 0) -> int:
        """Keep why a call of the document answers with an error, for `why`; returns the error, `result`."""
        self.failure = call, arguments, result
        if call not in QUESTIONS:
            self.failure = self.why()
        return result

    def why(self) -> str:
        """Why the last call of the document that failed did, as a sentence; "" if none has. C has coalmm_error.

        What has failed is what returned NULL, false or a negative errno. Where that is only an answer
        (paging_get_physical, validate_user_pointer, validate_user_buffer) the cause is looked up now, not then.
        """
        if isinstance(self.failure, str):
            return self.failure
        from coalmm.inspect.why import explain

        try:
            return explain(self, *self.failure)
        except (CoalError, ArithmeticError, AssertionError, LookupError, ValueError) as error:
            return f"{self.failure[0]} failed, and RAM is too damaged to say why: {error}; kernel.validate() says where"

    @classmethod
    def booted(cls, ram: Ram, form: EntryFormat, heap: bool) -> "Kernel":
        """The views over RAM that `format_ram` has just formatted, their structures made."""
        kernel = cls(ram, form)
        if kernel.page_tables.initialise():
            raise MemoryError("no frames for the kernel's page tables")
        kernel.page_tables.switch(ram.words[SB_KERNEL_DIRECTORY])
        if heap:
            kernel.make_heap()
        return kernel

    def make_heap(self) -> None:
        """Give the buddy allocator its first region, and make the slab and kmalloc caches."""
        share = self.frames.statistics().total // FIRST_REGION_SHARE
        frames = 1 << (min(max(share, 1), FIRST_REGION_LARGEST >> FRAME_SHIFT).bit_length() - 1)
        first = self.frames.allocate_run(frames, frames)
        if first == 0:
            raise MemoryError("no frames for the first region of the heap")
        self.buddy_init(self.kernel_base + first, frames << FRAME_SHIFT)
        if self.ram.words[SB_HOOKS] & HOOK_NO_HEAP:
            raise MemoryError("no frames for the tables of the heap")

    def buddy_init(self, start: int, size: int) -> None:
        """Give the heap a region of kernel memory: see `Buddy.initialise`. The first one brings slabs and kmalloc.

        Without 32 more free frames for their tables it does not, and the next region does.
        """
        self.buddy.initialise(start, size)
        words = self.ram.words
        if words[SB_HOOKS] & HOOK_NO_HEAP and words[SB_FREE] >= HEAP_TABLES:
            injecting = words[SB_HOOKS] & HOOK_INJECT
            words[SB_HOOKS] &= ~HOOK_INJECT  # half of a heap would be none
            self.slabs.format()
            self.heap.format()
            words[SB_HOOKS] |= injecting

    # Life.

    def close(self) -> None:
        """Let go of the machine: programs on it end, and nothing of it can be had any more but ClosedError.

        If it is the current one there is none then, and `coalmm.api` raises ClosedError until the next boot.
        """
        if self.closed:
            return
        self.end_programs()
        if current.get() is self.face:
            current.close()
        self.__dict__.clear()
        self.closed = True

    def end_programs(self) -> None:
        """Kill all programs; `spawn` starts anew then."""
        if self.system is not None:
            self.system.close()
            self.system = None

    def __getattr__(self, name: str) -> Any:
        if self.__dict__.get("closed") and not name.startswith("_"):
            raise ClosedError(f"kernel.{name}: the machine is closed; coalmm.boot() boots another")
        raise AttributeError(f"'Kernel' object has no attribute {name!r}")

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def make_current(self) -> None:
        """Make this the machine that `coalmm.api` acts on."""
        current.set_current(self.face)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a complete, sparse snapshot that `coalmm.attach` reads. OSError if it cannot be written.

        It is RAM: a program that runs has its memory in it, and not its registers and open files. There it can be
        looked at, not run on.
        """
        from coalmm.physical.image import save_image

        save_image(self.ram, path)

    # Running programs. Imported when used: the emulator takes long to load.

    def linux(self, **options: Any) -> "System":
        """The Linux personality of this machine, made when first asked for, with these options of `System`.

        ValueError for options when it is there already.
        """
        if self.system is None:
            from coalmm.linux.report.recorder import Recorder
            from coalmm.linux.system import System

            details = options.pop("details", False)
            self.system = System(self, **options)
            self.recorder = Recorder(self.system, details)
        elif options:
            raise ValueError(f"{', '.join(options)}: programs run on this machine already, with other options")
        return self.system

    def spawn(
        self,
        argv: Sequence[str | bytes],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        **options: Any,
    ) -> "RunningProgram":
        """Load an ordinary Linux program; `run` or `step` run it.

        `argv[0]` is its path as the program sees it. `env` is its environment (None: that of this process),
        `cwd` its directory. The options are for the first program of a machine: `root` (the directory that
        it sees as /), `writable` (directories whose changes reach the host), `console` (what descriptors 0, 1
        and 2 are: host descriptors or binary files), `seed` (randomise addresses), `output_limit` (bytes),
        `most_processes`, `details` (report the pages of every area, and faults over time: slower).

        OSError as execve(2) has it; then nothing has changed.
        """
        from coalmm.linux.program import RunningProgram

        arguments, environ = arguments_of(argv), environment_of(os.environ if env is None else env)
        system = self.linux(**options)
        if cwd is None:
            cwd = os.getcwd() if system.root == "/" else "/"
        try:
            return RunningProgram(system.spawn(arguments, environ, os.fsencode(cwd)))
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fsdecode(arguments[0])) from None

    def run(
        self,
        timeout: float | None = None,
        on_fault: "Callable[[RunningProgram, int, int, int], object] | None" = None,
        on_system_call: "Callable[[RunningProgram, str, tuple[int, ...]], object] | None" = None,
    ) -> bool:
        """Run all programs until they have ended: True; or for `timeout` seconds, or until `stop`: False.

        `on_fault(process, vaddr, access, error)` is called after each page fault (access: 0 read, 1 write,
        2 fetch; error: 0, or the negative errno that becomes a signal), `on_system_call(process, name,
        arguments)` before each system call. They may look at the process and write its memory, save the machine, and
        call `stop`; run, step, spawn and close raise MisuseError there. What they raise comes out here, and the next
        `run` makes the call or the access that they were told of.
        """
        from coalmm.linux.watching import watching

        if timeout is not None and timeout != timeout:
            raise ValueError("a timeout of nan seconds is no time")
        with watching(self.linux(), on_fault, on_system_call) as system:
            return system.run(timeout)

    def step(
        self,
        seconds: float = 0.01,
        on_fault: "Callable[[RunningProgram, int, int, int], object] | None" = None,
        on_system_call: "Callable[[RunningProgram, str, tuple[int, ...]], object] | None" = None,
    ) -> bool:
        """One slice of time of the next process that can run; False if all have ended. Callbacks as in `run`.

        A slice is never longer than 0.1 seconds; for one that can run the machine waits as long as `seconds` say.
        """
        if seconds != seconds:
            raise ValueError("a step of nan seconds is no time")
        from coalmm.linux.watching import watching

        with watching(self.linux(), on_fault, on_system_call) as system:
            return system.step(max(int(min(seconds, LONGEST_STEP) * 1e6), 1))

    def stop(self) -> None:
        """For callbacks: come back from `run` soon; `run` goes on from there."""
        self.linux().stop()

    def report(self) -> dict[str, Any]:
        """What the programs did to memory, up to now: faults, sizes, system calls; see linux/report/result.py."""
        from coalmm.linux.report.result import result_of

        self.linux()
        return result_of(self.recorder)

    def use_policy(self, chosen: object) -> None:
        """From now on the hooks of an object choose: see docs/policies.md. ValueError for one that has none."""
        from coalmm.virtual.policy import Policy

        self.faults.policy = self.files.policy = Policy(chosen)

    def digest(self) -> str:
        """SHA-256 of RAM: equal digests are equal machines."""
        return self.ram.digest()

    # Looking and checking.

    def physical_address(self, vaddr: int) -> int:
        """Where a virtual address of the current directory is in RAM, -1 if nowhere."""
        offset = vaddr - self.kernel_base
        if 0 <= offset < self.ram.words[SB_LOWMEM] << FRAME_SHIFT:
            return offset
        paddr = self.mmu.walker.translate(self.mmu.cr3, vaddr)
        return paddr or -1

    def picture(self, of: "str | int | Process" = "frames") -> "Picture":
        """A drawing: `print` it, let a notebook show it, or `save("x.svg")` it.

        `of` is "frames" (physical memory by use), "buddy" (free blocks by order), "slabs" (how full caches are), a
        process (its areas and resident pages), or a virtual address (its walk through the current page tables).
        ValueError for another name, MisuseError for a process that has exited.
        """
        from coalmm.inspect import picture

        if isinstance(of, Process):
            if of.processes is not self.processes:
                raise ValueError(f"process {of.pid} is one of another machine")
            return picture.picture_of_space(self, of)
        if isinstance(of, int):
            return picture.picture_of_walk(self, of)
        drawings = {
            "frames": picture.picture_of_frames,
            "buddy": picture.picture_of_buddy,
            "slabs": picture.picture_of_slabs,
        }
        if of not in drawings:
            raise ValueError(f"no picture of {of!r}; there are {', '.join(drawings)}, a process, and an address")
        return drawings[of](self)

    def validate(self) -> None:
        """Check every structure in RAM against every other; CorruptionError says where one is broken."""
        from coalmm.heap.block_check import BlockCheck
        from coalmm.heap.check import SlabCheck
        from coalmm.heap.class_check import ClassCheck

        self.frames.validate()
        self.buddy.validate()
        BlockCheck(self.buddy).validate()
        SlabCheck(self.slabs).validate()
        ClassCheck(self.frames).validate()
        self.tracking.validate()
        self.page_tables.validate()
        self.processes.validate()
        self.files.validate()

    def failing(
        self,
        nth: int = 0,
        every: int = 0,
        points: tuple[str, ...] = ("frame", "buddy", "slab", "kmalloc"),
        smallest: int = 0,
        largest: int = (1 << 64) - 1,
    ) -> Failing:
        """Make chosen allocations fail inside a `with` block; see `Injection.arm`."""
        return self.injection.failing(nth, every, points, smallest, largest)


def read_only_face(kernel: Kernel) -> Kernel:
    """The machine for one who may only look."""
    from coalmm.read_only import ReadOnly

    return cast(Kernel, ReadOnly(kernel))


def boot(
    ram: int | str = "64M",
    paging: str = "i386",
    memory_map: MemoryMap | None = None,
    heap: bool = True,
    debug: bool = False,
    place: Place | None = None,
    shared: bool = False,
    policy: object = None,
) -> Kernel:
    """Boot a machine and make it the current one.

    `ram` is bytes or a size like "64M"; `paging` is i386, pae, x86_64 or la57; `memory_map` replaces
    that of a PC; without `heap` there is none until `buddy_init`; `debug` puts red zones around
    objects and poison into free ones; `place` is where RAM is mapped, and kernel addresses start, for code that
    follows them; `policy` is an object with hooks (docs/policies.md);
    with `shared`, RAM is a memfd (`kernel.ram.fd`) that other processes can map. ValueError for what
    cannot be booted.
    """
    form = FORMATS.get(paging)
    if form is None:
        raise ValueError(f"no paging mode {paging!r}; there are {', '.join(FORMATS)}")
    size = machine_size(ram)
    layout = pc_map(size) if memory_map is None else memory_map
    if not isinstance(layout, MemoryMap):
        raise TypeError(f"a memory map is a coalmm.MemoryMap, not {type(layout).__name__}")
    if layout.top > form.physical_limit:
        raise ValueError(
            f"RAM up to {layout.top:#x} is more than {paging} paging reaches ({form.physical_limit:#x}); use x86_64"
        )
    memory = Ram(max(layout.top, size) if memory_map is None else layout.top, shared=shared, place=place)
    memory.words[SB_PAGING] = form.number
    memory.words[SB_KERNEL_BASE] = form.kernel_base if place is None else place.base
    memory.words[SB_LOWMEM] = low_frames(memory.size, form)
    memory.words[SB_HOOKS] = (HOOK_DEBUG if debug else 0) | HOOK_NO_HEAP
    format_ram(memory, list(layout.usable()), memory.size)
    kernel = Kernel.booted(memory, form, heap)
    if policy is not None:
        kernel.use_policy(policy)
    kernel.make_current()
    return kernel


def arguments_of(argv: Sequence[str | bytes]) -> list[bytes]:
    """argv as a program gets it. TypeError, ValueError for what cannot be one."""
    if isinstance(argv, str | bytes):
        raise TypeError(f"argv is a list: [{argv!r}], or shlex.split({argv!r})")
    arguments = [os.fsencode(text) for text in argv]
    if not arguments:
        raise ValueError("argv is empty: it starts with the program's path")
    if any(b"\0" in text for text in arguments):
        raise ValueError("an argument with a NUL byte: it would end there")
    return arguments


def environment_of(env: Mapping[str, str]) -> list[bytes]:
    """The environment as a program gets it. ValueError for what cannot be a variable."""
    environ = [os.fsencode(f"{name}={value}") for name, value in env.items()]
    for name, text in zip(env, environ, strict=True):
        if not name or "=" in name or b"\0" in text:
            raise ValueError(f"{name!r} in env: a name has no = in it and is not empty, and nothing has a NUL byte")
    return environ


def machine_size(ram: int | str) -> int:
    """The bytes of `ram`, a number or a size like "64M"; ValueError names what no machine has."""
    size = parse_size(ram)
    if not SMALLEST <= size <= LARGEST:
        asked = f"{ram} bytes" if isinstance(ram, int) else f"{ram!r}"
        raise ValueError(f"RAM of {asked}: from 1 MiB to 64 TiB can be had, as in ram=\"64M\"")
    return size


def low_frames(size: int, form: EntryFormat) -> int:
    """How many frames the kernel half maps: all of them in 64-bit modes, 896 MiB in 32-bit ones."""
    return (min(size, LOW_MEMORY) if form.vaddr_bits == 32 else size) >> FRAME_SHIFT


def base_fits(base: int, size: int) -> bool:
    """Whether kernel addresses of `size` bytes of RAM can start at `base`: a page, not 0, and none wraps."""
    return base != 0 and base & FRAME_MASK == 0 and base <= (1 << 64) - size


def attach(path: str | os.PathLike[str], read_only: bool = False) -> Kernel:
    """The machine in a saved image, as it was; it becomes the current one. The file never changes.

    `read_only` maps the file instead of copying it, to look at an image of any size at once; what could change
    that machine raises ReadOnlyError and changes nothing. Raises
    BadImageError, with what is wrong, for a damaged image; OSError for what cannot be read.
    """
    from coalmm.physical.image import load_image

    ram = load_image(path, read_only)
    try:
        check_superblock(ram)
        form = format_of_number(ram.words[SB_PAGING])
        if form is None or not base_fits(ram.words[SB_KERNEL_BASE], ram.size):
            raise CorruptionError("superblock: paging mode is wrong")
        if ram.words[SB_LOWMEM] != low_frames(ram.size, form):
            raise CorruptionError("superblock: frames mapped by the kernel are wrong")
        kernel = Kernel(ram, form, read_only)
        kernel.validate()
    except (CoalError, ArithmeticError, LookupError, ValueError) as error:
        raise BadImageError(f"{os.fsdecode(path)}: the image is damaged: {error}") from error
    kernel.make_current()
    return kernel.face
