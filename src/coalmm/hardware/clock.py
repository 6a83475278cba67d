"""The host's monotonic clock, in nanoseconds. The compiled modules use the C form in clock.pxd."""

import time


def now() -> int:
    """Nanoseconds, as `time.monotonic_ns()` has them."""
    return time.monotonic_ns()
