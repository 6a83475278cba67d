"""Pages mapped, unmapped, cloned and freed, and user copies through them."""

from dataclasses import dataclass, field
from random import Random

from coalmm.check.functions import PAGE, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE
from coalmm.check.pattern import TEXT, pattern
from coalmm.check.protocol import SLOT_BUFFER_END, Op, Ref
from coalmm.check.recording import Recording
from coalmm.check.sequences.generator import Generator, Object
from coalmm.check.traits import Traits

COPIES = ("copy_to_user", "copy_from_user", "strncpy_from_user", "strnlen_user",
          "validate_user_pointer", "validate_user_buffer")  # fmt: skip
DIRECTORIES = {"paging_create_directory", "paging_switch_directory"}


@dataclass(slots=True)
class Space:
    """A directory and what was mapped in it. `op` None: the one that the start made."""

    op: Op | None
    pages: dict[int, tuple[Op, Object]] = field(default_factory=dict)  # the mapping and the frame, by page address


class PagingCalls(Generator):
    """A frame is mapped once; it is given back when no directory can hold it any more."""

    needs = frozenset({"frame_alloc", "paging_map_page"})

    def __init__(self, recording: Recording, random: Random, traits: Traits) -> None:
        super().__init__(recording, random, traits)
        self.current = Space(None)
        self.spaces = [self.current]
        self.frames: list[Object] = []
        budget = max(traits.frames // 4, 1) if traits.frames else 64
        self.most = min(random.choice([2, 6, 20, 60]), budget)
        self.most_spaces = random.choice([1, 2, 4, 8]) if traits.present >= DIRECTORIES else 1
        spread = random.choice([8, 64, 1024 * 3, (traits.user_end - traits.user_start) // PAGE])
        self.pages = min(spread, (traits.user_end - traits.user_start) // PAGE)
        self.copies = [name for name in COPIES if name in self.has]
        self.clones = "paging_clone_directory" in self.has and random.random() < 0.8
        self.rights = random.choice([0.0, 0.3])
        self.texts = random.choice([0.0, 0.5, 1.0])  # how often what is written has no zero byte

    def start(self) -> None:
        """A directory of its own, where there are any."""
        if self.traits.present >= DIRECTORIES:
            self.create("paging_create_directory")
            if self.spaces[-1].op is not None:
                self.switch(self.spaces[-1])

    def step(self) -> None:
        """Mostly copies, and mappings that come and go; now and then a fork or an exit."""
        dice = self.random.random()
        if not self.current.pages or (dice < 0.2 and len(self.current.pages) < self.most):
            self.map()
        elif dice < 0.27 and "paging_unmap_page" in self.has:
            self.unmap()
        elif dice < 0.35 and self.most_spaces > 1:
            self.directories()
        elif dice < 0.4 and "paging_get_physical" in self.has:
            self.add("paging_get_physical", self.somewhere() + self.random.choice([0, 0, 0x123]))
        elif self.copies:
            self.copy()

    # Mappings.

    def somewhere(self) -> int:
        """A page: one that is mapped, next to one, or any."""
        if self.current.pages and self.random.random() < 0.85:
            page = self.random.choice(list(self.current.pages))
            page += self.random.choice([0, 0, 0, 0, PAGE, -PAGE])
            if self.traits.user_start <= page < self.traits.user_end:
                return page
        return self.traits.user_start + self.random.randrange(self.pages) * PAGE

    def map(self) -> None:
        """A fresh frame at a page that has none."""
        page = self.somewhere()
        if page in self.current.pages:
            page = self.traits.user_start + self.random.randrange(self.pages) * PAGE
            if page in self.current.pages:
                return
        flags = PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER
        if self.random.random() < self.rights:
            flags &= ~self.random.choice([PAGE_WRITABLE, PAGE_USER])
        if not flags & PAGE_USER and self.clones:
            flags |= PAGE_USER  # whether a kernel page is cloned is the target's own business
        frame = Object(self.add("frame_alloc"), PAGE)
        self.frames.append(frame)
        self.current.pages[page] = (self.add("paging_map_page", page, frame.ref, flags), frame)

    def unmap(self) -> None:
        """A page that is mapped, mostly."""
        page = self.somewhere()
        self.add("paging_unmap_page", page)
        if page in self.current.pages:
            self.release(self.current.pages.pop(page)[1], self.traits.unmap_frees)

    def release(self, frame: Object, already: bool = False) -> None:
        """Give a frame back if nothing can hold it, unless what dropped the last mapping did so already."""
        if any(frame is held for space in self.spaces for _, held in space.pages.values()):
            return
        self.frames.remove(frame)
        if not already and "frame_free" in self.has:
            self.add("frame_free", frame.ref)

    # Directories.

    def directories(self) -> None:
        """Create, clone, switch or free."""
        choice = self.random.random()
        others = [space for space in self.spaces if space is not self.current and space.op is not None]
        if choice < 0.4 and len(self.spaces) <= self.most_spaces:
            cloning = self.clones and self.current.op is not None and self.random.random() < 0.8
            self.create("paging_clone_directory" if cloning else "paging_create_directory")
        elif choice < 0.75 and others:
            self.switch(self.random.choice(others))
        elif others and "paging_free_directory" in self.has:
            self.free(self.random.choice(others))

    def create(self, function: str) -> None:
        """A new directory, empty or as the current one. The answer is waited for: much hangs on it."""
        op = self.current.op
        cloned = function == "paging_clone_directory" and op is not None
        new = self.add(function, *([Ref(op.out)] if cloned and op else []))
        self.flush()
        if self.recording.value(new):
            self.spaces.append(Space(new, dict(self.current.pages) if cloned else {}))

    def switch(self, space: Space) -> None:
        """Make another one current."""
        assert space.op is not None
        self.add("paging_switch_directory", Ref(space.op.out))
        self.current = space

    def free(self, space: Space) -> None:
        """A directory that is not the current one goes, with what it mapped."""
        assert space.op is not None
        self.spaces.remove(space)
        self.add("paging_free_directory", Ref(space.op.out))
        for _, frame in space.pages.values():
            if any(frame is kept for kept in self.frames):
                self.release(frame, self.traits.directory_frees)

    # Copies.

    def place(self) -> tuple[int, int]:
        """A range to copy: short or over a few pages, at any offset."""
        vaddr = self.somewhere() + self.random.choice([0, 0, 1, 2047, 4090, self.random.randrange(PAGE)])
        size = self.random.choice([1, 4, 16, 100, 1000, PAGE, PAGE + 1, 3 * PAGE])
        return vaddr, min(size, self.traits.user_end - vaddr)

    def copy(self) -> None:
        """One of the functions that read or write user memory."""
        function = self.random.choice(self.copies + ["copy_to_user"] * 2 * ("copy_to_user" in self.has))
        vaddr, size = self.place()
        if size <= 0:
            return
        if function.startswith("validate"):
            self.add(function, vaddr, size, self.random.randrange(2))
        elif function == "copy_to_user":
            self.write(vaddr, size)
        elif function == "strnlen_user":
            self.add(function, vaddr, size)
        else:
            self.add(function, Ref(SLOT_BUFFER_END, -size), vaddr, size)
            self.add("read", Ref(SLOT_BUFFER_END, -size), size)

    def write(self, vaddr: int, size: int) -> None:
        """A pattern, or now and then a zero byte, which ends strings."""
        if self.random.random() < 0.2:
            self.add("fill", Ref(SLOT_BUFFER_END, -1), 1, ZERO_SEED)
            self.add("copy_to_user", vaddr + size - 1, Ref(SLOT_BUFFER_END, -1), 1)
            return
        seed = self.seed() + (TEXT if self.random.random() < self.texts else 0)
        self.add("fill", Ref(SLOT_BUFFER_END, -size), size, seed)
        self.add("copy_to_user", vaddr, Ref(SLOT_BUFFER_END, -size), size)

    def settle(self) -> None:
        """Forget mappings that failed, and frames that were 0."""
        for space in self.spaces:
            failed = [page for page, (op, frame) in space.pages.items()
                      if not self.given(frame) or self.recording.value(op)]  # fmt: skip
            for page in failed:
                frame = space.pages.pop(page)[1]
                if any(frame is kept for kept in self.frames):
                    self.release(frame)

    def finish(self) -> None:
        """Unmap all, free all directories but the current one, give all frames back."""
        self.flush()
        for space in [space for space in self.spaces if space is not self.current and space.op is not None]:
            if "paging_free_directory" in self.has:
                self.free(space)
        for page in list(self.current.pages) if "paging_unmap_page" in self.has else []:
            self.add("paging_unmap_page", page)
            self.release(self.current.pages.pop(page)[1], self.traits.unmap_frees)


def _zero_seed() -> int:
    """The number of a pattern whose first byte is zero."""
    return next(seed for seed in range(901, 10_000) if pattern(seed, 1) == b"\0")


ZERO_SEED = _zero_seed()
