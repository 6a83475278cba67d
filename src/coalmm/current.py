"""The current kernel: the machine that `coalmm.api` acts on."""

import atexit

from coalmm.errors import ClosedError
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.kernel import Kernel

_kernel: "Kernel | None" = None
_closed = False  # the last one was: a call must not act on another machine unseen
_listeners: list[Callable[["Kernel | None"], None]] = []


def get() -> "Kernel | None":
    """The current kernel; None before the first boot, and when it was closed."""
    return _kernel


def set_current(kernel: "Kernel | None") -> None:
    """Make another kernel (or none) the current one."""
    global _kernel, _closed
    _kernel, _closed = kernel, False
    for listener in _listeners:
        listener(kernel)


def close() -> None:
    """The current kernel is closed: there is none until the next boot."""
    global _closed
    set_current(None)
    _closed = True


def require() -> "Kernel":
    """The current kernel; boots a default one if there never was one. ClosedError after it was closed."""
    if _closed:
        raise ClosedError("the machine is closed; coalmm.boot() boots another, make_current() takes an open one")
    if _kernel is None:
        from coalmm.kernel import boot

        return boot()
    return _kernel


def why() -> str:
    """Why the last call of `coalmm.api` that failed did: see `Kernel.why`. "" without a machine."""
    return _kernel.why() if _kernel is not None else ""


def follow(listener: Callable[["Kernel | None"], None]) -> None:
    """Call `listener` now and whenever the current kernel changes."""
    _listeners.append(listener)
    listener(_kernel)


atexit.register(set_current, None)  # a machine is taken down while the modules that it needs are still whole
