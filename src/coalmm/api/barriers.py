"""Memory Barriers: each executes the host CPU's own fence."""

from coalmm.hardware.barriers import mb, rmb, wmb

__all__ = ["mb", "rmb", "wmb"]
