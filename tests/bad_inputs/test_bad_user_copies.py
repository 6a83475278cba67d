"""B213 to B267: copy_from_user, copy_to_user, strncpy_from_user, strnlen_user."""

import pytest
from scene import FRAME, SIZE_MAX, USER, every_mode

from coalmm import api
from coalmm.api import EFAULT, PAGE_ACCESSED, PAGE_DIRTY, PAGE_PRESENT, PAGE_WRITABLE
from coalmm.errors import InvalidPointerError
from coalmm.virtual.constants import MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE

FIXED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
ROOM = 4 * FRAME  # readable and writable from USER on; behind it a read-only page, then nothing
READ_ONLY = USER + ROOM
END = READ_ONLY + FRAME


@pytest.fixture
def process(scene):
    """The current process: four pages to write, one to read, a hole."""
    process = scene.kernel.processes.create("user")
    assert process.map(USER, ROOM + FRAME, "rw", FIXED) == USER
    assert process.protect(READ_ONLY, FRAME, "r") == 0
    scene.kernel.processes.switch(process.record)
    yield process
    process.exit()
    scene.works()


def from_user(pointer, size, buffer):
    return api.copy_from_user(buffer, pointer, size)


def to_user(pointer, size, buffer):
    return api.copy_to_user(pointer, buffer, size)


both = pytest.mark.parametrize("copy", [from_user, to_user])


def buffers(scene):
    """A Python buffer, and kernel memory of kmalloc."""
    return bytearray(b"\x5a" * 64), scene.watch(api.kmalloc(64), 64)


def refused(scene, copy, pointer, size, call=None):
    """The copy is -EFAULT with either kind of buffer, and not one byte changed anywhere."""
    for buffer in buffers(scene):
        if call is None:
            assert scene.unchanged(copy, pointer, size, buffer, works=False) == -EFAULT
        else:
            assert call(copy, pointer, size, buffer) == -EFAULT
        assert isinstance(buffer, int) or buffer == b"\x5a" * 64


def faulted(scene, copy, pointer, size):
    """As `refused`, after a page fault that was counted."""
    refused(scene, copy, pointer, size, scene.failed)


def kernel_pointers(scene):
    form = scene.kernel.format
    return form.user_top, form.kernel_base, form.kernel_base + 0x10_0000, next(iter(scene.live))


@both
@every_mode
def test_b213_b228_nothing_to_copy_is_0_whatever_the_pointers(scene, process, copy):
    for pointer in (0, 1, USER, END, *kernel_pointers(scene), SIZE_MAX):
        for buffer in (0, 1, bytearray(), b"", SIZE_MAX, scene.base):
            assert scene.unchanged(copy, pointer, 0, buffer, works=False) == 0


@both
@every_mode
def test_b214_b215_b218_b229_b230_b233_null_kernel_and_non_canonical_pointers(scene, process, copy):
    first, last = scene.kernel.format.hole
    for pointer in (0, *kernel_pointers(scene), first, last, 1 << 63, SIZE_MAX, SIZE_MAX - 7):
        for size in (1, 8, 64):
            refused(scene, copy, pointer, size)


@both
@every_mode
def test_b216_b231_a_range_that_leaves_user_space_moves_nothing(scene, process, copy):
    top = scene.top_page()
    refused(scene, copy, top - 8, 16)
    refused(scene, copy, top - 1, 2)
    assert scene.kernel.memory.read(top - 8, 8) == b"the last"
    assert copy(top - 8, 8, bytearray(8)) == 0
    api.paging_unmap_page(top - FRAME)


@both
@every_mode
def test_b217_b226_b232_b241_ranges_that_wrap_or_are_huge_are_refused_at_once(scene, process, copy):
    for size in (SIZE_MAX, SIZE_MAX - USER, SIZE_MAX - USER + 1, 1 << 63, 1 << 32, 1 << 31, (1 << 32) - USER):
        for pointer in (USER, USER + 4095, 1, FRAME):
            if size >= 1 << 32 or pointer + size > scene.kernel.format.user_top:
                refused(scene, copy, pointer, size)


def test_b226_b241_two_gib_that_are_user_space_but_not_there_are_refused(scene, process):
    for copy in (from_user, to_user):
        assert copy(USER, 1 << 31, 0) == -EFAULT
        assert copy(USER, 1 << 31, bytearray(8)) == -EFAULT


@both
@every_mode
def test_b219_b234_a_hole_behind_the_first_page_copies_nothing(scene, process, copy):
    assert process.map(2 * USER, FRAME, "rw", FIXED) == 2 * USER
    process.write(2 * USER, b"whole" * 800)
    faulted(scene, copy, 2 * USER + FRAME - 8, 16)
    assert process.read(2 * USER, 4000) == b"whole" * 800


@both
@every_mode
def test_b220_b235_a_supervisor_page_in_the_user_half(scene, process, copy):
    scene.mapped(2 * USER, PAGE_PRESENT | PAGE_WRITABLE, fill=1)
    faulted(scene, copy, 2 * USER, 8)
    api.paging_unmap_page(2 * USER)


