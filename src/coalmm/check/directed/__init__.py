"""Directed checks: each rests on a sentence of the document or a row of the table of bad inputs."""

import importlib

MODULES = ("frames", "paging", "clone", "buddy", "slab", "kmalloc", "user", "strings", "info", "misuse", "failing",
           "leaks", "tlb")  # fmt: skip


def all_checks() -> None:
    """Load them all; they register themselves."""
    for name in MODULES:
        importlib.import_module(f"coalmm.check.directed.{name}")
