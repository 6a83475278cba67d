"""Strings in user space."""

from coalmm.check.directed.caller import Caller
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.pattern import TEXT
from coalmm.check.result import ADVICE

COPY = "strncpy_from_user: @param n Maximum bytes to copy; @return Number of bytes copied or negative error"
LENGTH = "strnlen_user: @param max_len Maximum length to check; @return String length or negative error"
NEEDS = ("paging_map_page", "frame_alloc", "copy_to_user")


def put(t: Caller, vaddr: int, text: bytes) -> None:
    """Write bytes into user memory."""
    result = t.copy_to_user(vaddr, t.text(text), len(text))
    t.equal(result, 0, "for mapped pages")
    for _, page, offset, length in t.recording.model.paging.pages(vaddr, len(text)):
        assert page is not None
        page.content.write(offset, text[:length])
        text = text[length:]


def put_long(t: Caller, vaddr: int, length: int) -> None:
    """Write a string of some length, with its NUL."""
    where = t.buffer(length + 1, TEXT + 7)
    t.equal(t.copy_to_user(vaddr, where, length + 1), 0, "for mapped pages")
    put(t, vaddr + length, b"\0")


def strings(t: Caller) -> None:
    """Two pages with strings: one over their border, one that ends with the last byte."""
    t.directory()
    t.map(0)
    t.map(1)
    put(t, t.user(0), b"x" * 100 + b"hello\0")
    put(t, t.user(0, 4080), b"q" * 13 + b"border\0")
    put(t, t.user(1, 4000), b"y" * 90 + b"last.\0")


PLACES = ((100, 5), (105, 0), (4093, 6), (PAGE + 4090, 5))


@check("strncpy_from_user", COPY, *NEEDS, rows="B249 B252 B258")
def strings_are_copied_to_their_nul(t: Caller) -> None:
    """Strings are copied whole, over page borders and up to the last mapped byte; the length is the same kind always"""
    strings(t)
    for offset, _ in PLACES:
        for size in (50, 5000):
            t.strncpy_from_user(t.buffer(size), t.user(0, offset), size)
            t.bytes_at(t.buffer(size), size)


@check("strncpy_from_user", COPY, *NEEDS, rows="B258")
def long_strings_are_copied(t: Caller) -> None:
    """Strings longer than a page are copied whole"""
    t.directory()
    for page in range(4):
        t.map(page)
    for offset, length in ((0, 4095), (0, 4096), (1, 4096), (100, 9000), (4095, 4097)):
        put_long(t, t.user(0, offset), length)
        t.strncpy_from_user(t.buffer(12_000), t.user(0, offset), 12_000)
        t.bytes_at(t.buffer(12_000), 12_000)
        for cut in (10, 4096, length):
            t.strncpy_from_user(t.buffer(cut), t.user(0, offset), cut)


@check("strnlen_user", LENGTH, *NEEDS, rows="B264")
def long_strings_are_measured(t: Caller) -> None:
    """Strings longer than a page have their length"""
    t.directory()
    for page in range(4):
        t.map(page)
    for offset, length in ((0, 4095), (0, 4096), (1, 4096), (100, 9000), (4095, 4097)):
        put_long(t, t.user(0, offset), length)
        t.strnlen_user(t.user(0, offset), 12_000)
        t.strnlen_user(t.user(0, offset), length)


@check("strncpy_from_user", COPY, *NEEDS, rows="B250 B255")
def a_long_string_is_cut(t: Caller) -> None:
    """Of a string longer than n, no more than n bytes are written, and the result says so"""
    strings(t)
    for offset, size in ((0, 10), (0, 100), (4090, 5), (4093, 4)):
        t.buffer(size + 16, 9)
        result = t.strncpy_from_user(t.buffer(size), t.user(0, offset), size)
        t.require(size - 1 <= result <= size, f"it returned {int(result)} for n = {size}", f"{result.c} <= {size}")
        t.intact(t.buffer(size + 16), 16, 9)


@check("strncpy_from_user", COPY, *NEEDS, rows="B248")
def a_string_without_an_end_fails(t: Caller) -> None:
    """A string that runs into a page that is not mapped is a negative error"""
    t.directory()
    t.map(0)
    t.write(t.user(0), PAGE, TEXT + 3)
    t.negative(t.strncpy_from_user(t.buffer(5000), t.user(0, 4000), 5000), "for a string that runs into a hole")


@check("strncpy_from_user", COPY, rows="B253")
def no_string_at_null(t: Caller) -> None:
    """A string at NULL is a negative error"""
    t.directory()
    t.negative(t.strncpy_from_user(t.buffer(10), 0, 10), "for NULL")


@check("strncpy_from_user", COPY, *NEEDS, rows="B257", level=ADVICE)
def any_maximum_will_do(t: Caller) -> None:
    """A short string is copied with n = SIZE_MAX"""
    strings(t)
    result = t.strncpy_from_user(t.buffer(200), t.user(0, 100), t.size_max)
    t.require(result in (5, 6), f"it returned {int(result)} for \"hello\"", f"{result.c} == 5 || {result.c} == 6")


@check("strncpy_from_user", COPY, *NEEDS, rows="B259", level=ADVICE)
def the_nul_is_not_counted(t: Caller) -> None:
    """strncpy_from_user of "hello" is 5"""
    strings(t)
    t.equal(t.strncpy_from_user(t.buffer(50), t.user(0, 100), 50), 5, 'for "hello"')


@check("strnlen_user", LENGTH, *NEEDS, rows="B264")
def strings_are_measured(t: Caller) -> None:
    """Lengths are right over page borders and up to the last mapped byte, and of the same kind always"""
    strings(t)
    for offset, _ in PLACES:
        for size in (50, 5000):
            t.strnlen_user(t.user(0, offset), size)


@check("strnlen_user", LENGTH, *NEEDS, rows="B267", level=ADVICE)
def the_length_is_without_the_nul(t: Caller) -> None:
    """strnlen_user of "hello" is 5"""
    strings(t)
    t.equal(t.strnlen_user(t.user(0, 100), 50), 5, 'for "hello"')


@check("strnlen_user", LENGTH, *NEEDS, rows="B261 B263")
def a_string_in_a_hole_has_no_length(t: Caller) -> None:
    """NULL, an unmapped page, and a string that runs into one are negative errors"""
    t.directory()
    t.map(0)
    t.write(t.user(0), PAGE, TEXT + 3)
    for vaddr, what in ((0, "for NULL"), (t.user(0, 4000), "for a string that runs into a hole")):
        t.negative(t.strnlen_user(vaddr, 5000), what)


@check("strnlen_user", LENGTH, *NEEDS, rows="B260", level=ADVICE)
def no_nul_is_the_maximum(t: Caller) -> None:
    """Without a NUL in max_len bytes it is max_len"""
    strings(t)
    t.equal(t.strnlen_user(t.user(0), 20), 20, "for a string that is longer")
