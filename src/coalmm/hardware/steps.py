"""A page walk step by step, to be shown: which entry of which table, and why it ends there.

Reads only. `Walker` does the same fast; the tests compare the two.
"""

from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import PAGE_PRESENT
from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.ram import Ram
from coalmm.typed import NamedTuple


class Step(NamedTuple):
    """One entry read. `table` and `entry_paddr` are physical addresses in bytes."""

    name: str  # of the level: "PML4E"
    level: int  # its index in the format's levels
    table: int
    index: int  # type: ignore[assignment] # not what a tuple's is
    entry_paddr: int
    entry: int
    text: str  # the entry in words

    def __repr__(self) -> str:
        return f"<{self.text}; entry {self.index} at {self.entry_paddr:#x}>"


class Walk(NamedTuple):
    """What a walk met. `paddr` is the translation, or 0 and then `reason` says why there is none."""

    root: int
    vaddr: int
    steps: tuple[Step, ...]
    paddr: int
    page_size: int
    reason: str

    def __repr__(self) -> str:
        end = self.reason or f"{self.paddr:#x}"
        return f"<walk of {self.vaddr:#x} from the root {self.root:#x}, {len(self.steps)} entries: {end}>"

    def __str__(self) -> str:
        lines = [f"{self.vaddr:#x} from the root {self.root:#x}"]
        lines += [f"  [{step.index:4}] at {step.entry_paddr:#x}  {step.text}" for step in self.steps]
        lines.append(f"  -> {self.reason}" if self.reason else f"  -> {self.paddr:#x}")
        return "\n".join(lines)


def walk_steps(ram: Ram, form: EntryFormat, root: int, vaddr: int, nx: bool = True) -> Walk:
    """Walk the tables of `root` for `vaddr` and keep every step."""
    steps: list[Step] = []
    if not form.is_canonical(vaddr):
        return Walk(root, vaddr, (), 0, 0, "the address is not canonical")
    table = root & form.root_mask
    for number, level in enumerate(form.levels):
        index = level.index(vaddr)
        where = table + index * form.entry_size
        if where + form.entry_size > ram.size:
            return Walk(root, vaddr, tuple(steps), 0, 0, f"the table at {table:#x} is outside RAM")
        entry = int.from_bytes(ram.read(where, form.entry_size), "little")
        steps.append(Step(level.name, number, table, index, where, entry, form.describe_entry(entry, number)))
        reason = _refusal(form, entry, number, nx)
        if reason:
            return Walk(root, vaddr, tuple(steps), 0, 0, reason)
        if form.is_leaf(entry, number):
            paddr = form.leaf_address(entry, number) | vaddr & level.size - 1
            return Walk(root, vaddr, tuple(steps), paddr, level.size, "")
        table = entry & form.address_mask
    raise AssertionError("the last level has only leaves")


def _refusal(form: EntryFormat, entry: int, number: int, nx: bool) -> str:
    """Why the walk cannot go on from an entry, or ''."""
    name = form.levels[number].name
    if not entry & PAGE_PRESENT:
        return f"the {name} is not present"
    reserved = form.reserved_bits(entry, number, nx)
    return f"reserved bits {reserved:#x} are set in the {name}" if reserved & ALL_ONES else ""
