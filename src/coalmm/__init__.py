"""coalmm: the memory manager of the Coal OS kernel, on a RAM of its own.

What is named here is loaded when it is used first: `coalmm --help` and a short program are there sooner.
"""

from coalmm import mode
from coalmm.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coalmm.current import why
    from coalmm.errors import (
        BadImageError,
        ClosedError,
        CoalError,
        CorruptionError,
        DoubleFreeError,
        InUseError,
        InvalidPointerError,
        MisuseError,
        PageFaultError,
        ReadOnlyError,
        TraceError,
    )
    from coalmm.hardware.memory_map import MemoryMap
    from coalmm.kernel import Kernel, attach, boot

__version__ = "0.1.0"
MODE = mode.choose()
__all__ = [
    "MODE",
    "BadImageError",
    "ClosedError",
    "CoalError",
    "CorruptionError",
    "DoubleFreeError",
    "InUseError",
    "InvalidPointerError",
    "Kernel",
    "MemoryMap",
    "MisuseError",
    "PageFaultError",
    "ReadOnlyError",
    "TraceError",
    "attach",
    "boot",
    "why",
]
HOMES = {"Kernel": "kernel", "MemoryMap": "hardware.memory_map", "attach": "kernel", "boot": "kernel", "why": "current"}
SUBMODULES = ("api", "c", "current", "errors")


def __getattr__(name: str) -> Any:
    """A public name, from the module that has it, or a public module (PEP 562)."""
    if name not in __all__ and name not in SUBMODULES:
        raise AttributeError(f"module 'coalmm' has no attribute {name!r}")
    home = f"coalmm.{name if name in SUBMODULES else HOMES.get(name, 'errors')}"
    module = __import__(home, fromlist=["*"])  # importlib would load `warnings`, too
    if name in SUBMODULES:
        return module
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *SUBMODULES} - {"Any", "HOMES", "SUBMODULES", "TYPE_CHECKING"})
