"""Files whose pages areas show: host files, and shared anonymous memory. Their records are in RAM.

A host file is known by its device and inode, so that two opens share one set of cached pages. Its pages
stay in the cache after its last user, until memory is needed (`reclaim`) or `drop_unused`. Shared memory
has no file behind: its pages live as long as something names it.

The one thing that is not in RAM is the host's file descriptor; after `attach` it is opened again, by path,
when it is first needed.
"""

import os

from coalmm.errors import EIO, CorruptionError
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, FRAME_SIZE
from coalmm.hardware.ram import Ram
from coalmm.physical.constants import SB_FREE, SB_KERNEL_BASE, SB_TOTAL
from coalmm.physical.frames import Frames
from coalmm.typed import Any, Callable, Iterator
from coalmm.virtual.constants import (
    F_CHANGED,
    F_DEVICE,
    F_INODE,
    F_KIND,
    F_NEXT,
    F_NUMBER,
    F_PAGES,
    F_PATH,
    F_PREVIOUS,
    F_REFERENCES,
    F_SIZE,
    F_WRITABLE,
    FILE_HOST,
    FILE_MEMORY,
    FILE_SIZE,
    READ_AROUND,
    SB_CACHE_LISTED,
    SB_FILE_NUMBER,
    SB_FILE_SLAB,
    SB_FILES,
)
from coalmm.virtual.file_data import FileData
from coalmm.virtual.page_cache import PageCache
from coalmm.virtual.records import Records

HALF = 0xFFFF_FFFF
LONGEST_RUN = 64  # pages that one write to the host file takes
LOW_SHARE, FEWEST_LOW, MOST_LOW = 64, 16, 256  # of all frames; see `Files.low`
FEW_AHEAD = 4  # pages read at once when frames are few: a small part of YOUNG, see reclaim.py
MOST_DESCRIPTORS = 256  # of the host, before files that nobody uses are let go


def runs(pages: list[tuple[int, int]]) -> Iterator[tuple[int, list[int]]]:
    """Sorted (index, pfn) as runs of adjacent pages, of at most LONGEST_RUN: the first index, the pfns."""
    start = 0
    for place in range(1, len(pages) + 1):
        is_next = place < len(pages) and pages[place][0] == pages[place - 1][0] + 1
        if not is_next or place - start == LONGEST_RUN:
            yield pages[start][0], [pfn for _, pfn in pages[start:place]]
            start = place


def no_maps(file: int, first: int, last: int, copies: bool) -> int:
    """What `Files.unmap_pages` is where there are no address spaces."""
    return 0


def never() -> bool:
    """`Files.is_late` where there is no clock."""
    return False


