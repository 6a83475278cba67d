"""Where a task is in the tree of files: working directory and umask. Threads share one, fork copies it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from coalmm.linux.vfs.node import Directory


@dataclass
class FsContext:
    """fs_struct of Linux. `root` is where absolute paths start."""

    root: Directory
    cwd: Directory
    umask: int = 0o022

    def copy(self) -> FsContext:
        """For a child that shares nothing."""
        return replace(self)
