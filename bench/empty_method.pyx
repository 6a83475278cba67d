# cython: binding=True
"""A compiled method that does nothing, built as coalmm's are, for pair.py."""


cdef class Empty:
    """Methods that do nothing."""

    cpdef object take(self, object argument):
        """Take one argument and do nothing with it."""