class Files:
    """The files of one machine. A file is named by the paddr of its record."""

    def __init__(self, ram: Ram, frames: Frames, slabs: Any, heap: Any, cache: PageCache) -> None:
        self.ram = ram
        self.words = ram.words
        self.frames = frames
        self.heap = heap
        self.cache = cache
        self.records = Records(ram, slabs, "file", FILE_SIZE, SB_FILE_SLAB)
        self.kernel_base = int(ram.words[SB_KERNEL_BASE])
        self.low = min(max(int(ram.words[SB_TOTAL]) // LOW_SHARE, FEWEST_LOW), MOST_LOW)  # with fewer free, reclaim
        self.descriptors: dict[int, int] = {}
        self.unmap_pages: Callable[[int, int, int, bool], int] = no_maps  # the address spaces put theirs here
        self.is_late: Callable[[], bool] = never  # and the machine's clock
        self.spaces: Any = None  # and themselves here
        self._reclaimer: Any = None
        self.policy: Any = None  # a `virtual.policy.Policy`, if there is one
        self.data = FileData(self)
        self.read_cached, self.write_cached = self.data.read, self.data.write
        self.truncate, self.punch = self.data.truncate, self.data.punch

    def __del__(self) -> None:
        while self.__dict__.get("descriptors"):
            os.close(self.descriptors.popitem()[1])

    def get(self, file: int, field: int) -> int:
        """One word (F_*) of a file's record."""
        return int(self.words[(file >> 3) + field])

    def size(self, file: int) -> int:
        """Bytes of a file."""
        return self.get(file, F_SIZE)

    def path(self, file: int) -> str:
        """The host path a file was opened by, the name of shared memory; "" for none."""
        kaddr = self.get(file, F_PATH)
        if not kaddr:
            return ""
        room = int(self.heap.kmalloc_size(kaddr))
        return os.fsdecode(self.ram.read(kaddr - self.kernel_base, room).split(b"\0", 1)[0])

    def files(self) -> Iterator[int]:
        """All files, the newest first; the one that was yielded may go."""
        file = self.words[SB_FILES]
        while file:
            following = self.get(file, F_NEXT)
            yield file
            file = following

    # --- life ---

    def open_host(self, path: str, writable: bool = False) -> int:
        """A reference to a host file; 0 if there is no memory for its record. OSError if the host refuses."""
        fd = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        return self.adopt(fd, path, writable)

    def adopt(self, fd: int, path: str, writable: bool = False) -> int:
        """As `open_host`, for a descriptor that is open already; it belongs to this object from now on."""
        status = os.fstat(fd)
        file = self.find(status)
        if file:
            self._refresh(file, fd, status, writable)
            self.words[(file >> 3) + F_REFERENCES] += 1
            return file
        if len(self.descriptors) >= MOST_DESCRIPTORS:
            self.drop_unused()
        file = self._create(FILE_HOST, status.st_size, path)
        if not file:
            os.close(fd)
            return 0
        word = file >> 3
        self.words[word + F_DEVICE] = status.st_dev
        self.words[word + F_INODE] = status.st_ino
        self.words[word + F_CHANGED] = status.st_mtime_ns
        self.words[word + F_WRITABLE] = int(writable)
        self.descriptors[file] = fd
        return file

    def rebind(self, file: int, fd: int) -> None:
        """The bytes of a file are those of another host file from now on; what areas show of it stays.

        `fd`, open for reading and writing, belongs to this object from now on.
        """
        status = os.fstat(fd)
        word = file >> 3
        for field, value in (
            (F_DEVICE, status.st_dev), (F_INODE, status.st_ino), (F_CHANGED, status.st_mtime_ns), (F_WRITABLE, 1),
        ):  # fmt: skip
            self.words[word + field] = value
        if file in self.descriptors:
            os.close(self.descriptors[file])
        self.descriptors[file] = fd

    def create_memory(self, size: int, name: str = "") -> int:
        """A reference to `size` bytes of shared memory, all zero; 0 if there is no memory for its record.

        `name` is what maps shows; without one, what Linux shows for shared anonymous memory.
        """
        return self._create(FILE_MEMORY, size, name)

    def hold(self, file: int) -> None:
        """One more reference."""
        self.words[(file >> 3) + F_REFERENCES] += 1

    def release(self, file: int) -> None:
        """One reference less. The last one writes a host file's dirty pages back, and ends shared memory."""
        left = self.get(file, F_REFERENCES) - 1
        if left < 0:
            raise CorruptionError(f"file at {file:#x} has no reference to drop", file)
        self.words[(file >> 3) + F_REFERENCES] = left
        if left:
            return
        if self.get(file, F_KIND) == FILE_HOST:
            self.write_back(file)
            if self.get(file, F_PAGES):
                return
        self.destroy(file)

    def find(self, status: os.stat_result) -> int:
        """The record of the host file with the identity of `status`, 0 if areas never named it; no new reference."""
        for file in self.files():
            identity = self.get(file, F_KIND), self.get(file, F_DEVICE), self.get(file, F_INODE)
            if identity == (FILE_HOST, status.st_dev, status.st_ino):
                return file
        return 0

    def _refresh(self, file: int, fd: int, status: os.stat_result, writable: bool) -> None:
        """A known file is opened again: a changed one that nobody uses loses its cached pages."""
        word = file >> 3
        changed = self.words[word + F_CHANGED] != status.st_mtime_ns or self.words[word + F_SIZE] != status.st_size
        if changed and self.words[word + F_REFERENCES] == 0:
            for pfn in self.cache.pages_of(file):
                self.cache.remove(pfn)
            self.words[word + F_CHANGED] = status.st_mtime_ns
        if changed:
            self.words[word + F_SIZE] = status.st_size
        needed = self.words[word + F_WRITABLE] | int(writable)  # of an image's file, nothing is open yet
        if needed > int(writable) or (file in self.descriptors and self.words[word + F_WRITABLE] == needed):
            os.close(fd)
            return
        if file in self.descriptors:
            os.close(self.descriptors[file])
        self.descriptors[file] = fd
        self.words[word + F_WRITABLE] = needed

    def _create(self, kind: int, size: int, path: str) -> int:
        """A record with one reference, on the list of files; 0 if there is no memory."""
        file = self.records.allocate()
        if not file:
            return 0
        word = file >> 3
        if path:
            name = os.fsencode(path) + b"\0"
            kaddr = int(self.heap.kmalloc(len(name)))
            if not kaddr:
                self.records.free(file)
                return 0
            self.ram.write(kaddr - self.kernel_base, name)
            self.words[word + F_PATH] = kaddr
        self.words[SB_FILE_NUMBER] = self.words[SB_FILE_NUMBER] + 1 & HALF
        first = self.words[SB_FILES]
        for field, value in (
            (F_KIND, kind), (F_SIZE, size), (F_REFERENCES, 1), (F_NUMBER, self.words[SB_FILE_NUMBER]), (F_NEXT, first),
        ):  # fmt: skip
            self.words[word + field] = value
        if first:
            self.words[(first >> 3) + F_PREVIOUS] = file
        self.words[SB_FILES] = file
        return file

    def destroy(self, file: int) -> None:
        """Drop the pages and the record of a file that nobody names."""
        for pfn in self.cache.pages_of(file):
            self.cache.remove(pfn)
        following, previous = self.get(file, F_NEXT), self.get(file, F_PREVIOUS)
        if following:
            self.words[(following >> 3) + F_PREVIOUS] = previous
        if previous:
            self.words[(previous >> 3) + F_NEXT] = following
        else:
            self.words[SB_FILES] = following
        if self.get(file, F_PATH):
            self.heap.kfree(self.get(file, F_PATH))
        if file in self.descriptors:
            os.close(self.descriptors.pop(file))
        self.records.free(file)

    # --- pages ---

    def page(self, file: int, index: int, first: int = -1, last: int = -1) -> int:
        """The pfn of a page, read from the host if need be; 0 if there is no frame, -EIO if the host fails.

        With it come pages of [first, last) that follow each other and it, and are not there yet: those around it
        if not given. A page past the end of the file is the caller's to refuse; it would read as zero.
        """
        pfn = self.cache.lookup(file, index)
        if pfn:
            return pfn
        if self.get(file, F_KIND) == FILE_MEMORY:
            pfn = self.cache.take(file, index)
            if pfn:
                self.frames.zero(pfn)
            return pfn
        if first < 0:
            first, last = max(index - READ_AROUND // 2, 0), index + READ_AROUND // 2
        return self._read(file, index, first, last)

    def _read(self, file: int, index: int, first: int, last: int) -> int:
        """`page` of a host file that is not in the cache."""
        start, end = self._missing(file, index, first, min(last, (self.size(file) + FRAME_MASK) >> FRAME_SHIFT))
        pfn = self.cache.take(file, index)  # the one that somebody waits for, before the others
        if not pfn:
            return 0
        frames = [pfn if at == index else self.cache.take(file, at) for at in range(start, end)]
        if 0 in frames:
            for extra in filter(None, frames):
                if extra != pfn:
                    self.cache.remove(extra)
            start, frames = index, [pfn]
        try:
            got = os.preadv(self.descriptor(file), self._views(frames), start << FRAME_SHIFT)
        except OSError:
            got = -1
        for number, extra in enumerate(frames):
            missing = max(((number + 1) << FRAME_SHIFT) - max(got, 0), 0)
            if missing >= FRAME_SIZE and extra != pfn:
                self.cache.remove(extra)
            elif missing:
                self.ram.fill(((extra + 1) << FRAME_SHIFT) - min(missing, FRAME_SIZE), min(missing, FRAME_SIZE), 0)
        if got >= 0:
            return pfn
        self.cache.remove(pfn)
        return -EIO

    def _missing(self, file: int, index: int, first: int, last: int) -> tuple[int, int]:
        """The pages around `index` in [first, last) up to the next ones that are there; fewer if frames are few."""
        start, end = index, index + 1
        if self.words[SB_FREE] < self.low or self.frames.injection.armed:
            return start, end
        if self.words[SB_FREE] < self.low + (last - first):
            first, last = index, min(last, index + FEW_AHEAD)
        while start > first and not self.cache.lookup(file, start - 1):
            start -= 1
        while end < last and not self.cache.lookup(file, end):
            end += 1
        return start, end

    def _views(self, frames: list[int]) -> list[memoryview]:
        """The bytes of frames, those that follow each other as one."""
        views = []
        first = 0
        for place in range(1, len(frames) + 1):
            if place == len(frames) or frames[place] != frames[place - 1] + 1:
                start, end = frames[first] << FRAME_SHIFT, (frames[place - 1] + 1) << FRAME_SHIFT
                views.append(memoryview(self.ram.mapping)[start:end])
                first = place
        return views

    def _view(self, pfn: int) -> memoryview:
        """The bytes of a frame."""
        return memoryview(self.ram.mapping)[pfn << FRAME_SHIFT : (pfn + 1) << FRAME_SHIFT]

    def descriptor(self, file: int) -> int:
        """The host's descriptor of a file, opened again if this program has not done so. OSError if it cannot."""
        fd = self.descriptors.get(file, -1)
        if fd < 0:
            writable = self.get(file, F_WRITABLE)
            fd = os.open(self.path(file), (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
            self.descriptors[file] = fd
        return fd

    def write_back(self, file: int, first: int = 0, last: int = 1 << 52) -> int:
        """Write the dirty pages [first, last) of a host file to the host; how many, or -EIO if the host fails.

        A page that is still mapped stays dirty: it may be written again without a fault. What a map stored past
        the end of the file is zeroed, as ext4 does it.
        """
        if self.get(file, F_KIND) != FILE_HOST or not self.get(file, F_WRITABLE):
            return 0
        self.data.clear_tail(file, self.size(file))
        last = min(last, (self.size(file) + FRAME_MASK) >> FRAME_SHIFT)
        written = 0
        for index, run in runs(sorted(self._dirty_pages(file, first, last))):
            if not self._write_run(file, index, run):
                return -EIO
            written += len(run)
            if self.is_late():
                break
        if written and file in self.descriptors:
            self.words[(file >> 3) + F_CHANGED] = os.fstat(self.descriptors[file]).st_mtime_ns
        return written

    def _dirty_pages(self, file: int, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(index, pfn) of the pages that `write_back` writes."""
        for pfn in self.cache.pages_of(file):
            if self.cache.is_dirty(pfn):
                index = self.cache.index(pfn)
                if first <= index < last:
                    yield index, pfn

    def _write_run(self, file: int, index: int, run: list[int]) -> bool:
        """Write adjacent pages to the host file, not past its end; False if the host fails."""
        start = index << FRAME_SHIFT
        size = min(self.size(file) - start, len(run) << FRAME_SHIFT)
        views = [self._view(pfn) for pfn in run]
        views[-1] = views[-1][: size - ((len(run) - 1) << FRAME_SHIFT)]
        try:
            if os.pwritev(self.descriptor(file), views, start) < size:
                return False
        except OSError:
            return False
        for pfn in run:
            if self.frames.mappings(pfn) == 0:
                self.cache.clean(pfn)
        return True

    def write_page(self, pfn: int) -> int:
        """Write a dirty page to the host: 0, or -EIO if the host fails. It is clean then if nobody maps it."""
        file, index = self.cache.file(pfn), self.cache.index(pfn)
        if index >= (self.size(file) + FRAME_MASK) >> FRAME_SHIFT:
            self.cache.clean(pfn)  # past the end: nobody can ask for it
            return 0
        if not self._write_run(file, index, [pfn]):
            return -EIO
        self.words[(file >> 3) + F_CHANGED] = os.fstat(self.descriptor(file)).st_mtime_ns
        return 0

    @property
    def reclaimer(self) -> Any:
        """Reclaim, loaded when frames are short for the first time."""
        if self._reclaimer is None:
            from coalmm.virtual.reclaim import Reclaim

            self._reclaimer = Reclaim(self, self.spaces)
        return self._reclaimer

    def reclaim(self, count: int) -> int:
        """Free up to `count` frames of pages that can be read again, mapped or not; how many it got."""
        return int(self.reclaimer.shrink(count)) if self.cache.pages else 0

    def drop_unused(self) -> int:
        """Free the frames of all pages that nobody maps and that can be read again; how many."""
        return int(self.reclaimer.shrink_idle(1 << 52)) if self.cache.pages else 0

    def validate(self) -> None:
        """Check the list of files and the cache; raises CorruptionError."""
        self.cache.validate()
        previous = pages = listed = 0
        for file in self.files():
            if self.get(file, F_PREVIOUS) != previous or self.get(file, F_KIND) not in (FILE_HOST, FILE_MEMORY):
                raise CorruptionError(f"file at {file:#x}: bad link or kind", file)
            own = self.cache.count_pages(file)
            if own != self.get(file, F_PAGES):
                raise CorruptionError(f"file at {file:#x}: says {self.get(file, F_PAGES)} pages, has {own}", file)
            previous = file
            pages += own
            listed += own if self.cache.is_listed(file) else 0
        if pages != self.cache.pages:
            raise CorruptionError(f"page cache: {self.cache.pages} pages, {pages} of known files")
        if listed != self.words[SB_CACHE_LISTED]:
            raise CorruptionError(f"page cache: {self.words[SB_CACHE_LISTED]} pages by age, {listed} of host files")
