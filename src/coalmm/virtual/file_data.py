"""The bytes of a file as read(2), write(2) and truncate(2) see them, coherent with what areas show of it.

    host file       read: the host's bytes, with cached pages over them; write: to the host and to cached pages
    shared memory   its cached pages are all there is; a page that was never written is zero

Only pages that areas brought are in the cache: a file that nobody maps is read and written on the host and
takes no frame. What a shared map wrote is newer than the host file until `Files.write_back`, and read from
the cache before that.
"""

import os

from coalmm.errors import EBADF, EIO, ENOMEM
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, FRAME_SIZE
from coalmm.typed import Any, Iterator
from coalmm.virtual.constants import F_CHANGED, F_KIND, F_PAGES, F_SIZE, F_WRITABLE, FILE_HOST, RECLAIM

LAST_PAGE = 1 << 52
PIECE = 1 << 20  # bytes that are made zero in one step


class FileData:
    """Reading and writing the files of one machine; a file is named by the paddr of its record."""

    def __init__(self, files: Any) -> None:
        self.files = files
        self.cache = files.cache
        self.words = files.words
        self.ram = files.ram

    def read(self, file: int, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` on, fewer at the end of the file. OSError if the host fails."""
        end = min(offset + size, self.words[(file >> 3) + F_SIZE])
        if offset >= end:
            return b""
        data = bytearray(end - offset)
        if self._is_host(file):
            self._read_host(file, offset, data)
        if self.words[(file >> 3) + F_PAGES]:
            view, memory = memoryview(data), memoryview(self.ram.mapping)
            for index, start, done, part in pieces(offset, end):
                pfn = self.cache.lookup(file, index)
                if pfn:
                    self.cache.mark_used(pfn)
                    at = (pfn << FRAME_SHIFT) + start
                    view[done : done + part] = memory[at : at + part]
        return bytes(data)

    def _read_host(self, file: int, offset: int, data: bytearray) -> None:
        """Fill `data` from the host file; what that does not have (it may have shrunk) stays zero."""
        view = memoryview(data)
        while len(view):
            got = os.preadv(self.files.descriptor(file), [view], offset)
            if got == 0:
                return
            view = view[got:]
            offset += got

    def write(self, file: int, offset: int, data: bytes | bytearray | memoryview) -> int:
        """Write at `offset`, growing the file: how many bytes. OSError (EBADF, ENOMEM, the host's) for none."""
        view = memoryview(data).cast("B")
        if not len(view):
            return 0
        old = self.words[(file >> 3) + F_SIZE]
        if self._is_host(file):
            done = self._write_host(file, offset, view)
            self._grow(file, old, offset + done)
            self._store(file, offset, view[:done])
            self._note(file)
            return done
        self.clear_tail(file, old)
        done = self._store(file, offset, view, create=True)
        if done == 0:
            raise OSError(ENOMEM, "no frame for a page of shared memory")
        self.words[(file >> 3) + F_SIZE] = max(old, offset + done)
        return done

    def _write_host(self, file: int, offset: int, view: memoryview) -> int:
        """Write to the host file: how many bytes, at least one."""
        if not self.words[(file >> 3) + F_WRITABLE]:
            raise OSError(EBADF, "the file is not open for writing")
        return os.pwrite(self.files.descriptor(file), view, offset)

    def _store(self, file: int, offset: int, view: memoryview, create: bool = False) -> int:
        """Copy to the cached pages, or with `create` to all pages: how many bytes before a frame was missing."""
        if not create and not self.words[(file >> 3) + F_PAGES]:
            return len(view)
        memory = memoryview(self.ram.mapping)
        for index, start, done, part in pieces(offset, offset + len(view)):
            pfn = self.cache.lookup(file, index)
            if not pfn and create:
                pfn = self._new_page(file, index)
                if not pfn:
                    return done
            if pfn:
                at = (pfn << FRAME_SHIFT) + start
                memory[at : at + part] = view[done : done + part]
        return len(view)

    def _new_page(self, file: int, index: int) -> int:
        """A page of shared memory that was never touched; 0 if even the page cache has no frame to give."""
        pfn = int(self.files.page(file, index))
        if not pfn and self.files.reclaim(RECLAIM):
            pfn = int(self.files.page(file, index))
        return pfn

    # --- its size ---

    def truncate(self, file: int, size: int) -> None:
        """Set the size; pages past it are unmapped everywhere (SIGBUS from then on) and lost. OSError: unchanged."""
        old = self.words[(file >> 3) + F_SIZE]
        if self._is_host(file):
            if not self.words[(file >> 3) + F_WRITABLE]:
                raise OSError(EBADF, "the file is not open for writing")
            os.ftruncate(self.files.descriptor(file), size)
        if size >= old:
            self._grow(file, old, size)
        else:
            self.words[(file >> 3) + F_SIZE] = size
            self._drop(file, (size + FRAME_MASK) >> FRAME_SHIFT, LAST_PAGE, True)
            self.clear_tail(file, size)
        self._note(file)

    def punch(self, file: int, offset: int, size: int) -> None:
        """Make whole pages zero, as fallocate's PUNCH_HOLE does: shared maps see zeros, private copies stay."""
        end = min(offset + size, (self.words[(file >> 3) + F_SIZE] + FRAME_MASK) & ~FRAME_MASK)
        if offset >= end:
            return
        if self._is_host(file):
            self._punch_host(file, offset, min(end, self.words[(file >> 3) + F_SIZE]))
        else:
            self._drop(file, offset >> FRAME_SHIFT, end >> FRAME_SHIFT, False)

    def _punch_host(self, file: int, offset: int, end: int) -> None:
        """Zeros over what the host file has data for, with what shared maps wrote; its holes are zero already."""
        if self.files.write_back(file) < 0:
            raise OSError(EIO, "the host file cannot be written")
        for start, size in data_of(self.files.descriptor(file), offset, end):
            if self.files.is_late():
                return
            self.write(file, start, bytes(size))

    def _drop(self, file: int, first: int, last: int, copies: bool) -> None:
        """Take pages [first, last) out of every address space and out of the cache."""
        self.files.unmap_pages(file, first, last, copies)
        for pfn in self.cache.pages_of(file):
            if first <= self.cache.index(pfn) < last:
                self.cache.remove(pfn)

    def _grow(self, file: int, old: int, size: int) -> None:
        """The file is larger than it was: what lay past its end in the last page reads as zero."""
        if size > old:
            self.clear_tail(file, old)
            self.words[(file >> 3) + F_SIZE] = size

    def clear_tail(self, file: int, size: int) -> None:
        """Zero the cached last page past the end of the file."""
        pfn = self.cache.lookup(file, size >> FRAME_SHIFT) if size & FRAME_MASK else 0
        if pfn:
            self.ram.fill((pfn << FRAME_SHIFT) + (size & FRAME_MASK), FRAME_SIZE - (size & FRAME_MASK), 0)

    def _note(self, file: int) -> None:
        """Remember the host file's time, so that our own write is no change behind our back."""
        if self._is_host(file):
            self.words[(file >> 3) + F_CHANGED] = os.fstat(self.files.descriptor(file)).st_mtime_ns

    def _is_host(self, file: int) -> bool:
        """Whether a host file is behind it."""
        return bool(self.words[(file >> 3) + F_KIND] == FILE_HOST)


def data_of(fd: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where [start, end) of a host file is no hole: (offset, size) of pieces of at most PIECE bytes."""
    while start < end:
        try:
            start = os.lseek(fd, start, os.SEEK_DATA)
            until = min(os.lseek(fd, start, os.SEEK_HOLE), end)
        except OSError:  # no data after this
            return
        while start < until:
            size = min(PIECE, until - start)
            yield start, size
            start += size


def pieces(offset: int, end: int) -> list[tuple[int, int, int, int]]:
    """[offset, end) page by page: (page index, first byte in the page, bytes before it, bytes)."""
    found = []
    at = offset
    while at < end:
        part = min(end - at, FRAME_SIZE - (at & FRAME_MASK))
        found.append((at >> FRAME_SHIFT, at & FRAME_MASK, at - offset, part))
        at += part
    return found
