"""Page tables written by hand into a RAM, for tests: the format is the only thing it knows."""

from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.ram import Ram

PRESENT, WRITABLE, USER, HUGE = 1, 2, 4, 0x80


class TableBuilder:
    """Takes a frame at a time from `start` on; `root` is the first of them."""

    def __init__(self, ram: Ram, form: EntryFormat, start: int = 0x10000) -> None:
        self.ram, self.form, self.next = ram, form, start
        self.root = self.new_table()

    def new_table(self) -> int:
        self.next += 0x1000
        return self.next - 0x1000

    def read(self, table: int, index: int) -> int:
        return int.from_bytes(
            self.ram.read(table + index * self.form.entry_size, self.form.entry_size), "little"
        )

    def write(self, table: int, index: int, entry: int) -> None:
        self.ram.write(table + index * self.form.entry_size, entry.to_bytes(self.form.entry_size, "little"))

    def table(self, vaddr: int, level: int, bits: int = PRESENT | WRITABLE | USER) -> int:
        """The table of that level on the way to `vaddr`, made with those bits where it is missing."""
        table = self.root
        for above in self.form.levels[:level]:
            entry = self.read(table, above.index(vaddr))
            if not entry & PRESENT:
                entry = self.new_table() | (bits if above.has_rights else PRESENT)
                self.write(table, above.index(vaddr), entry)
            table = entry & self.form.address_mask
        return table

    def map(self, vaddr: int, entry: int, level: int = -1) -> int:
        """Put a leaf entry for `vaddr` in a table of that level (the last); where the entry is."""
        level %= len(self.form.levels)
        table = self.table(vaddr, level)
        index = self.form.levels[level].index(vaddr)
        self.write(table, index, entry)
        return table + index * self.form.entry_size
