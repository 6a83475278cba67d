"""Memory in the canonical form of `hexdump -C`, by virtual address.

    c0000ff0  01 02 03 04 05 06 07 08  09 0a 0b 0c 0d 0e 0f 10  |................|
    c0001000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
    *
    c0001ff0  41 42 43 44 ?? ?? ?? ??  ?? ?? ?? ?? ?? ?? ?? ??  |ABCD????????????|
    c0002000

`*` stands for lines equal to the one before, `??` for a byte that cannot be read. The last line is the
address behind the dump.
"""

from itertools import islice

from coalmm.errors import InvalidPointerError
from coalmm.hardware.bits import ALL_ONES, as_u64
from coalmm.inspect.machine import Machine
from coalmm.inspect.reader import Reader
from coalmm.typed import Iterator

LINE = 16
MOST_LINES = 4096  # that are printed
MOST_BYTES = 256 << 10  # readable ones that are looked at
MOST_STRETCHES = 4096  # pages and holes that are looked at

UNREADABLE = -1


def dump_text(machine: Machine, address: int, size: int) -> str:
    """The dump of `size` bytes at a virtual address of the current directory; "" for 0 bytes.

    Bounded whatever the size: at most 4096 lines, 256 KiB of memory and 4096 pages or holes are looked at,
    then a last line says how far it came. What lies past the last address is left out. Changes nothing.
    Raises InvalidPointerError for NULL.
    """
    start, length = as_u64(address), as_u64(size)
    if start == 0:
        raise InvalidPointerError("mem_dump of NULL", 0)
    reader = Reader(machine.ram, machine.mmu.walker, machine.mmu.cr3)
    return "".join(line + "\n" for line in dump_lines(reader, start, length))


def dump_lines(reader: Reader, start: int, size: int) -> Iterator[str]:
    """The lines of a dump; `start` and `size` are unsigned 64-bit numbers."""
    if size == 0:
        return
    end = start + min(size, ALL_ONES + 1 - start)
    width = 8 if reader.form.vaddr_bits == 32 else 16
    before: list[int] | None = None
    lines, starred, at = 0, False, start
    for vaddr, cells, repeats in _rows(reader, start, end):
        if lines >= MOST_LINES:
            break
        at = vaddr + LINE * (repeats - 1) + len(cells)
        same = cells == before
        if not same:
            yield f"{vaddr:0{width}x}  {_line(cells)}"
            lines, starred, before = lines + 1, False, cells
        if (same or repeats > 1) and not starred:
            yield "*"
            lines, starred = lines + 1, True
    yield f"{at:0{width}x}"
    if at < end:
        yield f"(stopped after {at - start} of {size} bytes)"


def _rows(reader: Reader, start: int, end: int) -> Iterator[tuple[int, list[int], int]]:
    """(address, up to 16 bytes or UNREADABLE, how many such rows) until `end` or a bound is reached."""
    row: list[int] = []
    row_at, budget = start, MOST_BYTES
    for vaddr, paddr, size in islice(reader.stretches(start, end), MOST_STRETCHES):
        if budget <= 0:
            break
        size = min(size, budget) if paddr >= 0 else size
        done = 0
        if paddr < 0 and size >= LINE:  # a hole: complete the row, then all its whole rows at once
            done = -len(row) % LINE
            row += [UNREADABLE] * done
            if row:
                yield row_at, row, 1
            whole = (size - done) // LINE
            if whole:
                yield vaddr + done, [UNREADABLE] * LINE, whole
            done += whole * LINE
            row, row_at = [], vaddr + done
        while done < size:
            part = min(size - done, LINE - len(row))
            row += reader.read(paddr + done, part) if paddr >= 0 else [UNREADABLE] * part
            done += part
            if len(row) == LINE:
                yield row_at, row, 1
                row, row_at = [], vaddr + done
        budget -= size if paddr >= 0 else 0
    if row:
        yield row_at, row, 1


def _line(cells: list[int]) -> str:
    """The bytes of a row, in hex and as text."""
    pairs = ["??" if cell == UNREADABLE else f"{cell:02x}" for cell in cells] + ["  "] * (LINE - len(cells))
    text = "".join("?" if cell == UNREADABLE else chr(cell) if 0x20 <= cell < 0x7F else "." for cell in cells)
    return f"{' '.join(pairs[:8])}  {' '.join(pairs[8:])}  |{text}|"
