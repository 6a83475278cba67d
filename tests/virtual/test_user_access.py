"""The rows of the bad-input table about user access, and the calls' ordinary behaviour."""

import pytest

from coalmm.errors import EFAULT, InvalidPointerError
from coalmm.hardware.constants import PAGE_ACCESSED, PAGE_DIRTY, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE
from coalmm.virtual.constants import MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE

PAGE = 4096
BASE = 0x4000_0000
TOP = 0xC000_0000
FIXED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
SIZE_MAX = 2**64 - 1
ANYTHING = [0, TOP, 0x5000_0000, SIZE_MAX]
REFUSED = [  # (pointer, size): NULL, kernel, straddling, wrapping, non-canonical, huge
    (0, 8), (TOP, 8), (TOP - 8, 16), (BASE, SIZE_MAX), (SIZE_MAX - 3, 8), (1 << 63, 8), (1 << 47, 1),
    (BASE, 1 << 63), (BASE, 1 << 31), (BASE, 1 << 32),
]  # fmt: skip


@pytest.fixture
def user(machine, process):
    """Three pages at BASE of a current process: the last read-only, nothing after them."""
    process.map(BASE, 3 * PAGE, "rw", FIXED)
    process.protect(BASE + 2 * PAGE, PAGE, "r")
    machine.processes.switch(process.record)
    return machine.user


def copies(user):
    return {
        "from": lambda pointer, size, buffer: user.copy_from_user(buffer, pointer, size),
        "to": lambda pointer, size, buffer: user.copy_to_user(pointer, buffer, size),
    }


@pytest.mark.parametrize("call", ["from", "to"])
class TestCopies:
    @pytest.mark.parametrize("pointer", ANYTHING)
    def test_b213_b228_nothing_to_copy_is_always_done(self, user, call, pointer):
        assert copies(user)[call](pointer, 0, 0) == 0

    @pytest.mark.parametrize("pointer, size", REFUSED)
    def test_b214_to_b218_b226_b229_to_b233_b241_what_is_not_user_space_is_refused_at_once(
        self, machine, user, call, pointer, size
    ):
        before = machine.ram.digest()
        assert copies(user)[call](pointer, size, bytearray(64)) == -EFAULT
        assert copies(user)[call](pointer, size, machine.user.spaces.top + 64 * 1024) == -EFAULT
        assert machine.ram.digest() == before

    def test_b219_b234_a_hole_in_the_second_page_copies_nothing(self, process, user, call):
        process.map(BASE + 4 * PAGE, PAGE, "rw", FIXED)
        process.write(BASE + 5 * PAGE - 4, b"left")
        buffer = bytearray(b"unchanged")
        assert copies(user)[call](BASE + 5 * PAGE - 4, 9, buffer) == -EFAULT
        assert buffer == b"unchanged" and process.read(BASE + 5 * PAGE - 4, 4) == b"left"

    def test_b220_b235_a_supervisor_page_in_the_user_half_is_refused(self, machine, process, user, call):
        paddr = machine.frames.allocate()
        vaddr = BASE + 16 * PAGE
        machine.tables.map(process.root, vaddr, paddr, PAGE_PRESENT | PAGE_WRITABLE)
        assert copies(user)[call](vaddr, 4, bytearray(4)) == -EFAULT
        machine.tables.unmap(process.root, vaddr)
        machine.frames.free(paddr)

    def test_b221_b236_a_page_without_rights_is_refused(self, process, user, call):
        process.write(BASE, b"x")
        process.protect(BASE, PAGE, 0)
        assert copies(user)[call](BASE, 4, bytearray(4)) == -EFAULT

    def test_b222_b237_an_untouched_page_is_brought(self, process, user, call):
        buffer = bytearray(b"\xff" * 4)
        assert copies(user)[call](BASE, 4, buffer) == 0
        assert process.read(BASE, 4) == buffer and process.usage.rss == PAGE

    def test_b223_b238_without_memory_for_the_page_it_is_efault(self, machine, user, call):
        with machine.injection.failing(every=1):
            assert copies(user)[call](BASE, 4, bytearray(4)) == -EFAULT
        machine.validate()

    def test_b224_b239_every_byte_of_three_pages_is_right(self, process, user, call):
        process.map(BASE, 4 * PAGE, "rw", FIXED)
        data = bytes(range(256)) * 33
        data = data[: PAGE * 2 + 2]
        if call == "from":
            process.write(BASE + 4095, data)
        buffer = bytearray(data if call == "to" else len(data))
        assert copies(user)[call](BASE + 4095, len(data), buffer) == 0
        assert bytes(buffer) == data == process.read(BASE + 4095, len(data))

    @pytest.mark.parametrize("kernel", [0, 8, TOP - 4, TOP + (1 << 30), SIZE_MAX])
    def test_b225_b240_a_bad_kernel_address_is_reported(self, user, call, kernel):
        with pytest.raises(InvalidPointerError):
            copies(user)[call](BASE, 4, kernel)

    @pytest.mark.parametrize("wrong", [-1, 2**64, 1.5, "x", None])
    def test_b227_b242_wrong_numbers_are_refused_in_words(self, user, call, wrong):
        with pytest.raises((TypeError, ValueError)):
            copies(user)[call](BASE, wrong, bytearray(4))
        with pytest.raises((TypeError, ValueError)):
            copies(user)[call](wrong, 4, bytearray(4))


