"""Page directories: which page is mapped where, with which rights, and what user programs find there.

A page's bytes follow what was copied there. A clone has the same bytes and its own life from then on; whether the
target copies at once or on the first write is its own business, so the frame behind a cloned page is not predicted.
"""

from dataclasses import dataclass

from coalmm.check.functions import PAGE, PAGE_USER, PAGE_WRITABLE
from coalmm.check.model.call import Call
from coalmm.check.model.frames import Frames
from coalmm.check.violation import Illegal, Violation

NOT_MAPPED = "@return Physical address or 0 if not mapped"


class Content:
    """The bytes of a page, as far as they are known."""

    __slots__ = ("known", "value")

    def __init__(self) -> None:
        self.value = bytearray(PAGE)
        self.known = bytearray(PAGE)  # 1 where the byte is known

    def copy(self) -> "Content":
        """The same bytes, apart."""
        other = Content.__new__(Content)
        other.value, other.known = bytearray(self.value), bytearray(self.known)
        return other

    def write(self, offset: int, data: bytes) -> None:
        """Bytes that are known from now on."""
        self.value[offset : offset + len(data)] = data
        self.known[offset : offset + len(data)] = b"\1" * len(data)

    def forget(self, offset: int, size: int) -> None:
        """Bytes that may be anything."""
        self.known[offset : offset + size] = bytes(size)

    def differs(self, offset: int, data: bytes) -> int:
        """Where `data` first differs from a known byte, or -1."""
        known = self.known[offset : offset + len(data)]
        value = self.value[offset : offset + len(data)]
        if value == data:
            return -1
        return next((i for i in range(len(data)) if known[i] and value[i] != data[i]), -1)


@dataclass(slots=True)
class Page:
    """A mapping. `frame` is None where it is not predicted; `shared`: it came from, or went into, a clone."""

    flags: int
    frame: int | None
    content: Content
    shared: bool = False
    origin: int = 0  # the frame that was mapped

    def allows(self, write: bool) -> bool:
        """Whether a user access of this kind is allowed."""
        needed = PAGE_USER | (PAGE_WRITABLE if write else 0)
        return self.flags & needed == needed


@dataclass(slots=True)
class Directory:
    """The user half of a page directory, by page address."""

    out: int
    pages: dict[int, Page]
    whole: bool = True  # False: it may hold pages that this model has not seen (the one that the start made)


