"""coalmm: the memory manager of the Coal OS kernel, on a RAM of its own."""

from coalmm import mode as _mode

__version__ = "0.1.0"
MODE = _mode.choose()

from coalmm.errors import (  # noqa: E402 - the mode is chosen before the first module that can be compiled
    BadImageError,
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
from coalmm.hardware.memory_map import MemoryMap  # noqa: E402
from coalmm.kernel import Kernel, attach, boot  # noqa: E402

__all__ = [
    "MODE",
    "BadImageError",
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
]