def test_a_kernel_address_of_the_heap_is_a_kernel_buffer(machine, process, user):
    kaddr = machine.heap.kmalloc(64)
    process.write(BASE, b"to the kernel")
    assert user.copy_from_user(kaddr, BASE, 13) == 0
    assert user.copy_to_user(BASE + PAGE, kaddr, 13) == 0
    assert process.read(BASE + PAGE, 13) == b"to the kernel"
    machine.heap.kfree(kaddr)


def test_b243_a_read_only_page_is_not_written(process, user):
    assert user.copy_to_user(BASE + 2 * PAGE, b"data", 4) == -EFAULT
    assert process.read(BASE + 2 * PAGE, 4) == bytes(4)


def test_b244_a_copy_on_write_page_is_copied_first(process, user):
    process.write(BASE, b"parent")
    child = process.fork()
    process.read(BASE, 1)
    assert user.copy_to_user(BASE, b"PARENT", 6) == 0
    assert child.read(BASE, 6) == b"parent" and process.read(BASE, 6) == b"PARENT"


def test_b246_a_writable_page_before_a_read_only_one_stays_as_it_was(process, user):
    assert user.copy_to_user(BASE + 2 * PAGE - 2, b"data", 4) == -EFAULT
    assert process.read(BASE + 2 * PAGE - 2, 2) == bytes(2)


def test_b247_accessed_and_dirty_bits_are_set(machine, process, user):
    user.copy_to_user(BASE, b"x", 1)
    user.copy_from_user(bytearray(1), BASE + PAGE, 1)
    bits = PAGE_ACCESSED | PAGE_DIRTY
    assert machine.tables.entry(process.root, BASE) & bits == bits
    assert machine.tables.entry(process.root, BASE + PAGE) & bits == PAGE_ACCESSED


END = BASE + 3 * PAGE


@pytest.fixture
def text(process, user):
    """Puts a string so that it ends where the mapped pages end."""

    def put(string):
        process.protect(BASE + 2 * PAGE, PAGE, "rw")
        process.write(END - len(string), string)
        return END - len(string)

    return put


class TestStrings:
    def test_b248_b263_no_nul_before_the_end_of_what_is_mapped_is_efault(self, user, text):
        start = text(b"endless")
        assert user.strncpy_from_user(bytearray(64), start, 64) == -EFAULT
        assert user.strnlen_user(start, 64) == -EFAULT

    def test_b249_b264_a_nul_in_the_very_last_byte_is_found(self, user, text):
        start = text(b"last\0")
        buffer = bytearray(b"\xff" * 8)
        assert user.strncpy_from_user(buffer, start, 64) == 4
        assert buffer == b"last\0\xff\xff\xff"
        assert user.strnlen_user(start, 64) == 4

    def test_b250_b260_n_bytes_without_a_nul_are_n(self, user, text):
        start = text(b"exactly")
        buffer = bytearray(b"\xff" * 8)
        assert user.strncpy_from_user(buffer, start, 7) == 7
        assert buffer == b"exactly\xff"
        assert user.strnlen_user(start, 7) == 7

    @pytest.mark.parametrize("pointer", ANYTHING)
    def test_b251_b262_of_at_most_0_bytes_the_answer_is_0(self, user, pointer):
        buffer = bytearray(b"\xff")
        assert user.strncpy_from_user(buffer, pointer, 0) == 0 and buffer == b"\xff"
        assert user.strnlen_user(pointer, 0) == 0

    def test_b252_the_empty_string_has_length_0(self, user, text):
        buffer = bytearray(b"\xff\xff")
        assert user.strncpy_from_user(buffer, text(b"\0"), 2) == 0 and buffer == b"\0\xff"

    @pytest.mark.parametrize("pointer", [0, TOP, TOP + 5, 1 << 47, 1 << 63, SIZE_MAX, 0x5000_0000])
    def test_b253_b261_b265_bad_pointers_are_efault(self, user, pointer):
        assert user.strncpy_from_user(bytearray(8), pointer, 8) == -EFAULT
        assert user.strnlen_user(pointer, 8) == -EFAULT

    def test_b254_a_string_that_runs_into_the_kernel_half_is_efault(self, process, user):
        process.map(TOP - PAGE, PAGE, "rw", FIXED)
        process.write(TOP - 4, b"long")
        assert user.strncpy_from_user(bytearray(64), TOP - 4, 64) == -EFAULT
        assert user.strncpy_from_user(bytearray(64), TOP - 4, 4) == 4

    def test_b255_b256_not_a_byte_is_written_past_n(self, user, text):
        buffer = bytearray(b"\xff" * 8)
        assert user.strncpy_from_user(buffer, text(b"abcd\0"), 4) == 4
        assert buffer == b"abcd\xff\xff\xff\xff"

    def test_b257_b266_size_max_does_not_wrap(self, user, text):
        start = text(b"short\0")
        assert user.strncpy_from_user(bytearray(6), start, SIZE_MAX) == 5
        assert user.strnlen_user(start, SIZE_MAX) == 5

    def test_b258_b259_b267_a_string_across_two_frames_counts_without_its_nul(self, process, user):
        process.write(BASE + PAGE, b"x")
        process.write(BASE + PAGE - 2, b"hello\0")
        buffer = bytearray(6)
        assert user.strncpy_from_user(buffer, BASE + PAGE - 2, 6) == 5 and buffer == b"hello\0"
        assert user.strnlen_user(BASE + PAGE - 2, 100) == 5

    def test_a_buffer_that_is_too_small_is_reported_before_a_byte_is_written(self, user, text):
        buffer = bytearray(b"\xff" * 3)
        with pytest.raises(InvalidPointerError):
            user.strncpy_from_user(buffer, text(b"longer\0"), 64)
        assert buffer == b"\xff" * 3


