"""The current kernel: the machine that `coalmm.api` acts on."""

import atexit

from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.kernel import Kernel

_kernel: "Kernel | None" = None
_listeners: list[Callable[["Kernel | None"], None]] = []


def get() -> "Kernel | None":
    """The current kernel, None before the first boot."""
    return _kernel


def set_current(kernel: "Kernel | None") -> None:
    """Make another kernel (or none) the current one."""
    global _kernel
    _kernel = kernel
    for listener in _listeners:
        listener(kernel)


def require() -> "Kernel":
    """The current kernel; boots a default one if there is none."""
    if _kernel is None:
        from coalmm.kernel import boot

        return boot()
    return _kernel


def follow(listener: Callable[["Kernel | None"], None]) -> None:
    """Call `listener` now and whenever the current kernel changes."""
    _listeners.append(listener)
    listener(_kernel)


atexit.register(set_current, None)  # a machine is taken down while the modules that it needs are still whole
