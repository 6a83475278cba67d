"""Access to user memory: what the CPU in user mode would do, with the fault handler behind it.

Every page goes through the MMU and its TLB with user rights, so supervisor pages, missing rights and
addresses outside user space fail as on hardware; a page that can be faulted in is, and a copy-on-write
page is broken before it is written. A copy first reaches all its pages and then moves its bytes: it
moves all of them or none. Where reaching one page took another one (reclaim), it goes a slower way.

The kernel's side of a copy is a kernel address (KERNEL_BASE + paddr) or any Python buffer.
"""

import cython

from coalmm.errors import EFAULT, InvalidPointerError
from coalmm.hardware.mmu import Mmu
from coalmm.typed import Any
from coalmm.virtual.faults import Faults

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, as_u64
    from coalmm.hardware.constants import (
        ACCESS_READ,
        ACCESS_WRITE,
        FRAME_MASK,
        FRAME_SHIFT,
        FRAME_SIZE,
        PAGE_COW,
        PAGE_PRESENT,
        PAGE_USER,
        PAGE_WRITABLE,
    )
    from coalmm.physical.constants import SB_KERNEL_BASE, SB_LOWMEM
    from coalmm.virtual.constants import (
        A_END,
        A_FILE,
        A_FLAGS,
        A_OFFSET,
        A_START,
        F_SIZE,
        RIGHT_WRITE,
        RIGHTS,
        SB_RECLAIMED,
    )

    TRIES = 4  # a fault that is resolved this often and comes back is none that the handler understands


