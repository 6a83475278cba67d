"""User Memory Access: the document's functions over the current kernel and directory.

A user address is an int. The kernel's side is a kernel address (an int) or any Python buffer that can be
written (or, in copy_to_user, read); a kernel address that is not RAM raises InvalidPointerError.
"""

from coalmm import current

Buffer = int | bytes | bytearray | memoryview


def copy_from_user(to: Buffer, from_: int, n: int) -> int:
    """Copy `n` bytes from user space: 0, or -EFAULT with nothing copied. Pages that can be faulted in are."""
    return current.require().copy_from_user(to, from_, n)


def copy_to_user(to: int, from_: Buffer, n: int) -> int:
    """Copy `n` bytes to user space: 0, or -EFAULT with nothing copied. Copy-on-write pages are copied first."""
    return current.require().copy_to_user(to, from_, n)


def strncpy_from_user(to: Buffer, from_: int, n: int) -> int:
    """Copy a string of at most `n` bytes from user space, its NUL included.

    The number of bytes copied without the NUL; `n` if there is no NUL in `n` bytes (then none is
    written); -EFAULT if the memory ends before the NUL.
    """
    return current.require().strncpy_from_user(to, from_, n)


def strnlen_user(str: int, max_len: int) -> int:
    """The length of a user string without its NUL, at most `max_len`; -EFAULT if the memory ends before."""
    return current.require().strnlen_user(str, max_len)


def validate_user_pointer(ptr: int, size: int, write: bool) -> bool:
    """Whether a range is user space, covered, with that right; no side effect. NULL never is."""
    return current.require().validate_user_pointer(ptr, size, write)


def validate_user_buffer(ptr: int, size: int, write: bool) -> bool:
    """Like validate_user_pointer, and every page is made present, so that the next access cannot fault."""
    return current.require().validate_user_buffer(ptr, size, write)
