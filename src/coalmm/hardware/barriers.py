"""Memory barriers: a real fence of the host's CPU, as the document's `mb`, `rmb` and `wmb` are.

Compiled, each is one instruction inline (the C11 fence on a host that is not x86). Interpreted, the
same instructions are called as machine code (`fences.py`).
"""

import cython

if not cython.compiled:
    from coalmm.hardware.fences import lfence, mfence, sfence


def mb() -> None:
    """Order every load and store before it with every load and store after it (`mfence`)."""
    mfence()


def rmb() -> None:
    """Order every load before it with every load after it (`lfence`)."""
    lfence()


def wmb() -> None:
    """Order every store before it with every store after it (`sfence`)."""
    sfence()
