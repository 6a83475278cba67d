"""A saved image, opened to be looked at: whatever is wrong with its bytes is one line, never a traceback."""

from contextlib import contextmanager

import click

import coalmm
from coalmm.errors import CoalError, one_line
from coalmm.hardware.bits import ALL_ONES
from coalmm.kernel import Kernel
from coalmm.typed import Iterator


@contextmanager
def looking_at(path: str) -> Iterator[Kernel]:
    """The machine in an image, mapped read-only. ClickException for all that goes wrong inside the block.

    Not only the errors that `attach` documents: an image can pass every check and still hold, say, a tree of
    page tables that points at itself.
    """
    try:
        with coalmm.attach(path, read_only=True) as kernel:
            yield kernel
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Exception as error:
        text = one_line(error)
        if not isinstance(error, (CoalError, OSError, ValueError, MemoryError)):
            text = f"the image is damaged: {type(error).__name__}, {text}"
        raise click.ClickException(text if path in text else f"{path}: {text}") from None


def address(text: str) -> int:
    """An address of the command line, 0x hexadecimal or decimal. BadParameter for what is none."""
    try:
        number = int(text, 0)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no address: write 0xc0000000 or 3221225472") from None
    if not 0 <= number <= ALL_ONES:
        raise click.BadParameter(f"{text!r} does not fit in 64 bits")
    return number
