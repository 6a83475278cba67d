"""Compiles the driver and the target, in a folder that is gone afterwards."""

import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from coalmm.check.adapter import adapter_text
from coalmm.check.config import Config, TargetError
from coalmm.check.driver_source import calls_header
from coalmm.check.places import privileged
from coalmm.typed import TracebackType

DRIVER = Path(__file__).parent / "driver"
OPTIONS = ["-std=gnu11", "-O1", "-g", "-w"]
SHARED = ["-shared", "-fPIC", "-Wl,-Bsymbolic", "-Wl,--no-undefined"]
LIBRARIES = ["-lm", "-lpthread"]
COMPILE_LIMIT = 300  # seconds
I386, X86_64 = 3, 62  # e_machine of the ELF header


@dataclass(frozen=True)
class Built:
    """A driver and a library for it, both of one word size."""

    driver: Path
    library: Path
    bits: int
    config: Config
    compile: tuple[str, ...]  # the target's part of a compiler's command line, () for a library that is used as it is
    privileged: bool = False  # it has privileged instructions
    flushes: bool = False  # it has instructions that flush the TLB, or names functions that do
    ownership: tuple[bool, bool] = (False, False)  # whether unmapping, and freeing a directory, gives frames back


class Workshop:
    """A temporary folder in which a target is built: `with Workshop() as shop: shop.build(config)`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="coalmm-check-"))

    def __enter__(self) -> "Workshop":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def build(self, config: Config) -> Built:
        """Driver and target. TargetError with the compiler's own words where one does not compile."""
        if shutil.which("gcc") is None:
            raise TargetError("gcc is not here: the kit compiles its driver with it (Debian: apt install gcc)")
        bits = config.bits or (elf_bits(config.folder / config.library) if config.library else 64)
        inputs = self.inputs(config)
        library = self.library(config, bits, inputs)
        own = library.parent == self.folder
        files = [library, *([config.folder / config.library] if config.library and own else [])]
        found = [privileged(file) for file in files]
        flushes = bool(config.flush) or any(each[1] for each in found)
        traps = any(each[0] for each in found)
        return Built(self.driver(bits), library, bits, config, inputs if own else (), traps, flushes)

    def driver(self, bits: int) -> Path:
        """The driver for a word size."""
        path = self.folder / f"driver{bits}"
        if not path.exists():
            (self.folder / "calls.h").write_text(calls_header())
            folders = [f"-I{self.folder}", f"-I{DRIVER}"]
            gcc([f"-m{bits}", *OPTIONS, *folders, "-o", str(path), str(DRIVER / "driver.c"), "-ldl"], bits)
        return path

    def inputs(self, config: Config) -> tuple[str, ...]:
        """The target's part of a compiler's command line, without the adapter."""
        folder = config.folder.resolve()
        inputs = [str(folder / name) for name in config.sources]
        if config.library:
            path = (folder / config.library).resolve()
            inputs += [str(path), f"-Wl,-rpath,{path.parent}"]
        return (*config.cflags, *(f"-I{folder / name}" for name in config.include), f"-I{folder}", *inputs)

    def library(self, config: Config, bits: int, inputs: tuple[str, ...]) -> Path:
        """One shared library of target and adapter; the user's own where it needs none."""
        text = adapter_text(config)
        if config.library and not text:
            return (config.folder / config.library).resolve()
        path = self.folder / "target.so"
        adapter = self.folder / "adapter.c"
        adapter.write_text(text)
        own = [str(adapter)] if text else []
        gcc([f"-m{bits}", *OPTIONS, *SHARED, "-o", str(path), *own, *inputs, *LIBRARIES], bits)
        return path


def elf_bits(path: Path) -> int:
    """32 or 64, from the header of a shared library that this machine can load."""
    head = path.open("rb").read(20)
    if head[:4] != b"\x7fELF" or len(head) < 20:
        raise TargetError(f"{path} is no ELF file: name a shared library, a .c file or a folder with a check.toml")
    machine = int.from_bytes(head[18:20], "little")
    if machine not in (I386, X86_64) or int.from_bytes(head[16:18], "little") != 3:
        raise TargetError(f"{path} is no shared library for x86: build it for this machine, with -shared -fPIC")
    return 64 if machine == X86_64 else 32


def gcc(arguments: list[str], bits: int) -> None:
    """Run the compiler. TargetError says what is missing, or what it said."""
    try:
        done = subprocess.run(["gcc", *arguments], capture_output=True, text=True, timeout=COMPILE_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise TargetError(f"gcc took more than {COMPILE_LIMIT} seconds") from None
    if done.returncode == 0:
        return
    twice = sorted(set(re.findall(r"multiple definition of `([^']+)'", done.stderr)))
    if twice:
        raise TargetError(f"these functions are in the sources: take them out of stubs, print, panic and flush: "
                          f"{', '.join(twice)}")  # fmt: skip
    undefined = sorted(set(re.findall(r"undefined reference to `([^']+)'", done.stderr)))
    if undefined:
        names = ", ".join(f'"{name}"' for name in undefined)
        raise TargetError(f"these functions are called and not there; put them under stubs = [{names}], "
                          "print, panic or flush, or add a source")  # fmt: skip
    if bits == 32 and ("Scrt1.o" in done.stderr or "libgcc" in done.stderr or "bits/" in done.stderr):
        raise TargetError("32-bit programs cannot be linked here (Debian: apt install gcc-multilib)")
    lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
    raise TargetError(f"gcc {shlex.join(arguments[-2:])}: {'; '.join(lines[:3])}")
