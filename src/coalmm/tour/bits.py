"""Words and entries as text: which bits they have, and which of them changed."""

from rich.text import Text

from coalmm.hardware.constants import (
    FAULT_FETCH,
    FAULT_PRESENT,
    FAULT_RESERVED,
    FAULT_USER,
    FAULT_WRITE,
    PAGE_HUGE,
    PAGE_PRESENT,
)
from coalmm.hardware.formats import BIT_NAMES, EntryFormat

NEW = "bold black on green"
GONE = "bold black on yellow"
FAULT_NAMES = {FAULT_PRESENT: "P", FAULT_WRITE: "W", FAULT_USER: "U", FAULT_RESERVED: "RSVD", FAULT_FETCH: "I/D"}
WORD_BITS = 64


def word_in_binary(before: int, after: int) -> Text:
    """A 64-bit word before and after in binary, the changed bits highlighted and marked with ^."""
    text = Text()
    marks = ""
    for label, value in (("before  ", before), ("after   ", after)):
        text.append(label, "dim")
        for bit in reversed(range(WORD_BITS)):
            changed = (before ^ after) >> bit & 1
            style = "dim" if not changed else NEW if label == "after   " else GONE
            text.append(str(value >> bit & 1), style)
            if bit and bit % 8 == 0:
                text.append(" ")
        text.append("\n")
    for bit in reversed(range(WORD_BITS)):
        marks += ("^" if (before ^ after) >> bit & 1 else " ") + (" " if bit and bit % 8 == 0 else "")
    return text.append("        " + marks.rstrip())


def bit_names(form: EntryFormat, entry: int, level: int) -> list[str]:
    """The names of the bits that an entry has, the manual's order."""
    names = []
    for bit, name in BIT_NAMES.items():
        if entry & bit:
            small = bit == PAGE_HUGE and level == len(form.levels) - 1
            names.append("PAT" if small else name)
    return names


def entry_text(form: EntryFormat, entry: int, level: int, before: int | None = None) -> Text:
    """An entry: hex, what it points at, its bits by name; with `before`, which of them came and went."""
    digits = 2 * form.entry_size
    text = Text(f"{entry:#0{digits + 2}x}  ")
    if not entry & PAGE_PRESENT:
        text.append("not present", "red")
    else:
        leaf = form.is_leaf(entry, level)
        target = form.leaf_address(entry, level) if leaf else entry & form.address_mask
        text.append(f"-> {'page' if leaf else 'table'} at {target:#x}  ", "bold")
        text.append(" ".join(bit_names(form, entry, level)), "green")
        reserved = form.reserved_bits(entry, level)
        if reserved:
            text.append(f"  reserved bits {reserved:#x}", "bold red")
    if before is not None and before != entry:
        old, new = bit_names(form, before, level), bit_names(form, entry, level)
        for name in new:
            if name not in old:
                text.append("  ").append(f"+{name}", NEW)
        for name in old:
            if name not in new:
                text.append("  ").append(f"-{name}", GONE)
    return text


def fault_text(code: int) -> str:
    """A page-fault error code with its bits named (Intel SDM 3A 4.7)."""
    names = " ".join(name for bit, name in FAULT_NAMES.items() if code & bit)
    missing = "protection" if code & FAULT_PRESENT else "not present"
    return f"{code:#x} ({names + ', ' if names else ''}{missing})"
