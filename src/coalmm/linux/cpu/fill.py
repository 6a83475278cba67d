"""The MMU of the emulated CPU: answers a miss of the emulator's TLB from our page tables.

    miss --> page walk --> present, right given --> the frame, and what it may be used for
                 |
                 +-- fault --> fault handler --> walk again
                                   |
                                   +-- error: the instruction ends before it has changed anything

What is granted is less than what the tables allow, where the emulator would hide something from us:
- a write only when the dirty bit is set (it is, after a walk for a write);
- execution only for a fetch, or where code is known to be; data pages stay quick to store to;
- a frame is written at one address or run at others, never both: what was granted goes first (the emulator
  keeps translated code at hand by its address, and forgets that only with a flush). So the first fetch after
  a store, or after the kernel changed the frame, comes here, and sees whether the code is still the same.
A page that may be both written and run, at its one address, gets both rights: then the emulator watches it, and
a store into the very block that runs takes effect with the next instruction, as on the hardware.

Nothing here calls the emulator. What must be forgotten first (a stale translation, a right that was
granted) makes the answer a failure with an `outcome` that says what to do; the CPU is then exactly before
the instruction, and goes on when it is done.
"""

import mmap

import cython

from coalmm.hardware.mmu import Mmu
from coalmm.linux.cpu.code import CodeFrames
from coalmm.typed import Callable
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
        FAULT,
        FLUSH,
        PROT_EXECUTE,
        PROT_READ,
        PROT_WRITE,
        SEVERAL,
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
        frames = mmu.ram.size >> FRAME_SHIFT
        # In which epoch (time between two flushes) a right to a frame was granted last, and at which address.
        self.written = memoryview(mmap.mmap(-1, frames * 4)).cast("I")
        self.executed = memoryview(mmap.mmap(-1, frames * 4)).cast("I")
        self.written_at = memoryview(mmap.mmap(-1, frames * 8)).cast("Q")
        self.executed_at = memoryview(mmap.mmap(-1, frames * 8)).cast("Q")
        self.epoch = 1
        self.seen = mmu.generation
        self.window = 0  # the frame that is seen behind the CPU's own page, 0 for none
        self.paddr = self.outcome = self.stale = self.misses = self.flushes = 0
        self.fault_address = self.fault_access = self.fault_error = self.fault_code = 0
        self.error: BaseException | None = None
        self.on_fault: Callable[[int, int, int], object] | None = None

    def answer(self, vaddr: int, access: int) -> int:
        """What the page at `vaddr` may be used for (PROT_*), its frame in `paddr`; 0 and an `outcome` otherwise.

        The outcome stays: after a failure the emulator asks for the page where it is to stop.
        """
        self.misses += 1
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
        return self._grant(paddr >> FRAME_SHIFT, vaddr, access)

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

    def _grant(self, pfn: int, vaddr: int, access: int) -> int:
        """The rights that the TLB may have for a frame that the walk allowed `access` to."""
        if access == ACCESS_EXECUTE:
            return self._grant_code(pfn, vaddr)
        if access == ACCESS_WRITE:
            return self._grant_write(pfn, vaddr)
        if not self.code.has(pfn):
            return self._grant_data(pfn, vaddr)
        is_written = self.written[pfn] == self.epoch and self.written_at[pfn] != vaddr
        if is_written or not self.walker.allowed & USER_FETCH or self.code.is_stale(pfn):
            return PROT_READ
        return self._both(pfn, vaddr)

    def _grant_data(self, pfn: int, vaddr: int) -> int:
        """A read of a frame without code: writing too, if it is dirty already."""
        if self.walker.allowed & USER_WRITE and self.walker.entry & PAGE_DIRTY:
            self._note(self.written, self.written_at, pfn, vaddr)
            return PROT_READ | PROT_WRITE
        return PROT_READ

    def _grant_write(self, pfn: int, vaddr: int) -> int:
        """Writing to a frame: nobody may run its code at another address."""
        is_code = self.code.has(pfn) and self.walker.allowed & USER_FETCH
        if self.executed[pfn] == self.epoch and not (is_code and self.executed_at[pfn] == vaddr):
            self.outcome = FLUSH
            return 0
        if is_code:
            return self._both(pfn, vaddr)
        self._note(self.written, self.written_at, pfn, vaddr)
        return PROT_READ | PROT_WRITE

    def _grant_code(self, pfn: int, vaddr: int) -> int:
        """Execution of a frame: its translation is right, and nobody may write it at another address."""
        if self.written[pfn] == self.epoch and self.written_at[pfn] != vaddr:
            self.outcome = FLUSH
            return 0
        if not self.code.has(pfn):
            self.code.keep(pfn)
        elif self.code.is_stale(pfn):
            self.outcome = STALE
            self.stale = pfn
            return 0
        return self._both(pfn, vaddr)

    def _both(self, pfn: int, vaddr: int) -> int:
        """Execution of a frame, and writing where it may be both: then the emulator watches the stores."""
        self._note(self.executed, self.executed_at, pfn, vaddr)
        if self.walker.allowed & USER_WRITE and self.walker.entry & PAGE_DIRTY:
            self._note(self.written, self.written_at, pfn, vaddr)
            return PROT_READ | PROT_WRITE | PROT_EXECUTE
        return PROT_READ | PROT_EXECUTE

    def _note(self, epochs: memoryview, addresses: memoryview, pfn: int, vaddr: int) -> None:
        """Remember that a right was granted at an address; two of them are SEVERAL."""
        addresses[pfn] = vaddr if epochs[pfn] != self.epoch or addresses[pfn] == vaddr else SEVERAL
        epochs[pfn] = self.epoch

    def flushed(self) -> None:
        """The emulator's TLB is empty."""
        self.seen = self.mmu.generation
        self.flushes += 1
        self.epoch += 1
        if self.epoch >> 32:
            self.epoch = 1
            for pfn in range(len(self.written)):
                self.written[pfn] = self.executed[pfn] = 0

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
