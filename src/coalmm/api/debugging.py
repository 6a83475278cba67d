"""Memory Debugging: the document's functions over the current kernel."""

from coalmm import current
from coalmm.inspect.dump import dump_text
from coalmm.inspect.statistics import statistics_text


def mem_dump(addr: int, size: int) -> None:
    """Print `size` bytes from a kernel or virtual address as hex and ASCII; ?? where nothing can be read.

    The output is bounded, whatever the size. Raises InvalidPointerError for 0 (NULL).
    """
    text = dump_text(current.require(), addr, size)
    print(text, end="" if text.endswith("\n") or not text else "\n")


def mem_check_leaks() -> int:
    """How many allocations made since mem_enable_tracking are still live; `inspect.leaks` reports them."""
    return current.require().tracking.live_count()


def mem_enable_tracking() -> None:
    """Record allocations from now on, with the line of code that made them. Twice is as once."""
    current.require().tracking.enable()


def mem_print_stats() -> None:
    """Print what every allocator has and has done."""
    text = statistics_text(current.require())
    print(text, end="" if text.endswith("\n") or not text else "\n")
