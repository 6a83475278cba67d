"""execve: replace what a task runs. Up to the point of no return, a failure leaves the task as it was."""

from __future__ import annotations

from errno import E2BIG, ELOOP, ENOMEM

from coalmm.errors import lower_first
from coalmm.linux.abi import Abi
from coalmm.linux.credentials import current
from coalmm.linux.programs import elf, loader, script, stack
from coalmm.linux.programs.elf import Image
from coalmm.linux.task import LONGEST_STRING
from coalmm.process.process import Process
from coalmm.typed import TYPE_CHECKING, NamedTuple
from coalmm.virtual.address_space import STACK_ROOM
from coalmm.virtual.constants import (
    AREA_STACK,
    MAP_ANONYMOUS,
    MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN,
    MAP_PRIVATE,
    S_ARG_END,
    S_ARG_START,
    S_CODE_END,
    S_CODE_START,
    S_DATA_END,
    S_DATA_START,
    S_ENV_END,
    S_ENV_START,
    S_MMAP_BASE,
    S_STACK_START,
    S_TOP,
)

if TYPE_CHECKING:
    from coalmm.linux.system import System
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.context import FsContext
    from coalmm.linux.vfs.open_file import OpenFile
    from coalmm.linux.vfs.vfs import Vfs

MOST_ARGUMENTS = 6 << 20
COMPATIBLE_TOP = 0xFFFF_E000  # of a 32-bit program's addresses on 64-bit tables, as on Linux
STACK_PAGES_AT_FIRST = 33 << 12  # Linux maps about this much before the first growth
STACK_RANDOM, MMAP_RANDOM, BASE_RANDOM, BRK_RANDOM = 22, 28, 28, 13  # bits of pages, with randomisation on


class Program:
    """What was found to run: an image, its interpreter's, and the arguments after `#!` lines."""

    def __init__(self, path: bytes, argv: list[bytes], file: OpenFile, image: Image) -> None:
        self.path = path
        self.argv = argv
        self.file = file
        self.image = image
        self.interpreter_file: OpenFile | None = None
        self.interpreter: Image | None = None

    def close(self) -> None:
        """The files are mapped, or not wanted."""
        self.file.release()
        if self.interpreter_file is not None:
            self.interpreter_file.release()


class Start(NamedTuple):
    """Where a loaded program begins."""

    abi: Abi
    instruction: int
    stack: int
    path: bytes
    argv: list[bytes]
    auxiliary: bytes = b""
    executable: bytes = b""  # where the file is, whatever links led to it


def find_program(vfs: Vfs, fs: FsContext, path: bytes, argv: list[bytes], task: Task | None = None) -> Program:
    """Open a program and its interpreter, through `#!` lines. OSError as execve has it; nothing stays open then.

    `task` is whose /proc/self a path may lead through.
    """
    name = path
    for _ in range(script.MOST_SCRIPTS):
        file = open_named(vfs, fs, path, path == name, task)
        try:
            head = file.pread(script.LONGEST_LINE, 0)
            if script.is_script(head):
                argv = script.script_arguments(head, name if path == name else path, argv)
                path = argv[0]
                file.release()
                continue
            image = elf.parse(lambda offset, size, source=file: source.pread(size, offset))  # type: ignore[misc]
            return with_interpreter(vfs, fs, Program(path, argv, file, image))
        except BaseException:
            file.release()
            raise
    raise OSError(ELOOP, "scripts that run scripts that run scripts")


def open_named(vfs: Vfs, fs: FsContext, path: bytes, is_first: bool, task: Task | None) -> OpenFile:
    """The file of a program. What is wrong with one that a `#!` line names is told with its name. OSError."""
    try:
        return vfs.open_program(fs, path, task)
    except OSError as error:
        if is_first:
            raise
        raise of_interpreter(path, error) from None


def of_interpreter(path: bytes, error: OSError) -> OSError:
    """What is wrong with the file of an interpreter."""
    return OSError(error.errno, f"the interpreter {path.decode(errors='replace')}: {lower_first(error.strerror or '')}")


def with_interpreter(vfs: Vfs, fs: FsContext, program: Program) -> Program:
    """Open the dynamic linker that an image asks for."""
    name = program.image.interpreter
    if not name:
        return program
    try:
        file = vfs.open_program(fs, name)
    except OSError as error:
        raise of_interpreter(name, error) from None
    try:
        image = elf.parse(lambda offset, size: file.pread(size, offset))
        if image.abi is not program.image.abi:
            raise elf.refuse("an interpreter of the other word size")
        if image.interpreter:
            raise elf.refuse("an interpreter that needs an interpreter")
    except BaseException:
        file.release()
        raise
    program.interpreter_file, program.interpreter = file, image
    return program


