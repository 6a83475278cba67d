"""What the emulator calls back, by address. The compiled modules use the C forms in hooks.pxd.

Each callback finds its engine in the pointer that was registered with it; none may let an exception
pass, since there is C below it: the engine keeps it, and raises when the emulator has stopped.
"""

import ctypes

from coalmm.typed import Any

_engines: dict[int, Any] = {}
_callbacks: list[Any] = []  # ctypes objects that must outlive the emulator


class _Answer(ctypes.Structure):
    _fields_ = (("paddr", ctypes.c_uint64), ("rights", ctypes.c_int))


_pointer, _u64, _int = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int
_FILL = ctypes.PYFUNCTYPE(ctypes.c_bool, _pointer, _u64, _int, ctypes.POINTER(_Answer), _pointer)
_NUMBER = ctypes.PYFUNCTYPE(None, _pointer, ctypes.c_uint32, _pointer)
_PLAIN = ctypes.PYFUNCTYPE(None, _pointer, _pointer)
_IN = ctypes.PYFUNCTYPE(ctypes.c_uint32, _pointer, ctypes.c_uint32, _int, _pointer)
_OUT = ctypes.PYFUNCTYPE(None, _pointer, ctypes.c_uint32, _int, ctypes.c_uint32, _pointer)
_ACCESS = ctypes.PYFUNCTYPE(None, _pointer, _int, _u64, _int, ctypes.c_int64, _pointer)


def handle_of(engine: Any) -> int:
    """The pointer by which callbacks know an engine; it must live as long as they may come."""
    _engines[id(engine)] = engine
    return id(engine)


def let_go(engine: Any) -> None:
    """No callback comes for this engine any more."""
    _engines.pop(id(engine), None)


def engine_at(handle: int) -> Any:
    """The engine of a pointer."""
    return _engines[handle]


def put_answer(answer: Any, paddr: int, rights: int) -> None:
    """Fill in the answer to a TLB miss."""
    answer.contents.paddr = paddr
    answer.contents.rights = rights


def _keep(callback: Any) -> int:
    _callbacks.append(callback)
    return ctypes.cast(callback, ctypes.c_void_p).value or 0


def fill_address(function: Any) -> int:
    """The address of a callback for TLB misses."""
    return _keep(_FILL(function))


def number_address(function: Any) -> int:
    """The address of a callback for interrupts."""
    return _keep(_NUMBER(function))


def plain_address(function: Any) -> int:
    """The address of a callback for the instruction of system calls."""
    return _keep(_PLAIN(function))


def in_address(function: Any) -> int:
    """The address of a callback for reading a port."""
    return _keep(_IN(function))


def out_address(function: Any) -> int:
    """The address of a callback for writing a port."""
    return _keep(_OUT(function))


def access_address(function: Any) -> int:
    """The address of a callback for accesses to memory."""
    return _keep(_ACCESS(function))
