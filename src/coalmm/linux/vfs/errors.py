"""A negative errno as an exception, with Linux's own words."""

import os


def failure(number: int) -> OSError:
    """The OSError of an errno: the call that raises it answers -number."""
    return OSError(number, os.strerror(number))
