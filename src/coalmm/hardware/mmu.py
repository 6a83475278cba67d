"""The MMU: CR3, the bits that govern paging, the TLB, and accesses through them.

A translation that the TLB has costs a few ns compiled; another one walks, sets the accessed and
dirty bits and fills the TLB. An access that fails leaves its error code in `fault_code` and the exact
address in `fault_address` (CR2), and changes no memory.
"""

import cython

from coalmm.hardware.formats import EntryFormat

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, as_u64
    from coalmm.hardware.clock import now
    from coalmm.hardware.constants import (
        ACCESS_READ,
        ACCESS_WRITE,
        FAULT_NON_CANONICAL,
        FRAME_MASK,
        FRAME_SIZE,
        PAGE_DIRTY,
        PAGE_GLOBAL,
    )
    from coalmm.hardware.ram import Ram
    from coalmm.hardware.tlb import ENTRY_GLOBAL, Tlb
    from coalmm.hardware.walk import Walker

WRITES = 1 << 1 | 1 << 4  # in the allowed accesses of a TLB entry: writes of the supervisor and the user
FAULT_NAMES = ("P", "W", "U", "RSVD", "I/D")


def fault_text(code: int) -> str:
    """A page-fault error code by the names of its bits (SDM 3A 4.7): "P W U"."""
    if code & FAULT_NON_CANONICAL:
        return "not canonical"
    return " ".join(name for number, name in enumerate(FAULT_NAMES) if code >> number & 1) or "0"


class Mmu:
    """Paging hardware of one CPU over `ram`, in one format, with an empty TLB.

    `generation` counts the invalidations, so that another holder of translations (an emulated CPU)
    knows when to drop its own. One of a single page counts 1, `flush` 2: more than the page that a fault is about.

    `deadline` is when whatever runs is going to be ended (nanoseconds of the monotonic clock; 0: never), as a
    CPU's timer is set.
    """

    def __init__(self, ram: "Ram", form: EntryFormat) -> None:
        self.ram = ram
        self.form = form
        self.walker = Walker(ram, form)
        self.tlb = Tlb(form)
        self.cr3 = self.fault_code = self.fault_address = self.generation = 0
        self.write_protect = self.global_pages = True
        self.nx = self.walker.nx
        self.deadline = 0

    def __repr__(self) -> str:
        nx = ", NX" if self.nx else ""
        fault = f", last fault {fault_text(self.fault_code)} at {self.fault_address:#x}" if self.fault_code else ""
        return f"<Mmu: {self.form.name} paging, CR3 {self.cr3:#x}{nx}{fault}>"

    def set_control(
        self, write_protect: bool | None = None, global_pages: bool | None = None, nx: bool | None = None
    ) -> None:
        """Change CR0.WP, CR4.PGE and EFER.NXE (None: as it was). The TLB is flushed."""
        if write_protect is not None:
            self.write_protect = write_protect
        if global_pages is not None:
            self.global_pages = global_pages
        if nx is not None:
            self.walker.set_nx(nx)
            self.nx = self.walker.nx
        self.flush()

    def set_cr3(self, root: int) -> None:
        """Walk from another root; every translation but the global ones is forgotten."""
        self.cr3 = root
        self.tlb.flush_local()
        self.generation += 1

    def invlpg(self, vaddr: int) -> None:
        """Forget the translation of the page that holds `vaddr`, whatever its size."""
        self.tlb.invalidate(vaddr)
        self.generation += 1

    def flush(self) -> None:
        """Forget every translation, global ones too (as a change of CR4.PGE does)."""
        self.tlb.flush_all()
        self.generation += 2

    def is_late(self) -> bool:
        """Whether the deadline has passed. Long work asks between its parts, and ends: nobody waits for it any more."""
        return self.deadline != 0 and now() >= self.deadline

    def translate(self, vaddr: int, access: int, user: bool) -> int:
        """The physical address for an access (ACCESS_*), through the TLB.

        ALL_ONES if it faults: `fault_code` and `fault_address` say how. A write sets the dirty bit.
        """
        paddr = self.tlb.lookup(vaddr, access + 3 if user else access)
        if paddr != ALL_ONES:
            return paddr
        return self._miss(vaddr, access, user)

    def _miss(self, vaddr: int, access: int, user: bool) -> int:
        """Walk, and remember the translation or the fault."""
        paddr = self.walker.access(self.cr3, vaddr, access, user, self.write_protect)
        if paddr == ALL_ONES:
            self.fault_code = self.walker.fault_code
            self.fault_address = vaddr
            self.tlb.invalidate(vaddr)  # a fault does (SDM 3A 4.10.4.1)
            return ALL_ONES
        bits = self.walker.allowed
        if not self.walker.entry & PAGE_DIRTY:
            bits &= ~WRITES
        if self.global_pages and self.walker.entry & PAGE_GLOBAL:
            bits |= ENTRY_GLOBAL
        self.tlb.insert(vaddr, paddr, self.walker.page_shift, bits)
        return paddr

    def _reachable(self, vaddr: int, size: int, access: int, user: bool) -> bool:
        """Whether every page of a range allows the access; the fault is kept if not."""
        done = 0
        while done < size:
            at = (vaddr + done) & ALL_ONES
            if self.translate(at, access, user) == ALL_ONES:
                return False
            done += FRAME_SIZE - (at & FRAME_MASK)
        return True

    def load(self, vaddr: int, size: int, user: bool = False) -> bytes | None:
        """`size` bytes at `vaddr`, or None after a fault. Physical addresses outside RAM read as 0xFF.

        TypeError or ValueError for what is not an unsigned 64-bit number.
        """
        start = as_u64(vaddr)
        length = as_u64(size)
        if not self._reachable(start, length, ACCESS_READ, user):
            return None
        parts = []
        done = 0
        while done < length:
            paddr = self.translate((start + done) & ALL_ONES, ACCESS_READ, user)
            part = min(length - done, FRAME_SIZE - (paddr & FRAME_MASK))
            parts.append(self.ram.read(paddr, part) if paddr < self.ram.size else b"\xff" * part)
            done += part
        return b"".join(parts)

    def store(self, vaddr: int, data: bytes | bytearray | memoryview, user: bool = False) -> bool:
        """Write `data` to `vaddr`; False after a fault, and then not a byte was written.

        What goes to physical addresses outside RAM is lost, as on a bus where nothing answers.
        """
        start = as_u64(vaddr)
        length = len(data)
        if not self._reachable(start, length, ACCESS_WRITE, user):
            return False
        done = 0
        while done < length:
            paddr = self.translate((start + done) & ALL_ONES, ACCESS_WRITE, user)
            part = min(length - done, FRAME_SIZE - (paddr & FRAME_MASK))
            if paddr < self.ram.size:
                self.ram.write(paddr, data[done : done + part])
            done += part
        return True
