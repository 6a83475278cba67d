"""memfd: a file of the overlay without a name, whose changes can be forbidden for good. Source: memfd_create(2)."""

from __future__ import annotations

import os
import stat
from errno import EBUSY, EINVAL, EPERM

from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.overlay import Overlay, OverlayFile
from coalmm.linux.vfs.regular import RegularFile
from coalmm.typed import Any

F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE = 1, 2, 4, 8, 16
KNOWN_SEALS = 0x3F
LARGE_FILE = 0o100000
MEMORY_DEVICE = 1  # st_dev of shared memory


class MemoryNode(OverlayFile):
    """The file behind a memfd. `seals` are F_SEAL_* bits."""

    def __init__(self, overlay: Overlay, seals: int) -> None:
        self.overlay = overlay
        self.meta = overlay.new(stat.S_IFREG | 0o777, 0)
        self.meta.dev = MEMORY_DEVICE
        self.pinned = True
        self.seals = seals
        self.shared_maps = False  # it was mapped shared and writable once

    def seal(self, seals: int, writable: bool) -> None:
        """F_ADD_SEALS. EPERM, EBUSY, EINVAL."""
        if seals & ~KNOWN_SEALS:
            raise failure(EINVAL)
        if self.seals & F_SEAL_SEAL or not writable:
            raise failure(EPERM)
        if seals & F_SEAL_WRITE and not self.seals & F_SEAL_WRITE and self.shared_maps:
            raise failure(EBUSY)
        self.seals |= seals

    def write_at(self, data: bytes, offset: int) -> int:
        if self.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE):
            raise failure(EPERM)
        if self.seals & F_SEAL_GROW and offset + len(data) > self.size:
            raise failure(EPERM)
        return super().write_at(data, offset)

    def truncate(self, size: int) -> None:
        old = self.size
        if (size < old and self.seals & F_SEAL_SHRINK) or (size > old and self.seals & F_SEAL_GROW):
            raise failure(EPERM)
        super().truncate(size)

    def mapping(self, kernel: Any, path: bytes, writable: bool) -> int:
        if writable and self.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE):
            raise failure(EPERM)
        self.shared_maps |= writable
        return super().mapping(kernel, path, writable)


class MemoryFile(RegularFile):
    """An open memfd."""

    node: MemoryNode

    def __init__(self, overlay: Overlay, name: bytes, sealable: bool) -> None:
        node = MemoryNode(overlay, 0 if sealable else F_SEAL_SEAL)
        node.handle(True)
        super().__init__(node, None, os.O_RDWR | LARGE_FILE)
        self.name = name

    @property
    def path(self) -> bytes:
        return b"/memfd:" + self.name + b" (deleted)"