@pytest.mark.parametrize("name", ["validate_user_pointer", "validate_user_buffer"])
class TestValidation:
    @pytest.fixture
    def ask(self, user, name):
        return getattr(user, name)

    @pytest.mark.parametrize("pointer, size", REFUSED)
    @pytest.mark.parametrize("write", [False, True])
    def test_b268_b270_to_b272_b278_b281_b283_to_b285_b291_what_is_not_user_space(self, ask, pointer, size, write):
        assert ask(pointer, size, write) is False

    def test_b269_b282_size_0_asks_only_about_the_address(self, ask):
        assert ask(BASE, 0, True) and ask(0x5000_0000, 0, True)
        assert not ask(0, 0, False) and not ask(TOP, 0, False)

    def test_b273_b286_a_hole_in_the_middle(self, process, ask):
        process.unmap(BASE + PAGE, PAGE)
        assert not ask(BASE, 3 * PAGE, False) and ask(BASE, PAGE, False)

    def test_b274_b287_a_read_only_page(self, ask):
        assert ask(BASE + 2 * PAGE, 8, False) and not ask(BASE + 2 * PAGE, 8, True)
        assert not ask(BASE, 3 * PAGE, True)

    def test_b275_b288_a_copy_on_write_page_can_be_written(self, process, ask):
        process.write(BASE, b"x")
        process.fork()
        process.read(BASE, 1)
        assert ask(BASE, 8, True)

    def test_b276_b289_an_untouched_page_counts(self, ask):
        assert ask(BASE, 2 * PAGE, True)

    def test_b277_b290_a_supervisor_page(self, machine, process, ask):
        paddr = machine.frames.allocate()
        vaddr = BASE + 16 * PAGE
        machine.tables.map(process.root, vaddr, paddr, PAGE_PRESENT | PAGE_WRITABLE)
        assert not ask(vaddr, 4, False)
        machine.tables.map(process.root, vaddr, paddr, PAGE_PRESENT | PAGE_USER)
        assert ask(vaddr, 4, False) and not ask(vaddr, 4, True)
        machine.tables.unmap(process.root, vaddr)
        machine.frames.free(paddr)

    def test_b280_b293_an_earlier_answer_is_never_trusted(self, process, user, ask):
        assert ask(BASE, 8, True)
        process.unmap(BASE, PAGE)
        assert user.copy_to_user(BASE, b"too late", 8) == -EFAULT


def test_b279_asking_about_a_pointer_changes_no_byte_of_ram(machine, process, user):
    process.write(BASE, b"x")
    before = machine.ram.digest()
    for pointer, size, write in ((BASE, 3 * PAGE, False), (BASE, 2 * PAGE, True), (BASE + 2 * PAGE, 1, True)):
        user.validate_user_pointer(pointer, size, write)
    assert machine.ram.digest() == before


def test_b292_a_valid_buffer_is_present_afterwards(machine, process, user):
    assert user.validate_user_buffer(BASE, 2 * PAGE, True)
    assert process.usage.rss == 2 * PAGE
    with machine.injection.failing(every=1):
        assert user.copy_to_user(BASE, bytes(2 * PAGE), 2 * PAGE) == 0