class UserAccess:
    """Copies between the kernel and the user half of the current directory."""

    def __init__(self, faults: Faults, mmu: Mmu, user_top: int) -> None:
        self.handler = faults
        self.mmu = mmu
        self.spaces = faults.spaces
        self.ram = faults.frames.ram
        self.words = faults.frames.words
        self.user_top = user_top
        self.error = 0

    def __repr__(self) -> str:
        return f"<UserAccess: directory {self.mmu.cr3:#x}, user space up to {self.user_top:#x}>"

    # --- one access ---

    def reach(self, vaddr: int, access: int) -> int:
        """The paddr of a user address for an access, faulting it in; ALL_ONES, and why in `error`, if that fails."""
        for _ in range(TRIES):
            paddr = self.mmu.translate(vaddr, access, True)
            if paddr != ALL_ONES:
                if paddr < self.ram.size:
                    return paddr
                break  # mapped to where no RAM is
            self.error = self.handler.resolve(self.mmu.cr3, vaddr, access, True)
            if self.error != 0:
                return ALL_ONES
        self.error = -EFAULT
        return ALL_ONES

    def reach_all(self, vaddr: int, size: int, access: int) -> bool:
        """Reach every page of a range that does not wrap."""
        done = 0
        while done < size:
            if self.reach(vaddr + done, access) == ALL_ONES:
                return False
            done += FRAME_SIZE - ((vaddr + done) & FRAME_MASK)
        return True

    def load(self, vaddr: int, view: Any) -> bool:
        """Fill a writable byte view from user memory; False, and it is as it was, if a page cannot be had."""
        size = len(view)
        reclaimed = self.words[SB_RECLAIMED]
        if not self.reach_all(vaddr, size, ACCESS_READ):
            return False
        if self.words[SB_RECLAIMED] != reclaimed:
            return self._load_slowly(vaddr, view)
        memory = memoryview(self.ram.mapping)
        done = 0
        while done < size:
            paddr = self.reach(vaddr + done, ACCESS_READ)
            part = min(size - done, FRAME_SIZE - (paddr & FRAME_MASK))
            view[done : done + part] = memory[paddr : paddr + part]
            done += part
        return True

    def store(self, vaddr: int, view: Any) -> bool:
        """Copy a byte view to user memory; False, and no byte was written, if a page cannot be had."""
        size = len(view)
        reclaimed = self.words[SB_RECLAIMED]
        if not self.reach_all(vaddr, size, ACCESS_WRITE):
            return False
        if self.words[SB_RECLAIMED] != reclaimed:
            return self._store_slowly(vaddr, view)
        memory = memoryview(self.ram.mapping)
        done = 0
        while done < size:
            paddr = self.reach(vaddr + done, ACCESS_WRITE)
            part = min(size - done, FRAME_SIZE - (paddr & FRAME_MASK))
            memory[paddr : paddr + part] = view[done : done + part]
            done += part
        return True

    def _load_slowly(self, vaddr: int, view: Any) -> bool:
        """`load` when frames are short: page by page, since they need not all be there at once."""
        size = len(view)
        memory = memoryview(self.ram.mapping)
        copy = bytearray()
        while len(copy) < size:
            paddr = self.reach(vaddr + len(copy), ACCESS_READ)
            if paddr == ALL_ONES:
                return False
            part = min(size - len(copy), FRAME_SIZE - (paddr & FRAME_MASK))
            copy += memory[paddr : paddr + part]
        view[:] = copy
        return True

    def _store_slowly(self, vaddr: int, view: Any) -> bool:
        """`store` when frames are short: each page is held until the last one is there."""
        leaves = self.spaces.tables.leaves
        pieces: list[tuple[int, int, int]] = []
        memory = memoryview(self.ram.mapping)
        done = 0
        try:
            while done < len(view):
                paddr = self.reach(vaddr + done, ACCESS_WRITE)
                if paddr == ALL_ONES or not leaves.take(paddr >> FRAME_SHIFT, 1, False):
                    return False
                part = min(len(view) - done, FRAME_SIZE - (paddr & FRAME_MASK))
                pieces.append((paddr, done, part))
                done += part
            for paddr, start, part in pieces:
                memory[paddr : paddr + part] = view[start : start + part]
            return True
        finally:
            for paddr, _, _ in pieces:
                leaves.drop(paddr >> FRAME_SHIFT, 1, False)

    def _is_user(self, vaddr: int, size: int) -> bool:
        """Whether [vaddr, vaddr + size) lies in user space and does not start at NULL."""
        return vaddr != 0 and vaddr < self.user_top and size <= self.user_top - vaddr

    def kernel_view(self, buffer: object, size: int, write: bool) -> Any:
        """The kernel's side of a copy as a view of `size` bytes.

        Raises InvalidPointerError for a kernel address that is not mapped RAM or a buffer that is too
        small, TypeError for what is neither.
        """
        if isinstance(buffer, int):
            start = as_u64(buffer)
            paddr = (start - self.words[SB_KERNEL_BASE]) & ALL_ONES
            limit = min(self.words[SB_LOWMEM] << 12, self.ram.size)
            if paddr >= limit or size > limit - paddr:
                raise InvalidPointerError(f"{size} bytes at {start:#x} are not mapped kernel memory", start)
            return memoryview(self.ram.mapping)[paddr : paddr + size]
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if write and view.readonly:
            raise TypeError("a writable buffer is needed")
        if size > len(view):
            raise InvalidPointerError(f"a copy of {size} bytes does not fit a buffer of {len(view)}")
        return view[:size]

    # --- the document's calls ---

    def copy_from_user(self, to: object, source: int, n: int) -> int:
        """Copy `n` bytes from user address `source` to `to`: 0, or -EFAULT and nothing was copied."""
        vaddr = as_u64(source)
        size = as_u64(n)
        if size == 0:
            return 0
        if not self._is_user(vaddr, size):
            return -EFAULT
        view = self._view_or_none(to, size, True, vaddr)
        return 0 if view is not None and self.load(vaddr, view) else -EFAULT

    def copy_to_user(self, to: int, source: object, n: int) -> int:
        """Copy `n` bytes from `source` to user address `to`: 0, or -EFAULT and nothing was copied."""
        vaddr = as_u64(to)
        size = as_u64(n)
        if size == 0:
            return 0
        if not self._is_user(vaddr, size):
            return -EFAULT
        view = self._view_or_none(source, size, False, vaddr)
        return 0 if view is not None and self.store(vaddr, view) else -EFAULT

    def _view_or_none(self, buffer: object, size: int, write: bool, vaddr: int) -> Any:
        """`kernel_view`; where both sides are wrong it is the user's fault, and there is None."""
        try:
            return self.kernel_view(buffer, size, write)
        except InvalidPointerError:
            if self.validate_user_pointer(vaddr, size, not write):
                raise
            return None

    def strncpy_from_user(self, to: object, source: int, n: int) -> int:
        """Copy a string of at most `n` bytes; returns its length without the NUL, which is copied if it fits.

        `n`, and no NUL is written, if there is none in `n` bytes; -EFAULT if the fault comes before both.
        """
        vaddr = as_u64(source)
        size = as_u64(n)
        length = self._length(vaddr, size)
        if length < 0 or size == 0:
            return length
        copied = length + 1 if length < size else length
        return length if self.load(vaddr, self.kernel_view(to, copied, True)) else -EFAULT

    def strnlen_user(self, string: int, max_len: int) -> int:
        """The length of a user string without its NUL, at most `max_len`; -EFAULT if a fault comes first."""
        vaddr = as_u64(string)
        return self._length(vaddr, as_u64(max_len))

    def _length(self, vaddr: int, most: int) -> int:
        """Bytes before the first NUL, at most `most`, or -EFAULT."""
        if most == 0:
            return 0
        if not self._is_user(vaddr, 1):
            return -EFAULT
        limit = min(most, self.user_top - vaddr)
        done = 0
        while done < limit:
            paddr = self.reach(vaddr + done, ACCESS_READ)
            if paddr == ALL_ONES:
                return -EFAULT
            part = min(limit - done, FRAME_SIZE - (paddr & FRAME_MASK))
            found = int(self.ram.mapping.find(b"\0", paddr, paddr + part))
            if found >= 0:
                return done + (found - paddr)
            done += part
        return done if done == most else -EFAULT

    def validate_user_pointer(self, pointer: int, size: int, write: bool) -> bool:
        """Whether a range is user space, mapped, with the right. Changes nothing, not even an accessed bit.

        NULL is never valid; size 0 asks only about the address.
        """
        vaddr = as_u64(pointer)
        length = as_u64(size)
        if not self._is_user(vaddr, length):
            return False
        root = self.mmu.cr3
        space = self.spaces.space_of(root)
        end = vaddr + length
        while vaddr < end:
            record = self.spaces.areas.peek(self.spaces.table(space), vaddr) if space else 0
            if record:
                until = self._allowed_until(record >> 3, write)
                if until <= vaddr:
                    return False
                vaddr = until
            elif self._is_mapped(root, vaddr, write):
                vaddr = (vaddr | FRAME_MASK) + 1
            else:
                return False
        return True

    def _allowed_until(self, area: int, write: bool) -> int:
        """Where an access to an area stops being possible: its end, the end of its file, its start for no right."""
        flags = self.words[area + A_FLAGS]
        start = self.words[area + A_START]
        if not flags & (RIGHT_WRITE if write else RIGHTS):
            return start
        end = self.words[area + A_END]
        file = self.words[area + A_FILE]
        if file:
            pages_end = (self.words[(file >> 3) + F_SIZE] + FRAME_MASK) & ~FRAME_MASK
            offset = self.words[area + A_OFFSET]
            size = pages_end - offset if pages_end > offset else 0
            end = min(end, start + size)
        return end

    def _is_mapped(self, root: int, vaddr: int, write: bool) -> bool:
        """Whether a present entry, of a page without an area, allows the access."""
        entry = self.spaces.tables.entry(root, vaddr)
        if not entry & PAGE_PRESENT or not entry & PAGE_USER:
            return False
        return not write or entry & (PAGE_WRITABLE | PAGE_COW) != 0

    def validate_user_buffer(self, pointer: int, size: int, write: bool) -> bool:
        """As `validate_user_pointer`, and every page is made present, so that the access cannot fault.

        A range that turns out not to be valid may have had pages made present before that.
        """
        vaddr = as_u64(pointer)
        length = as_u64(size)
        if not self._is_user(vaddr, length):
            return False
        return self.reach_all(vaddr, length, ACCESS_WRITE if write else ACCESS_READ)
