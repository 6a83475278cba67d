"""Where a task is in the tree of files: working directory and umask. Threads share one, fork copies it."""

from __future__ import annotations

from coalmm.linux.vfs.node import Directory


class FsContext:
    """fs_struct of Linux. `root` is where absolute paths start."""

    def __init__(self, root: Directory, cwd: Directory, umask: int = 0o022) -> None:
        self.root = root
        self.cwd = cwd
        self.umask = umask

    def copy(self) -> FsContext:
        """For a child that shares nothing."""
        return FsContext(self.root, self.cwd, self.umask)