@both
@every_mode
def test_b221_b236_a_page_without_any_right(scene, process, copy):
    process.write(USER, b"secret")
    assert process.protect(USER, FRAME, 0) == 0
    faulted(scene, copy, USER, 8)


@both
@every_mode
def test_b222_b237_a_page_that_was_never_touched_comes(scene, process, copy):
    for offset, buffer in enumerate(buffers(scene)):
        assert copy(USER + offset * FRAME, 64, buffer) == 0
        assert process.usage.rss == (offset + 1) * FRAME
        if copy is from_user:
            content = buffer if offset == 0 else scene.kernel.memory.read(buffer, 64)
            assert content == bytes(64)
            scene.live.pop(buffer if offset else None, None)


@both
@every_mode
def test_b223_b238_without_a_frame_for_the_page_it_is_efault(scene, process, copy):
    counts = scene.counts()
    with scene.kernel.failing(every=1, points=("frame",)):
        assert copy(USER, 64, bytearray(64)) == -EFAULT
        assert copy(USER + FRAME - 8, 64, bytearray(64)) == -EFAULT
    assert scene.counts() == counts
    scene.check()
    assert copy(USER, 64, bytearray(64)) == 0


@both
@every_mode
def test_b224_b239_every_byte_of_three_pages_is_right(scene, process, copy):
    data = bytes(value * 7 & 0xFF for value in range(2 * FRAME + 2))
    buffer = bytearray(len(data))
    if copy is from_user:
        process.write(USER + 4095, data)
    else:
        buffer[:] = data
    assert copy(USER + 4095, len(data), buffer) == 0
    assert bytes(buffer) == data == process.read(USER + 4095, len(data))
    kernel = api.kmalloc(len(data))
    assert to_user(USER, len(data), data) == 0 and from_user(USER, len(data), kernel) == 0
    assert scene.kernel.memory.read(kernel, len(data)) == data
    api.kfree(kernel)


@both
@every_mode
def test_b225_b240_a_bad_kernel_buffer_is_reported_and_no_users_fault(scene, process, copy):
    process.write(USER, b"here" * 16)
    end = scene.base + scene.ram.size
    for buffer in (0, 8, USER, scene.base - 8, end, end - 63, SIZE_MAX, SIZE_MAX - 63, bytearray(63)):
        scene.reported(copy, USER, 64, buffer, error=InvalidPointerError, works=False)
    for buffer in (None, 1.5, "text", object()):
        scene.reported(copy, USER, 4, buffer, error=TypeError, works=False)
    if copy is from_user:
        scene.reported(copy, USER, 4, b"read-only", error=TypeError, works=False)


@both
def test_b227_b242_what_is_no_number_is_refused(scene, process, copy):
    scene.wrong_types(copy, 8, bytearray(8))
    scene.wrong_types(copy, bytearray(8), before=(USER,))
    with pytest.raises(ValueError):
        copy(USER, -1, bytearray(8))


@every_mode
def test_b243_b246_a_read_only_page_is_not_written_nor_what_is_before_it(scene, process):
    process.write(READ_ONLY - 8, b"unchange")
    process.read(READ_ONLY, 1)
    faulted(scene, to_user, READ_ONLY, 8)
    faulted(scene, to_user, READ_ONLY - 8, 16)
    assert process.read(READ_ONLY - 8, 16) == b"unchange" + bytes(8)


@every_mode
def test_b244_a_copy_on_write_page_is_copied_first(scene, process):
    process.write(USER, b"parent")
    child = process.fork()
    process.read(USER, 1)
    assert to_user(USER, 6, b"CHANGE") == 0
    assert child.read(USER, 6) == b"parent" and process.read(USER, 6) == b"CHANGE"
    child.exit()


@every_mode
def test_b245_zeros_that_were_only_read_are_copied_first(scene, process):
    child = process.fork()
    assert process.read(USER, 2 * FRAME) == bytes(2 * FRAME)
    assert to_user(USER, 4, b"data") == 0
    assert process.read(USER + FRAME, FRAME) == bytes(FRAME)
    assert child.read(USER, 2 * FRAME) == bytes(2 * FRAME)
    child.exit()


@every_mode
def test_b247_accessed_and_dirty_are_set(scene, process):
    assert to_user(USER, 1, b"x") == 0 and from_user(USER + FRAME, 1, bytearray(1)) == 0
    both_bits = PAGE_ACCESSED | PAGE_DIRTY
    assert scene.kernel.page_tables.entry(process.root, USER) & both_bits == both_bits
    assert scene.kernel.page_tables.entry(process.root, USER + FRAME) & both_bits == PAGE_ACCESSED


# Strings.


@pytest.fixture
def text(process):
    """Puts a string so that it ends with what is mapped; its address."""

    def put(string):
        process.protect(READ_ONLY, FRAME, "rw")
        process.write(END - len(string), string)
        return END - len(string)

    return put


