"""Ends a slice of time: compiled, a thread that stops the emulator when the slice is over.

Interpreted, the emulator's own timeout does it: no thread of ours could run while it holds Python's lock.
"""


def start_ticker(stop_function: int, uc: int) -> int:
    """A ticker for one emulator."""
    return 0


def end_ticker(ticker: int) -> None:
    """No more ticks; its thread ends."""


def begin_slice(ticker: int, microseconds: int) -> int:
    """Stop the emulator in so long; returns the timeout that the emulator itself is to use."""
    return microseconds


def end_slice(ticker: int) -> None:
    """The emulator has come back."""
