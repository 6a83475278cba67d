"""The functions of coalmm.h but the allocators: what libcoalmm.so calls, by name, with five unsigned numbers.

`libcoalmm.c:call` holds the library's lock and has put the caller's return address into the binding;
`dispatch` runs here with Python's lock. What raises, here and in allocators.pyx, is told to the C side in the
binding, and the function answers as a failed one: NULL, 0, false, or -EINVAL.

Pointers are host addresses, which are the machine's kernel addresses (see window.pyx). The page tables of the
64-bit modes map RAM elsewhere; `Calls.vaddr` is where one becomes the other.
"""

import atexit
import ctypes
import gc
import os
import struct

from coalmm.c import LIBRARY, allocators, host, options, sites
from coalmm.c.dump import host_dump_text
from coalmm.c.window import Window
from coalmm.errors import (
    EFAULT,
    EINVAL,
    EIO,
    ENOMEM,
    ESRCH,
    CoalError,
    CorruptionError,
    DoubleFreeError,
    InUseError,
    InvalidPointerError,
    MisuseError,
)
from coalmm.hardware.constants import FRAME_MASK
from coalmm.hardware.memory_map import pc_map
from coalmm.inspect.leaks import leak_text
from coalmm.inspect.meminfo import memory_info
from coalmm.inspect.statistics import statistics_text
from coalmm.kernel import Kernel, boot
from coalmm.physical.constants import SB_KERNEL_DIRECTORY
from coalmm.typed import Callable

TOP = (1 << 64) - 1
EBUSY = 16
NAME_MOST = 256  # bytes of a name that are read
PATH_MOST = 4096
KINDS = ((DoubleFreeError, 2), (InvalidPointerError, 1), (InUseError, 3), (CorruptionError, 4), (MisuseError, 3))
INTERNAL = 5
INTERRUPTED = 6  # no report: the C side raises SIGINT again
# Functions that answer a misuse with -EINVAL; the others with 0.
NUMBERED = {
    "copy_from_user", "copy_to_user", "strncpy_from_user", "strnlen_user", "get_proc_meminfo", "paging_map_page",
    "paging_map_page64", "coalmm_boot", "coalmm_process_create", "coalmm_process_fork", "coalmm_process_switch",
    "coalmm_process_exit", "coalmm_process_map", "coalmm_process_unmap", "coalmm_validate", "coalmm_save",
}  # fmt: skip
# Allocators, whose 0 is a failure, and how many arguments they have.
TAKES = {
    "frame_alloc": 0, "kmalloc": 1, "kzalloc": 1, "kmalloc_aligned": 2, "krealloc": 2, "slab_alloc": 1,
    "buddy_alloc": 1,
}  # fmt: skip
Function = Callable[..., int | None]
CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_uint64)
DISPATCH = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint64))


host.libc.malloc.restype = ctypes.c_void_p
host.libc.malloc.argtypes = [ctypes.c_size_t]


