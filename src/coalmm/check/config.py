"""`check.toml`: how a target is built, what its functions are called, how it is started."""

import difflib
import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from coalmm.check.functions import FUNCTIONS
from coalmm.errors import CoalError, lower_first
from coalmm.typed import Any

MOST_BITS = {32: 0xC000_0000, 64: 0x8000_0000_0000}


class TargetError(CoalError):
    """The target cannot be checked at all: it does not build, load or start, or check.toml is wrong."""


@dataclass(frozen=True)
class Config:
    """What check.toml says; the default of each is what a target needs that follows the document."""

    folder: Path = field(default_factory=Path)
    library: str = ""  # a shared library that is already built, or
    sources: tuple[str, ...] = ()  # C files, relative to the folder
    bits: int = 0  # 32 or 64; 0: as the library is, else 64
    cflags: tuple[str, ...] = ()
    include: tuple[str, ...] = ()  # folders for -I
    headers: tuple[str, ...] = ()  # that declare what [functions], init and the hooks name
    prelude: str = ""  # C text after the headers
    init: str = ""  # C statements that start the target
    stubs: tuple[str, ...] = ()  # functions that do nothing and return 0: locks
    print: tuple[str, ...] = ()  # functions that print as printf does
    panic: tuple[str, ...] = ()  # functions that end the program: the target calls them on misuse
    flush: tuple[str, ...] = ()  # functions that flush the TLB: "all", "page(vaddr)", "range(space, vaddr, size)"
    environment: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str | bool] = field(default_factory=dict)
    ram: int = 0  # address at which `ram_size` bytes of zeros lie before the target starts; 0: nowhere
    ram_size: int = 64 << 20
    symbols: dict[str, int] = field(default_factory=dict)  # of the linker script, and their addresses: end, say
    physical: str = ""  # C expression: where the kernel reaches physical address `paddr`
    fail_nth: str = ""  # C statements: the `n`th allocation from now on fails, 0 for none
    buddy_free_bytes: str = ""  # C expression: free bytes of the buddy heap
    buddy_heap: int = 32 << 20  # bytes that the kit gives to buddy_init; 0: the target's start did it
    user_start: int = 0x0100_0000  # user addresses that checks may map, page-aligned
    user_end: int = 0x4000_0000
    pid: int = 0  # a process that get_proc_meminfo knows; 0: none
    efault: int = 14  # the number behind the document's EFAULT

    def takes(self, function: str, parameter: str) -> bool:
        """False where the expression for a function has no use for a parameter: a cache without constructors, say."""
        value = str(self.functions.get(function, function))
        return value.isidentifier() or re.search(rf"\b{parameter}\b", value) is not None


def read_config(target: Path) -> Config:
    """The configuration for what the user named: a .so, a .c file, a check.toml or a folder with one."""
    if target.is_dir():
        target = target / "check.toml"
    if not target.exists():
        raise TargetError(f"{target}: no such file; name a .so, C sources or a folder with a check.toml")
    if target.suffix == ".toml":
        return parse_config(target)
    if target.suffix == ".c":
        return Config(folder=target.parent, sources=(target.name,))
    return Config(folder=target.parent, library=target.name)


def parse_config(path: Path) -> Config:
    """A check.toml. TargetError for what is not TOML, unknown keys, wrong types."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TargetError(f"{path} is not TOML: {lower_first(str(error))}") from None
    known = {each.name: each for each in fields(Config) if each.name != "folder"}
    values: dict[str, Any] = {"folder": path.parent}
    for key, value in data.items():
        if key not in known:
            raise TargetError(f"{path}: {key!r} is no key of check.toml{near(key, known)}")
        values[key] = converted(path, key, value, getattr(Config(), key))
    config = Config(**values)
    examine(path, config)
    return config


def converted(path: Path, key: str, value: object, default: object) -> object:
    """The value of a key, of the type of its default."""
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise TargetError(f"{path}: {key} is a list of strings")
    if type(value) is not type(default):
        raise TargetError(f"{path}: {key} is of type {type(default).__name__}, not {type(value).__name__}")
    return value


def examine(path: Path, config: Config) -> None:
    """What is right key by key and wrong together."""
    if bool(config.library) == bool(config.sources):
        raise TargetError(f"{path}: name either `library` or `sources`")
    if config.bits not in (0, 32, 64):
        raise TargetError(f"{path}: bits is 32 or 64")
    most = MOST_BITS[config.bits or 64]
    if config.ram and (config.ram < 0x10000 or config.ram % 4096 or config.ram + config.ram_size > most):
        raise TargetError(f"{path}: ram {config.ram:#x} cannot be mapped in a user program, which has page-aligned "
                          f"addresses from 0x10000 to {most:#x}: build with another base, as "
                          "-DKERNBASE=0x80000000")  # fmt: skip
    for name, address in config.symbols.items():
        if type(address) is not int or not 0 <= address < 1 << 64:
            raise TargetError(f"{path}: [symbols] {name} is an address, as 0x80100000")
    for text in config.flush:
        if not FLUSH.fullmatch(text):
            raise TargetError(f'{path}: flush {text!r} is not like "name", "name(vaddr)" or "name(space, vaddr, size)"')
    for name, value in config.functions.items():
        if name not in FUNCTIONS:
            raise TargetError(f"{path}: [functions] {name!r} is not in the document{near(name, FUNCTIONS)}")
        if value is True or not isinstance(value, str | bool):
            raise TargetError(f"{path}: [functions] {name} is a name, a C call or false")
    if config.user_start % 4096 or config.user_end - config.user_start < 1 << 20 or config.user_start <= 0:
        raise TargetError(f"{path}: user_start to user_end is at least 1 MiB, page-aligned and not at 0")
    for name in [*config.sources, *([config.library] if config.library else [])]:
        if not (path.parent / name).exists():
            raise TargetError(f"{path}: {name} is not there")


FLUSH = re.compile(r"[A-Za-z_]\w*( *\( *\w+ *(, *\w+ *){0,3}\))?")


def near(word: str, known: Any) -> str:
    """", did you mean ...?" where a known word is near."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
