"""What this layer needs of a machine: any object with these views of one RAM."""

from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.mmu import Mmu
from coalmm.hardware.ram import Ram
from coalmm.heap.buddy import Buddy
from coalmm.heap.kmalloc import Kmalloc
from coalmm.heap.slab import Slabs
from coalmm.heap.tracking import Tracking
from coalmm.physical.frames import Frames
from coalmm.physical.injection import Injection
from coalmm.process.processes import Processes
from coalmm.typed import Protocol
from coalmm.virtual.files import Files
from coalmm.virtual.page_tables import PageTables


class Machine(Protocol):
    """A booted machine, as `Kernel` is one."""

    @property
    def ram(self) -> Ram: ...
    @property
    def format(self) -> EntryFormat: ...
    @property
    def mmu(self) -> Mmu: ...
    @property
    def frames(self) -> Frames: ...
    @property
    def injection(self) -> Injection: ...
    @property
    def tracking(self) -> Tracking: ...
    @property
    def buddy(self) -> Buddy: ...
    @property
    def slabs(self) -> Slabs: ...
    @property
    def heap(self) -> Kmalloc: ...
    @property
    def page_tables(self) -> PageTables: ...
    @property
    def files(self) -> Files: ...
    @property
    def processes(self) -> Processes: ...