def most_bytes(stack_limit: int) -> int:
    """Bytes that strings and pointers of execve may have in all (fs/exec.c, bprm_set_stack_limits)."""
    return max(min(stack_limit // 4, MOST_ARGUMENTS), LONGEST_STRING)


def check_sizes(argv: list[bytes], environ: list[bytes], stack_limit: int) -> None:
    """OSError E2BIG for more strings than execve takes."""
    strings = [*argv, *environ]
    total = sum(len(text) + 9 for text in strings)
    if total > most_bytes(stack_limit) or any(len(text) >= LONGEST_STRING for text in strings):
        raise OSError(E2BIG, "too many arguments")


def load_program(system: System, process: Process, program: Program, environ: list[bytes]) -> Start:
    """Fill the empty address space of `process`. OSError or PageFaultError if that fails half way."""
    image = program.image
    abi = image.abi
    spread = system.randomise
    processes = process.processes

    def bits(count: int) -> int:
        return system.random.getrandbits(count if abi.word == 8 else min(count, 8)) << 12 if spread else 0

    top = processes.spaces.top & ~0xF if abi.word == 4 else min(processes.spaces.top, (1 << 47) - 4096)
    if abi.word == 4 and top > COMPATIBLE_TOP:
        top = COMPATIBLE_TOP
        processes.spaces.put(process.space, S_TOP, top)
        processes.spaces.put(process.space, S_MMAP_BASE, top - STACK_ROOM)
    top -= bits(STACK_RANDOM)
    if spread:
        processes.spaces.put(process.space, S_MMAP_BASE, (top - (128 << 20) - bits(MMAP_RANDOM)) & -4096)
    base = loader.base_of(image, loader.PROGRAM_BASE[abi.word] + bits(BASE_RANDOM))
    load_image(system, process, program.file, image, base)
    process.set_brk_start(loader.up(image.end + base) + bits(BRK_RANDOM))
    entry, interpreter_base = image.entry + base, 0
    if program.interpreter is not None and program.interpreter_file is not None:
        interpreter_base = load_interpreter(system, process, program)
        entry = program.interpreter.entry + interpreter_base
    map_stack(process, top, image.executable_stack)
    who = current.credentials
    auxiliary = [
        (stack.AT_HWCAP, stack.HWCAP),
        (stack.AT_PAGESZ, 4096),
        (stack.AT_CLKTCK, 100),
        (stack.AT_PHDR, image.headers_vaddr + base if image.headers_vaddr else 0),
        (stack.AT_PHENT, image.header_size),
        (stack.AT_PHNUM, image.header_count),
        (stack.AT_BASE, interpreter_base if program.interpreter else 0),
        (stack.AT_FLAGS, 0),
        (stack.AT_ENTRY, image.entry + base),
        (stack.AT_UID, who.user.real),
        (stack.AT_EUID, who.user.effective),
        (stack.AT_GID, who.group.real),
        (stack.AT_EGID, who.group.effective),
        (stack.AT_SECURE, int(who.is_secure)),
        (stack.AT_HWCAP2, 0),
    ]
    first = stack.build_stack(abi, top, program.path, program.argv, environ, auxiliary, system.first_random())
    process.write(first.pointer, first.content)
    note_image(process, image, base, first)
    return Start(abi, entry, first.pointer, program.path, program.argv, first.auxiliary, program.file.path)


def note_image(process: Process, image: elf.Image, base: int, first: stack.Stack) -> None:
    """Let the address space know what /proc/PID/stat and RLIMIT_DATA want to know of the image."""
    code = [segment for segment in image.segments if segment.flags & elf.PF_X] or image.segments
    arguments, environment, end = first.strings
    values = {
        S_CODE_START: base + min(segment.vaddr for segment in code),
        S_CODE_END: base + max(segment.vaddr + segment.file_size for segment in code),
        S_DATA_START: base + max(segment.vaddr for segment in image.segments),
        S_DATA_END: base + max(segment.vaddr + segment.file_size for segment in image.segments),
        S_STACK_START: first.pointer,
        S_ARG_START: arguments,
        S_ARG_END: environment,
        S_ENV_START: environment,
        S_ENV_END: end,
    }
    for field, value in values.items():
        process.processes.spaces.put(process.space, field, value)


def load_interpreter(system: System, process: Process, program: Program) -> int:
    """Map the dynamic linker where mmap would; what is added to its addresses."""
    image, file = program.interpreter, program.interpreter_file
    assert image is not None
    assert file is not None
    base = loader.base_of(image, loader.reserve(process, image.end - image.start)) if image.is_dynamic else 0
    load_image(system, process, file, image, base)
    return base


def load_image(system: System, process: Process, file: OpenFile, image: elf.Image, base: int) -> None:
    """Map the segments of one file. OSError, PageFaultError."""
    number = file.mapping(system.kernel, False)
    if not number:
        raise OSError(ENOMEM, "no memory for the file's record")
    try:
        loader.load(process, image, number, base)
    finally:
        system.kernel.files.release(number)


def map_stack(process: Process, top: int, executable: bool) -> None:
    """The area of the first stack, which grows down. OSError ENOMEM."""
    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE
    start = top - STACK_PAGES_AT_FIRST
    if process.map(start, top - start, "rwx" if executable else "rw", flags, kind=AREA_STACK) < 0:
        raise OSError(ENOMEM, "no room for a stack")