class Binding(ctypes.Structure):
    """`struct binding` of libcoalmm.c."""

    _fields_ = (
        ("dispatch", ctypes.c_void_p),
        ("ended", ctypes.c_uint64),
        ("base", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("caller", ctypes.c_uint64),
        ("kind", ctypes.c_uint64),
        ("address", ctypes.c_uint64),
        ("message", ctypes.c_char * 1024),
        ("error", ctypes.c_char * 1024),
        ("allocators", ctypes.c_uint64 * 18),
    )


class Failed(Exception):
    """A function fails as coalmm.h says; the text is for coalmm_error, the number what it returns."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number


class Calls:
    """The functions of coalmm.h over one machine at a time."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self.kernel: Kernel | None = None
        self.window: Window | None = None
        self.functions: dict[bytes, tuple[Function, int]] = {}

    # --- one call ---

    def dispatch(self, name: bytes, arguments: "ctypes._Pointer[ctypes.c_uint64]") -> int:
        """Run the function `name`; its result as 64 bits."""
        try:
            function, count = self.functions.get(name) or self.find(name)
            if self.kernel is not None:
                self.kernel.failure = ""
            result = function(*arguments[:count]) or 0
            if self.kernel is not None and self.kernel.failure:
                self.binding.error = encoded(self.kernel.why())
            return result & TOP
        except Failed as failure:
            self.binding.error = text_of(failure)
            return failure.number & TOP
        except BaseException as error:
            self.report(error)
            return -EINVAL & TOP if name.decode() in NUMBERED else 0

    def find(self, name: bytes) -> tuple[Function, int]:
        """The method for a function, and how many arguments it has; boots a machine for the first that needs one."""
        method = getattr(self, name.decode())
        count = method.__code__.co_argcount - 1
        if self.kernel is None and not name.startswith((b"coalmm_boot", b"coalmm_shutdown")):
            self.coalmm_boot(0)
        self.functions[name] = method, count
        return method, count

    def report(self, error: BaseException) -> int:
        """Tell the C side what a call was refused for; 0. Ctrl-C is left to the program."""
        if isinstance(error, KeyboardInterrupt):
            self.binding.kind = INTERRUPTED
            return 0
        address = getattr(error, "address", 0)
        kind = next((kind for cls, kind in KINDS if isinstance(error, cls)), INTERNAL)
        text = str(error) if isinstance(error, CoalError) else f"{type(error).__name__}: {error}"
        self.binding.kind, self.binding.address = kind, address & TOP
        self.binding.message = encoded(text)
        return 0

    def tell(self, name: str, first: int, second: int) -> None:
        """Say why an allocator that C called directly answered 0."""
        if name in TAKES and not (name == "krealloc" and first and not second):
            self.machine().failed(name, *(first, second)[: TAKES[name]])
            self.binding.error = encoded(self.machine().why())

    def machine(self) -> Kernel:
        """The machine; `find` has seen to it that there is one."""
        assert self.kernel is not None
        return self.kernel

    # --- life ---

    def coalmm_boot(self, text: int) -> int:
        """Boot a machine with the options in a C string."""
        if self.kernel is not None:
            raise Failed(-EBUSY, "there is a machine: coalmm_shutdown ends it")
        words = host.read_string(text, PATH_MOST).decode("utf-8", "replace") if text else ""
        try:
            chosen = options.parse(words)
            self.open(chosen)
        except ValueError as error:
            raise Failed(-EINVAL, str(error)) from error
        except (MemoryError, OSError) as error:
            raise Failed(-ENOMEM, str(error)) from error
        return 0

    def open(self, chosen: options.Options) -> None:
        """Boot, map RAM and let the C side know where."""
        window = Window(chosen.form, ram_range(chosen))
        kernel = boot(chosen.ram, chosen.paging, None, chosen.heap, chosen.debug, window)
        self.kernel, self.window = kernel, window
        self.functions.clear()
        self.binding.base, self.binding.size = window.base, window.size
        kernel.tracking.caller, kernel.tracking.describe = self.call_site, sites.describe
        allocators.use(kernel, self.report, self.tell)
        self.binding.allocators[:] = allocators.addresses()
        if chosen.track:
            kernel.tracking.enable()

    def coalmm_shutdown(self) -> None:
        """Let go of the machine and, unless Python still looks at it, its memory."""
        self.functions.clear()
        self.binding.base = self.binding.size = 0
        self.binding.allocators[:] = [0] * len(self.binding.allocators)
        allocators.forget()
        sites.close()
        if self.kernel is not None:
            self.kernel.close()
        self.kernel = self.window = None
        for _ in range(2):  # a machine is full of cycles, some behind finalizers, and the next one wants its addresses
            gc.collect()

    def end(self) -> None:
        """Python ends: C code that still runs can call nothing."""
        self.coalmm_shutdown()
        self.binding.ended = 1

    def call_site(self) -> str:
        """Where the C program made the call that runs; "" if it is not C that called."""
        return sites.site(self.binding.caller) if self.binding.caller else ""

    # --- addresses ---

    def vaddr(self, address: int) -> int:
        """What the page tables call an address: pointers into the window are in the kernel half there."""
        kernel, window = self.machine(), self.window
        if window is not None and window.holds(address):
            return address - window.base + kernel.format.kernel_base
        return address

    def directory(self, pointer: int) -> int:
        """The physical address of a page directory; NULL is 0."""
        if pointer == 0:
            return 0
        if self.window is None or not self.window.holds(pointer):
            raise InvalidPointerError(f"{pointer:#x} is not a page directory", pointer)
        return pointer - self.window.base

    def on_directory(self, function: Function, pointer: int) -> int:
        """Call a function with the physical address of a directory; a report names the pointer."""
        try:
            return function(self.directory(pointer)) or 0
        except MisuseError as error:
            error.address = pointer
            raise

    def pointer(self, paddr: int) -> int:
        """A physical address as a pointer; 0 is NULL."""
        return paddr + self.binding.base if paddr else 0

    # --- physical memory ---

    def frame_get_total_memory(self) -> int:
        return self.machine().frames.statistics().total << 12

    def frame_get_free_memory(self) -> int:
        return self.machine().frames.statistics().free << 12

    def frame_get_stats(self, stats: int) -> None:
        now = self.machine().frames.statistics()
        fill(stats, now.total, now.free, now.reserved, now.user)

    # --- virtual memory ---

    def paging_map_page(self, vaddr: int, paddr: int, flags: int) -> int:
        return self.machine().paging_map_page(self.vaddr(vaddr), paddr, flags)

    paging_map_page64 = paging_map_page

    def paging_unmap_page(self, vaddr: int) -> None:
        self.machine().paging_unmap_page(self.vaddr(vaddr))

    def paging_get_physical(self, vaddr: int) -> int:
        return self.machine().paging_get_physical(self.vaddr(vaddr))

    def paging_create_directory(self) -> int:
        return self.pointer(self.machine().paging_create_directory())

    def paging_clone_directory(self, src: int) -> int:
        return self.pointer(self.on_directory(self.machine().paging_clone_directory, src))

    def paging_free_directory(self, dir: int) -> None:
        self.on_directory(self.machine().page_tables.free, dir)

    def paging_switch_directory(self, dir: int) -> None:
        self.on_directory(self.machine().page_tables.switch, dir)

    # --- heap ---

    def buddy_init(self, start: int, size: int) -> None:
        self.machine().buddy_init(start, size)

    def buddy_get_stats(self, stats: int) -> None:
        now = self.machine().buddy.statistics()
        counts = now.alloc_count, now.free_count, now.failed_alloc_count
        fill(stats, now.total_bytes, now.free_bytes, *counts, *now.free_blocks, now.largest_free_block)

    def slab_cache_create(self, name: int, size: int, align: int, ctor: int, dtor: int) -> int:
        text = host.read_string(name, NAME_MOST) if name else None
        callbacks = [CALLBACK(address) if address else None for address in (ctor, dtor)]
        return self.machine().slab_cache_create(text, size, align, *callbacks)

    def slab_cache_destroy(self, cache: int) -> None:
        self.machine().slab_cache_destroy(cache)

    def slab_shrink_caches(self) -> int:
        return self.machine().slab_shrink_caches()

    # --- user access ---

    def copy_from_user(self, to: int, from_: int, n: int) -> int:
        if not self.may_be_user(from_, n):
            return self.machine().failed("copy_from_user", to, from_, n, result=-EFAULT) if n else 0
        data = bytearray(n)
        error = self.machine().copy_from_user(data, from_, n)
        if error == 0:
            host.write(to, data)
        return error

    def copy_to_user(self, to: int, from_: int, n: int) -> int:
        if not self.may_be_user(to, n) or not self.machine().user.validate_user_pointer(to, n, True):
            return self.machine().failed("copy_to_user", to, from_, n, result=-EFAULT) if n else 0
        return self.machine().copy_to_user(to, host.read(from_, n), n)

    def may_be_user(self, vaddr: int, n: int) -> bool:
        """Whether `n` bytes can be user memory that is present at once: not of the kernel, not more than RAM."""
        return 0 < n <= self.machine().ram.size and not (self.window and self.window.holds(vaddr))

    def strncpy_from_user(self, to: int, from_: int, n: int) -> int:
        vaddr = self.vaddr(from_)
        length = self.machine().strnlen_user(vaddr, n)
        if length < 0 or n == 0:
            return length
        data = bytearray(min(length + 1, n))
        error = self.machine().copy_from_user(data, vaddr, len(data)) if data else 0
        if error == 0:
            host.write(to, data)
        return error or length

    def strnlen_user(self, str: int, max_len: int) -> int:
        return self.machine().strnlen_user(self.vaddr(str), max_len)

    def validate_user_pointer(self, ptr: int, size: int, write: int) -> int:
        return self.machine().validate_user_pointer(self.vaddr(ptr), size, write != 0)

    def validate_user_buffer(self, ptr: int, size: int, write: int) -> int:
        return self.machine().validate_user_buffer(self.vaddr(ptr), size, write != 0)

    # --- information and debugging ---

    def get_meminfo(self, info: int) -> None:
        now = memory_info(self.machine())
        fill(info, now.total, now.free, now.kernel, now.user, now.cache, now.buffer)

    def get_proc_meminfo(self, pid: int, info: int) -> int:
        kernel, number = self.machine(), signed(pid)
        usage = -EFAULT if info == 0 else kernel.processes.meminfo(number) if number > 0 else -EINVAL
        if isinstance(usage, int):
            return kernel.failed("get_proc_meminfo", number, info, result=usage)
        fill(info, usage.virt, usage.rss, usage.shared, usage.text, usage.data, usage.stack)
        return 0

    def mem_dump(self, addr: int, size: int) -> int:
        return text_for_c(host_dump_text(self.machine(), addr, size))

    def mem_check_leaks(self) -> int:
        return self.machine().tracking.live_count()

    def mem_enable_tracking(self) -> None:
        self.machine().tracking.enable()

    def mem_print_stats(self) -> int:
        return text_for_c(statistics_text(self.machine()))

    # --- what the document does not have ---

    def coalmm_current_directory(self) -> int:
        return self.pointer(self.machine().mmu.cr3)

    def coalmm_process_create(self, name: int) -> int:
        text = host.read_string(name, NAME_MOST).decode("utf-8", "replace") if name else ""
        return self.machine().processes.create_pid(text)

    def coalmm_process_fork(self, pid: int) -> int:
        return self.machine().processes.fork(signed(pid))

    def coalmm_process_switch(self, pid: int) -> int:
        kernel = self.machine()
        if pid == 0:
            kernel.page_tables.switch(kernel.ram.words[SB_KERNEL_DIRECTORY])
            return 0
        process = kernel.processes.find(signed(pid))
        if process is None or not process.is_alive:
            return -ESRCH
        kernel.processes.switch(process.record)
        return 0

    def coalmm_process_exit(self, pid: int) -> int:
        return self.machine().processes.exit(signed(pid))

    def coalmm_process_map(self, pid: int, vaddr: int, size: int, rights: int) -> int:
        process = self.machine().processes.find(signed(pid))
        if process is None or not process.is_alive:
            return -ESRCH
        try:
            return process.map(vaddr, size, host.read_string(rights, 8).decode("latin-1") if rights else "")
        except ValueError as error:
            raise Failed(-EINVAL, str(error)) from error

    def coalmm_process_unmap(self, pid: int, vaddr: int, size: int) -> int:
        process = self.machine().processes.find(signed(pid))
        return process.unmap(vaddr, size) if process is not None and process.is_alive else -ESRCH

    def coalmm_validate(self) -> int:
        try:
            self.machine().validate()
        except (CoalError, ArithmeticError, LookupError, ValueError) as error:
            raise Failed(-EIO, str(error)) from error
        return 0

    def coalmm_fail_nth(self, nth: int) -> None:
        injection = self.machine().injection
        injection.arm(nth) if nth else injection.disarm()

    def coalmm_print_leaks(self) -> int:
        return text_for_c(leak_text(self.machine()))

    def coalmm_save(self, path: int) -> int:
        try:
            self.machine().save(os.fsdecode(host.read_string(path, PATH_MOST)) if path else "")
        except OSError as error:
            raise Failed(-(error.errno or EIO), str(error)) from error
        return 0


def signed(number: int) -> int:
    """A 64-bit argument as the signed number that it was in C."""
    return number - (1 << 64) if number >> 63 else number


def fill(address: int, *numbers: int) -> None:
    """Write a structure of size_t fields to the program's memory; NULL is nothing."""
    if address:
        host.write(address, struct.pack(f"{len(numbers)}Q", *numbers))


def text_for_c(text: str) -> int:
    """A text as a C string of malloc's, which the C side prints and frees."""
    data = text.encode("utf-8", "replace") + b"\0"
    address: int = host.libc.malloc(len(data)) or 0
    if address:
        ctypes.memmove(address, data, len(data))
    return address


def text_of(error: BaseException) -> bytes:
    """What an error says, for a message of the binding."""
    return encoded(str(error) or type(error).__name__)


def encoded(text: str) -> bytes:
    """A text as the binding has room for it."""
    return text.encode("utf-8", "replace")[:1000]


def ram_range(chosen: options.Options) -> int:
    """The bytes of address range that a machine's RAM will have."""
    return max(pc_map(chosen.ram).top, chosen.ram) + FRAME_MASK & ~FRAME_MASK


_kept: list[object] = []  # what C has pointers to


def connect() -> None:
    """Fill in the binding of the libcoalmm.so in this process."""
    library = ctypes.CDLL(str(LIBRARY))
    binding = Binding.in_dll(library, "coalmm_binding")
    calls = Calls(binding)
    dispatch = DISPATCH(calls.dispatch)
    _kept.extend((library, binding, calls, dispatch))
    atexit.register(calls.end)
    binding.dispatch = ctypes.cast(dispatch, ctypes.c_void_p).value
