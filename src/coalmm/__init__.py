"""coalmm: the memory manager of the Coal OS kernel, on a RAM of its own."""

from coalmm import mode as _mode

__version__ = "0.1.0"
MODE = _mode.choose()
