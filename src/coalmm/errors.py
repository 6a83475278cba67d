"""What goes wrong, and how it is said.

A failure that the document names is a return value: 0 (NULL) or a negative errno. What would be
undefined behaviour in C is a `MisuseError`, raised before anything was changed.
"""

EPERM = 1
ENOENT = 2
ESRCH = 3
EINTR = 4
EIO = 5
ENXIO = 6
EBADF = 9
ECHILD = 10
EAGAIN = 11
ENOMEM = 12
EACCES = 13
EFAULT = 14
EBUSY = 16
EEXIST = 17
ENODEV = 19
EINVAL = 22
ENOSYS = 38
EOVERFLOW = 75
EOPNOTSUPP = 95


class CoalError(Exception):
    """Everything that coalmm raises of its own."""


def one_line(error: BaseException) -> str:
    """What an error says, in one line and without Python's form of it: "FILE: no such file or directory"."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = lower_first(error.strerror)
        if error.filename is not None:
            name = error.filename.decode(errors="replace") if isinstance(error.filename, bytes) else error.filename
            text = f"{name}: {text}"
    elif isinstance(error, MemoryError):
        text = text or "the host has no memory left"
    return " ".join(text.split()) or type(error).__name__


def lower_first(text: str) -> str:
    """The C library begins its messages with a capital letter; here they come after a name and a colon."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


class MisuseError(CoalError):
    """A call that would be undefined behaviour in C; nothing was changed.

    `address` is what was passed; the message says what is there now and, with tracking on, who
    allocated and who freed it.
    """

    def __init__(self, message: str, address: int = 0) -> None:
        super().__init__(message)
        self.address = address


class InvalidPointerError(MisuseError):
    """The pointer was never handed out by the allocator it was given to, or points inside an object."""


class DoubleFreeError(InvalidPointerError):
    """The object or frame was already given back."""


class InUseError(MisuseError):
    """The thing is in use: a cache with live objects, the current directory, frames of others."""


class CorruptionError(CoalError):
    """A structure in RAM, a red zone or a poisoned byte is not as it must be.

    `address` is where in RAM (physical) or in kernel space the first wrong byte is.
    """

    def __init__(self, message: str, address: int = 0) -> None:
        super().__init__(message)
        self.address = address


class BadImageError(CoalError):
    """A saved RAM image that cannot be attached; nothing was loaded."""


class ClosedError(CoalError):
    """The machine was closed: nothing of it can be had any more. `coalmm.boot` boots another."""


class ReadOnlyError(CoalError):
    """What was asked for may change a machine that was attached read-only; nothing was changed."""


class PageFaultError(CoalError):
    """A software load, store or fetch that the fault handler could not resolve (SIGSEGV or SIGBUS).

    `address` is the exact byte (CR2), `code` the error code of Intel SDM 3A 4.7 (P, W, U, RSVD, I/D),
    `error` the handler's negative errno: -EFAULT, -EACCES (SIGSEGV), -ENXIO (SIGBUS, `bus`), -ENOMEM.
    """

    def __init__(self, message: str, address: int, code: int, bus: bool = False, error: int = 0) -> None:
        super().__init__(message)
        self.address = address
        self.code = code
        self.bus = bus
        self.error = error


class TraceError(CoalError):
    """A trace file that cannot be read: unknown format, damaged compression, an unreadable line."""


class PolicyError(CoalError):
    """A hook of a policy raised, or answered what cannot be; the message names the hook. Nothing has changed."""
