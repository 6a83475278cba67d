"""mem_dump for C: any pointer of the program, in RAM or not."""

from coalmm.c import host
from coalmm.errors import InvalidPointerError
from coalmm.inspect.dump import dump_lines
from coalmm.inspect.machine import Machine
from coalmm.inspect.reader import Reader, Stretch

HOST = 1 << 64  # added to an address of the host, to stand where the reader has a physical address


class HostReader(Reader):
    """Kernel addresses are RAM, others the program's own memory, and what is neither the current directory's."""

    def stretch(self, vaddr: int) -> Stretch:
        """As `Reader.stretch`."""
        if not 0 <= vaddr - self.base < self.low and host.is_readable(vaddr):
            return vaddr, HOST + vaddr, host.PAGE - vaddr % host.PAGE
        return super().stretch(vaddr)

    def read(self, paddr: int, size: int) -> bytes:
        """As `Reader.read`."""
        return host.read(paddr - HOST, size) if paddr >= HOST else super().read(paddr, size)


def host_dump_text(machine: Machine, address: int, size: int) -> str:
    """As `dump_text`, of the C program's address."""
    if address == 0:
        raise InvalidPointerError("mem_dump of NULL", 0)
    reader = HostReader(machine.ram, machine.mmu.walker, machine.mmu.cr3)
    return "".join(line + "\n" for line in dump_lines(reader, address, size))
