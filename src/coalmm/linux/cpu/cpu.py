"""The CPU of one ABI as tasks see it: registers by name, contexts, segments, thread areas."""

import struct

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.linux.cpu.engine import Engine
from coalmm.linux.cpu.registers import Form
from coalmm.linux.cpu.setup import TLS_COUNT, TLS_FIRST, USER_DATA
from coalmm.typed import Any

NULL = 0


class Cpu:
    """Registers of the task that is running on `engine`."""

    def __init__(self, engine: Engine, form: Form) -> None:
        self.engine = engine
        self.form = form
        self.numbers = form.numbers
        self.abi = form.abi

    def activate(self) -> None:
        """A task of this ABI runs next."""
        if self.engine.form is not self.form:
            self.engine.use(self.form)

    def get(self, name: str) -> int:
        """A general, segment or base register."""
        return self.engine.get(self.numbers[name])

    def put(self, name: str, value: int) -> None:
        """Set a general or base register."""
        self.engine.put(self.numbers[name], value & self.abi.mask)

    @property
    def instruction(self) -> int:
        """The instruction pointer."""
        return self.get(self.abi.instruction)

    @property
    def stack(self) -> int:
        """The stack pointer."""
        return self.get(self.abi.stack)

    def start(self, instruction: int, stack: int) -> None:
        """Registers of a program that begins: all zero but these two."""
        self.activate()
        self.engine.restore(self.engine.user_modes[self.abi.name])
        for name in self.form.general:
            if name != "eflags":
                self.put(name, 0)
        self.put(self.abi.instruction, instruction)
        self.put(self.abi.stack, stack)

    def new_context(self) -> Any:
        """A copy of all registers."""
        return self.engine.new_context()

    # --- 32-bit segments ---

    def load_segment(self, name: str, selector: int) -> None:
        """Load a data segment; one that is not in the table becomes null."""
        tls = {(TLS_FIRST + n) * 8 | 3 for n in range(TLS_COUNT)}
        self.engine.put(self.numbers[name], selector if selector in tls | {USER_DATA} else NULL)

    def set_descriptors(self, descriptors: list[int]) -> None:
        """The three thread-area descriptors of the task that runs next; loaded segments follow."""
        at = (self.engine.fill.page << FRAME_SHIFT) + TLS_FIRST * 8
        self.engine.fill.mmu.ram.write(at, struct.pack(f"<{TLS_COUNT}Q", *descriptors))
        for name in ("fs", "gs"):
            selector = self.get(name)
            if selector:
                self.load_segment(name, selector)