class Paging:
    """All directories; `current` is the one that calls without a directory act on.

    Some targets give a frame back when it is unmapped, or with its directory; then a mapping takes it over.
    """

    def __init__(self, frames: Frames, unmap_frees: bool, directory_frees: bool) -> None:
        self.frames = frames
        self.unmap_frees = unmap_frees
        self.directory_frees = directory_frees
        self.start = Directory(0, {}, whole=False)
        self.current = self.start
        self.directories: dict[int, Directory] = {}
        self.short = False  # something could not be allocated; until a free, a copy-on-write may fail too
        self.contents: dict[int, Content] = {}  # by frame, so that two mappings of a frame share bytes

    def find(self, address: int) -> Directory:
        """A live directory."""
        if address not in self.directories:
            raise Illegal(f"{address:#x} is no live directory")
        return self.directories[address]

    def paging_map_page(self, call: Call) -> None:
        """0 or negative; on 0 the page is there, on failure nothing changed."""
        vaddr, frame, flags = call.args
        if call.value > 0:
            raise Violation("value", f"paging_map_page returned {call.value}", f"(int)${call.out} <= 0",
                            "@return 0 on success, negative error code on failure")  # fmt: skip
        if vaddr in self.current.pages:
            raise Illegal("a page that is mapped already")
        if call.value:
            self.short = True
            return
        content = self.contents.setdefault(frame, Content())
        self.current.pages[vaddr] = Page(flags, frame, content, origin=frame)
        if self.unmap_frees:
            self.frames.live.pop(frame, None)
            self.frames.mapped[frame] = call.out

    def paging_unmap_page(self, call: Call) -> None:
        """Only this page of this directory goes; a page that is not mapped is nothing."""
        page = self.current.pages.pop(call.args[0], None)
        if page is not None and page.frame is not None:
            self.frames.mapped.pop(page.frame, None)
        self.short = False

    def paging_get_physical(self, call: Call) -> None:
        """The frame (with or without the offset in the page), or 0."""
        vaddr = call.args[0]
        page = self.current.pages.get(vaddr & ~(PAGE - 1))
        if page is None:
            if call.value and self.current.whole:
                raise Violation("translation", f"{vaddr:#x} is not mapped, and paging_get_physical says "
                                f"{call.value:#x}", f"${call.out} == 0", NOT_MAPPED)  # fmt: skip
            return
        if call.value == 0:
            raise Violation("translation", f"{vaddr:#x} is mapped, and paging_get_physical says 0",
                            f"${call.out} != 0", NOT_MAPPED)  # fmt: skip
        allowed = (0, vaddr % PAGE)
        if (page.frame is not None and call.value - page.frame not in allowed) or call.value % PAGE not in allowed:
            expected = f"{page.frame:#x}" if page.frame is not None else "a frame"
            raise Violation(
                "translation", f"{vaddr:#x} is mapped to {expected}, and paging_get_physical says {call.value:#x}",
                f"(${call.out} & ~4095) == {page.frame or 0:#x}", "@return Physical address or 0 if not mapped",
            )  # fmt: skip

    def paging_create_directory(self, call: Call) -> None:
        """An empty one."""
        self._new(call, {})

    def paging_clone_directory(self, call: Call) -> None:
        """The same pages with the same bytes, each on its own from now on."""
        source = self.start if call.args[0] == 0 else self.find(call.args[0])
        if call.value:
            for page in source.pages.values():
                self.contents.pop(page.frame or 0, None)
                self.frames.mapped.pop(page.frame or 0, None)  # which side keeps it is not predicted
                page.frame, page.shared, page.content = None, True, page.content.copy()
            copies = {
                vaddr: Page(page.flags, None, page.content.copy(), True, page.origin)
                for vaddr, page in source.pages.items()
            }
            self._new(call, copies)
        else:
            self.short = True

    def _new(self, call: Call, pages: dict[int, Page]) -> None:
        if call.value == 0:
            self.short = True
            return
        if call.value in self.directories:
            other = self.directories[call.value].out
            raise Violation("overlap", f"{call.op.name} gave a directory that is live already",
                            f"${call.out} != ${other}", "@return Page directory")  # fmt: skip
        self.directories[call.value] = Directory(call.out, pages)

    def paging_free_directory(self, call: Call) -> None:
        """Not the current one."""
        if call.args[0] == 0:
            return
        if self.find(call.args[0]) is self.current:
            raise Illegal("the current directory")
        for page in self.directories.pop(call.args[0]).pages.values():
            self.frames.mapped.pop(page.frame or 0, None)
            if self.directory_frees:
                self.frames.live.pop(page.origin, None)
        self.short = False

    def paging_switch_directory(self, call: Call) -> None:
        """From now on it is the current one."""
        self.current = self.find(call.args[0])

    def pages(self, vaddr: int, size: int) -> list[tuple[int, Page | None, int, int]]:
        """The pages of a range: (page address, page, first byte in it, bytes of the range in it)."""
        parts = []
        while size > 0:
            offset = vaddr % PAGE
            length = min(size, PAGE - offset)
            parts.append((vaddr - offset, self.current.pages.get(vaddr - offset), offset, length))
            vaddr, size = vaddr + length, size - length
        return parts

    def allowed(self, vaddr: int, size: int, write: bool) -> bool | None:
        """Whether a user access to the range is allowed; None where that is not known."""
        answer: bool | None = True
        for _, page, _, _ in self.pages(vaddr, size):
            if page is None:
                if self.current.whole:
                    return False
                answer = None
            elif not page.allows(write):
                return False
        return answer
