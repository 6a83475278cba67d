"""A machine with memory for processes, put together layer by layer."""

from coalmm.hardware.formats import FORMATS
from coalmm.hardware.mmu import Mmu
from coalmm.hardware.ram import Ram
from coalmm.heap.buddy import Buddy
from coalmm.heap.kmalloc import Kmalloc
from coalmm.heap.slab import Slabs
from coalmm.heap.tracking import Tracking
from coalmm.physical.constants import SB_KERNEL_DIRECTORY
from coalmm.physical.frames import Frames
from coalmm.physical.superblock import format_ram
from coalmm.process.processes import Processes
from coalmm.virtual.address_space import AddressSpaces
from coalmm.virtual.areas import Areas
from coalmm.virtual.faults import Faults
from coalmm.virtual.files import Files
from coalmm.virtual.mappings import Mappings
from coalmm.virtual.page_cache import PageCache
from coalmm.virtual.page_tables import PageTables
from coalmm.virtual.user_access import UserAccess


class Machine:
    """Everything from RAM to processes. `attach` gives a second machine over the same RAM."""

    def __init__(self, size=16 << 20, paging="i386", ram=None):
        form = FORMATS[paging]
        self.ram = ram or Ram(size)
        words = self.ram.words
        if ram is None:
            format_ram(self.ram, [(0, size)], size)
        self.mmu = Mmu(self.ram, form)
        self.frames = Frames(self.ram)
        self.injection = self.frames.injection
        self.tables = PageTables(self.frames, self.mmu)
        if ram is None:
            self.tables.initialise()
        self.tables.switch(words[SB_KERNEL_DIRECTORY])
        tracking = Tracking(self.frames)
        self.buddy = Buddy(self.frames, tracking)
        self.slabs = Slabs(self.buddy, tracking)
        if ram is None:
            self.buddy.initialise(form.kernel_base + self.frames.allocate_run(16, 16), 16 << 12)
            self.slabs.format()
        self.heap = Kmalloc(self.slabs)
        if ram is None:
            self.heap.format()
        self.cache = PageCache(self.ram, self.frames)
        self.files = Files(self.ram, self.frames, self.slabs, self.heap, self.cache)
        self.areas = Areas(self.ram, self.heap, self.files)
        self.spaces = AddressSpaces(self.ram, form, self.frames, self.areas, self.files, self.tables, self.slabs)
        self.faults = Faults(self.spaces, self.mmu)
        self.mappings = Mappings(self.spaces, self.faults)
        self.user = UserAccess(self.faults, self.mmu, form.user_top)
        self.processes = Processes(self.spaces, self.mappings, self.user, self.tables, self.heap, self.slabs)
        if ram is None:
            self.warm_up()

    def warm_up(self):
        """Make the slab caches and what else stays, so that a ledger of frames starts level."""
        process = self.processes.create("first")
        file = self.files.create_memory(4096)
        self.files.release(file)
        process.exit()
        self.settle()
        self.free = self.count_free()

    def count_free(self):
        """Frames that nobody uses: those that the buddy heap keeps for later, too."""
        return self.frames.statistics().free + self.buddy.statistics().free_bytes // 4096

    def settle(self):
        """Give back all that is only kept for later."""
        self.files.drop_unused()
        self.slabs.shrink()

    def ledger(self):
        """End every process and give back what is kept: the frames that did not come back."""
        for pid in self.processes.pids():
            if self.processes.record(pid):
                self.processes.exit(pid)
        for pid in self.processes.pids():
            self.processes.wait(0, pid)
        self.settle()
        self.validate()
        return self.free - self.count_free()

    def validate(self):
        self.frames.validate()
        self.processes.validate()
        self.files.validate()
        self.tables.validate()