@every_mode
def test_b248_b263_no_nul_before_the_end_of_what_is_mapped(scene, text):
    start = text(b"endless")
    for most in (8, 64, FRAME, SIZE_MAX):
        buffer = bytearray(b"\x5a" * 16)
        assert api.strncpy_from_user(buffer, start, most) == -EFAULT and buffer == b"\x5a" * 16
        assert api.strnlen_user(start, most) == -EFAULT


@every_mode
def test_b249_b264_a_nul_in_the_last_byte(scene, text):
    start = text(b"last\0")
    buffer = bytearray(b"\x5a" * 8)
    assert api.strncpy_from_user(buffer, start, 64) == 4 and buffer == b"last\0\x5a\x5a\x5a"
    assert api.strnlen_user(start, 64) == 4


@every_mode
def test_b250_b260_n_bytes_without_a_nul_are_n(scene, text):
    start = text(b"exactly")
    buffer = bytearray(b"\x5a" * 8)
    assert api.strncpy_from_user(buffer, start, 7) == 7 and buffer == b"exactly\x5a"
    assert api.strnlen_user(start, 7) == 7


@every_mode
def test_b251_b262_at_most_0_bytes_are_0(scene, process):
    for pointer in (0, USER, END, *kernel_pointers(scene), SIZE_MAX):
        buffer = bytearray(b"\x5a")
        assert scene.unchanged(api.strncpy_from_user, buffer, pointer, 0, works=False) == 0 and buffer == b"\x5a"
        assert scene.unchanged(api.strnlen_user, pointer, 0, works=False) == 0


@every_mode
def test_b252_the_empty_string(scene, text):
    buffer = bytearray(b"\x5a\x5a")
    assert api.strncpy_from_user(buffer, text(b"\0"), 2) == 0 and buffer == b"\0\x5a"


@every_mode
def test_b253_b261_b265_pointers_to_no_user_memory(scene, process):
    first, last = scene.kernel.format.hole
    for pointer in (0, END, *kernel_pointers(scene), first, last, SIZE_MAX):
        for most in (1, 64, SIZE_MAX):
            buffer = bytearray(b"\x5a" * 8)
            assert scene.failed(api.strncpy_from_user, buffer, pointer, most) == -EFAULT
            assert scene.failed(api.strnlen_user, pointer, most) == -EFAULT
            assert buffer == b"\x5a" * 8


@every_mode
def test_b254_a_string_that_runs_into_the_kernel_half(scene, process):
    top = scene.top_page()
    for most in (5, 64, SIZE_MAX):
        assert api.strncpy_from_user(bytearray(64), top - 4, most) == -EFAULT
        assert api.strnlen_user(top - 4, most) == -EFAULT
    assert api.strncpy_from_user(bytearray(4), top - 4, 4) == 4
    api.paging_unmap_page(top - FRAME)


@every_mode
def test_b255_b256_not_a_byte_is_written_past_n_or_past_the_nul(scene, text):
    for string, most, expected in ((b"abcd\0", 4, b"abcd"), (b"abcd\0", 5, b"abcd\0"), (b"ab\0cd\0", 6, b"ab\0")):
        buffer = bytearray(b"\x5a" * 8)
        assert api.strncpy_from_user(buffer, text(string), most) == len(expected.rstrip(b"\0"))
        assert buffer == expected + b"\x5a" * (8 - len(expected))


@every_mode
def test_b257_b266_the_largest_n_does_not_wrap(scene, text):
    start = text(b"short\0")
    assert api.strncpy_from_user(bytearray(6), start, SIZE_MAX) == 5
    assert api.strnlen_user(start, SIZE_MAX) == 5


@every_mode
def test_b258_b259_b267_a_string_over_two_frames_is_counted_without_its_nul(scene, process):
    process.write(USER + FRAME, b"x")
    scene.frame()
    process.write(USER + FRAME - 2, b"hello\0")
    first, second = (api.paging_get_physical(USER + page * FRAME) for page in (0, 1))
    assert second != first + FRAME
    buffer = bytearray(6)
    assert api.strncpy_from_user(buffer, USER + FRAME - 2, 6) == 5 and buffer == b"hello\0"
    assert api.strnlen_user(USER + FRAME - 2, 100) == 5


def test_b253_what_is_no_number_is_refused(scene, process):
    scene.wrong_types(api.strncpy_from_user, 8, before=(bytearray(8),))
    scene.wrong_types(api.strncpy_from_user, before=(bytearray(8), USER))
    scene.wrong_types(api.strnlen_user, 8)
    scene.wrong_types(api.strnlen_user, before=(USER,))


@every_mode
def test_b225_a_bad_kernel_buffer_for_a_string_is_reported(scene, process):
    process.write(USER, b"text\0")
    for buffer in (0, 8, USER, scene.base - 8, scene.base + scene.ram.size - 4, SIZE_MAX, bytearray(4)):
        scene.reported(api.strncpy_from_user, buffer, USER, 64, error=InvalidPointerError, works=False)
    for buffer in (None, 1.5, "text", b"readonly"):
        scene.reported(api.strncpy_from_user, buffer, USER, 64, error=TypeError, works=False)
