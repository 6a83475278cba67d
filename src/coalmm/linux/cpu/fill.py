"""The MMU of the emulated CPU: answers a miss of the emulator's TLB from our page tables.

    miss --> page walk --> present, right given --> the frame, and what it may be used for
                 |
                 +-- fault --> fault handler --> walk again
                                   |
                                   +-- error: the instruction ends before it has changed anything

What is granted is less than what the tables allow, where the emulator would hide something from us:
- a write only when the dirty bit is set (it is, after a walk for a write);
- execution only for a fetch, and only while nobody may write the frame through the TLB; so a store
  into code comes here first, and so does the first fetch after it.

Nothing here calls the emulator. What must be forgotten first (a stale translation, a right that was
granted) makes the answer a failure with an `outcome` that says what to do; the CPU is then exactly before
the instruction, and goes on when it is done.
"""

from collections.abc import Callable

import cython

from coalmm.hardware.mmu import Mmu
from coalmm.linux.cpu.code import CodeFrames
from coalmm.virtual.faults import Faults

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES
    from coalmm.hardware.constants import (
        ACCESS_EXECUTE,
        ACCESS_READ,
        ACCESS_WRITE,
        FRAME_MASK,
        FRAME_SHIFT,
        FRAME_SIZE,
        PAGE_DIRTY,
    )
    from coalmm.linux.cpu.constants import (
        CODE_WRITE,
        FAULT,
        FLUSH,
        NOTHING,
        PROT_EXECUTE,
        PROT_READ,
        PROT_WRITE,
        STALE,
        USER_FETCH,
        USER_WRITE,
    )


class Fill:
    """Answers for one machine's current directory. `page` is the frame of the CPU itself, at `page_address`."""

    def __init__(self, mmu: Mmu, faults: Faults, page: int) -> None:
        self.mmu = mmu
        self.walker = mmu.walker
        self.faults = faults
        self.ram = mmu.ram
        self.kernel_base = mmu.form.kernel_base
        self.page = page
        self.page_address = self.kernel_base + (page << FRAME_SHIFT)
        self.code = CodeFrames(mmu.ram)
        self.written = memoryview(bytearray((mmu.ram.size >> FRAME_SHIFT) * 4)).cast("I")
        self.epoch = 1
        self.seen = mmu.generation
        self.window = 0  # the frame that is seen behind the CPU's own page, 0 for none
        self.storing = 0  # the frame whose code one instruction may write to
        self.paddr = self.outcome = self.stale = self.misses = self.flushes = 0
        self.fault_address = self.fault_access = self.fault_error = self.fault_code = 0
        self.error: BaseException | None = None
        self.on_fault: Callable[[int, int, int], object] | None = None

    def answer(self, vaddr: int, access: int) -> int:
        """What the page at `vaddr` may be used for (PROT_*), its frame in `paddr`; 0 and an `outcome` otherwise."""
        self.misses += 1
        self.outcome = NOTHING
        if vaddr >= self.kernel_base:
            return self._own_page(vaddr, access)
        paddr = self.walker.access(self.mmu.cr3, vaddr, access, True, True)
        if paddr == ALL_ONES:
            if not self._resolve(vaddr, access):
                return 0
            paddr = self.walker.access(self.mmu.cr3, vaddr, access, True, True)
        if paddr == ALL_ONES or paddr >= self.ram.size:
            return self._fault(vaddr, access, -14)
        self.paddr = paddr - (paddr & FRAME_MASK)
        return self._grant(paddr >> FRAME_SHIFT, access)

    def _resolve(self, vaddr: int, access: int) -> bool:
        """Have the fault handler bring the page; False if it cannot, or if the TLB must be flushed first."""
        code = self.walker.fault_code
        before = self.mmu.generation
        error = self.faults.resolve(self.mmu.cr3, vaddr, access, True)
        if self.on_fault is not None:
            self.on_fault(vaddr, access, error)
        if error != 0:
            self.fault_code = code
            self._fault(vaddr, access, error)
            return False
        if self.mmu.generation - before <= 1 and self.seen == before:
            self.seen = self.mmu.generation  # at most this page's translation, which the answer replaces
        elif self.seen != self.mmu.generation:
            self.outcome = FLUSH
            return False
        return True

    def _fault(self, vaddr: int, access: int, error: int) -> int:
        """Keep what the program will be told."""
        self.outcome = FAULT
        self.fault_address = vaddr
        self.fault_access = access
        self.fault_error = error
        return 0

    def _own_page(self, vaddr: int, access: int) -> int:
        """The CPU's own page (where emulation stops, descriptors), and the window behind it."""
        if vaddr == self.page_address and access != ACCESS_WRITE:
            self.paddr = self.page << FRAME_SHIFT
            return PROT_READ | PROT_EXECUTE
        if self.window and vaddr == self.page_address + FRAME_SIZE:
            self.paddr = self.window << FRAME_SHIFT
            return PROT_READ | PROT_EXECUTE
        self.fault_code = 5
        return self._fault(vaddr, access, -14)

    def _grant(self, pfn: int, access: int) -> int:
        """The rights that the TLB may have for a frame that the walk allowed `access` to."""
        if access == ACCESS_EXECUTE:
            return self._grant_code(pfn)
        if access == ACCESS_WRITE:
            if self.code.has(pfn) and pfn != self.storing:
                self.outcome = CODE_WRITE
                self.stale = pfn
                return 0
            self.written[pfn] = self.epoch
            return PROT_READ | PROT_WRITE
        if self.code.has(pfn):
            if self.walker.allowed & USER_FETCH and self.written[pfn] != self.epoch and not self.code.is_stale(pfn):
                return PROT_READ | PROT_EXECUTE
            return PROT_READ
        if self.walker.allowed & USER_WRITE and self.walker.entry & PAGE_DIRTY:
            self.written[pfn] = self.epoch
            return PROT_READ | PROT_WRITE
        return PROT_READ

    def _grant_code(self, pfn: int) -> int:
        """Execution of a frame: its translation is right, and nobody has the right to write it."""
        if self.written[pfn] == self.epoch:
            self.outcome = FLUSH
            return 0
        if not self.code.has(pfn):
            self.code.keep(pfn)
        elif self.code.is_stale(pfn):
            self.outcome = STALE
            self.stale = pfn
            return 0
        return PROT_READ | PROT_EXECUTE

    def flushed(self) -> None:
        """The emulator's TLB is empty."""
        self.seen = self.mmu.generation
        self.flushes += 1
        self.epoch += 1
        if self.epoch >> 32:
            self.epoch = 1
            for pfn in range(len(self.written)):
                self.written[pfn] = 0

    def is_behind(self) -> bool:
        """Whether translations were invalidated since the emulator's TLB was flushed."""
        return self.seen != self.mmu.generation

    def wrote(self, vaddr: int, size: int) -> bool:
        """Whether the kernel, writing at `vaddr`, may have changed code that the TLB lets run."""
        done = 0
        while done < size:
            paddr = self.mmu.translate(vaddr + done, ACCESS_READ, True)
            if paddr == ALL_ONES:
                return False
            if paddr < self.ram.size and self.code.has(paddr >> FRAME_SHIFT):
                return True
            done += FRAME_SIZE - ((vaddr + done) & FRAME_MASK)
        return False
