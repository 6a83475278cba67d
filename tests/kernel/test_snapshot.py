"""Saving and attaching: the same machine goes on; what is damaged is refused with what is wrong."""

import hashlib
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coalmm
from coalmm.errors import BadImageError, CorruptionError
from coalmm.hardware.ram import Ram
from coalmm.heap.constants import C_STRIDE
from coalmm.physical.constants import SB_KINDS, SB_MAP
from machines import PAGING, descriptor_word
from workload import Workload

TRAILER = 4096


@pytest.fixture
def image(tmp_path):
    return tmp_path / "machine.coal"


def busy_machine(paging="x86_64"):
    """A machine with things of every kind in it."""
    workload = Workload(paging, 7)
    workload.run(150)
    return workload


def reseal(path, damage):
    """Damage the words of an image and write the digest of what they are then."""
    raw = path.read_bytes()
    ram = Ram(len(raw) - TRAILER)
    ram.write(0, raw[:-TRAILER])
    damage(ram)
    trailer = bytearray(raw[-TRAILER:])
    trailer[24:56] = bytes.fromhex(ram.digest())
    path.write_bytes(ram.read(0, ram.size) + trailer)


@pytest.mark.parametrize("paging", PAGING)
@pytest.mark.parametrize("read_only", [False, True])
def test_an_attached_machine_is_the_one_that_was_saved(paging, read_only, image):
    kernel = busy_machine(paging).kernel
    kernel.save(image)
    copy = coalmm.attach(image, read_only)
    assert copy.digest() == kernel.digest()
    assert copy.format is kernel.format
    assert copy.frames.statistics() == kernel.frames.statistics()
    assert copy.heap.statistics() == kernel.heap.statistics()
    assert list(copy.slabs.caches()) == list(kernel.slabs.caches())
    assert copy.processes.pids() == kernel.processes.pids()


@pytest.mark.parametrize("paging", PAGING)
def test_an_attached_machine_goes_on_as_the_saved_one_does(paging, image):
    """The same calls on both lead to the same bytes."""
    workload = busy_machine(paging)
    workload.kernel.save(image)
    copy = coalmm.attach(image)
    for kernel in (workload.kernel, copy):
        held = [kernel.heap.kmalloc(size) for size in (8, 100, 9000, 50_000)]
        kernel.heap.kfree(held[1])
        kernel.frames.allocate_many(9)
        child = kernel.processes.fork(kernel.processes.pids()[0])
        kernel.processes.find(child).brk(0x3000_5000)
        kernel.validate()
    assert copy.digest() == workload.kernel.digest()


def test_saving_does_not_change_the_machine_nor_attaching_the_file(image):
    kernel = busy_machine().kernel
    digest = kernel.digest()
    kernel.save(image)
    assert kernel.digest() == digest
    bytes_before = hashlib.sha256(image.read_bytes()).digest()
    copy = coalmm.attach(image)
    copy.heap.kmalloc(100)
    copy.frames.allocate_zeroed()
    assert hashlib.sha256(image.read_bytes()).digest() == bytes_before


def test_the_image_of_a_large_machine_is_a_small_file(image):
    kernel = coalmm.boot("8G", "x86_64")
    address = kernel.heap.kmalloc(100)
    kernel.memory[address : address + 5] = b"hello"
    kernel.save(image)
    assert os.stat(image).st_size == kernel.ram.size + TRAILER
    assert os.stat(image).st_blocks * 512 < 8 << 20
    copy = coalmm.attach(image)
    assert copy.memory[address : address + 5] == b"hello"
    assert copy.ram.touched() < 8 << 20


def test_saving_over_an_image_replaces_it_whole(image):
    coalmm.boot("2M").save(image)
    first = coalmm.attach(image, read_only=True)
    second = coalmm.boot("4M", "pae")
    second.save(image)
    assert first.ram.size == 2 << 20  # still reads the file that it was attached to
    first.validate()
    assert coalmm.attach(image).digest() == second.digest()
    assert os.listdir(image.parent) == [image.name]


@pytest.mark.parametrize("kind", [str, os.fsencode])
def test_a_path_may_be_text_or_bytes(kind, image):
    kernel = coalmm.boot("1M")
    kernel.save(kind(str(image)))
    assert coalmm.attach(kind(str(image))).digest() == kernel.digest()
    assert os.listdir(image.parent) == [image.name]


def test_what_cannot_be_written_or_read_is_an_os_error_and_leaves_nothing(tmp_path):
    kernel = coalmm.boot("1M")
    with pytest.raises(OSError):
        kernel.save(tmp_path / "missing" / "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        kernel.save(tmp_path / "folder")
    with pytest.raises(OSError):
        coalmm.attach(tmp_path / "nothing")
    with pytest.raises(OSError):
        coalmm.attach(tmp_path / "folder")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize("length", [0, 1, 4096, (1 << 20) + 4095, (1 << 20) + 4096, 3 << 20])
def test_a_file_that_is_no_image_is_refused(length, image):
    image.write_bytes(os.urandom(length))
    with pytest.raises(BadImageError, match="not a RAM image"):
        coalmm.attach(image)


@pytest.mark.parametrize("cut", [1, 4095, 4096, 8192, 1 << 20])
def test_an_image_cut_short_is_refused(cut, image):
    coalmm.boot("4M").save(image)
    os.truncate(image, os.stat(image).st_size - cut)
    with pytest.raises(BadImageError, match="cut short"):
        coalmm.attach(image)


@pytest.mark.parametrize(
    ("offset", "value", "says"),
    [(0, b"X", "trailer"), (8, b"\x09", "version 9"), (16, b"\x01", "the trailer says"), (24, b"\0\0\0", "digest")],
)
def test_a_damaged_trailer_is_refused_with_what_is_wrong(offset, value, says, image):
    kernel = coalmm.boot("2M")
    kernel.save(image)
    with open(image, "r+b") as file:
        file.seek(kernel.ram.size + offset)
        file.write(value)
    with pytest.raises(BadImageError, match=says):
        coalmm.attach(image)


def test_one_changed_byte_anywhere_is_refused_by_the_digest(image):
    kernel = coalmm.boot("2M")
    kernel.save(image)
    whole = bytearray(image.read_bytes())
    for at in (0, 100, 0x3000, (1 << 20) + 5, (2 << 20) - 1):
        whole[at] ^= 1
        image.write_bytes(whole)
        for read_only in (False, True):
            with pytest.raises(BadImageError, match="digest"):
                coalmm.attach(image, read_only)
        whole[at] ^= 1


# Words that say what must be so; any other value of them is refused. The rest of the superblock is
# counters, settings and hooks, every value of which is possible, and the words of more bitmap levels.
CERTAIN = [*range(13), *range(16, 20), 23, *range(SB_KINDS, SB_KINDS + 12), 32, 33, 34, 38, 80, 81, 82, 96, 97, 98]


@pytest.mark.parametrize("word", CERTAIN)
@pytest.mark.parametrize("flip", [1, 1 << 12, 1 << 40, (1 << 64) - 1])
def test_a_damaged_word_of_the_superblock_is_refused_though_the_digest_is_right(word, flip, image, saved):
    image.write_bytes(saved)
    reseal(image, lambda ram: ram.words.__setitem__(word, ram.words[word] ^ flip))
    with pytest.raises(BadImageError, match="the image is damaged: "):
        coalmm.attach(image)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of one image."""
    path = tmp_path_factory.mktemp("image") / "saved.coal"
    kernel = coalmm.boot("1M")
    kernel.heap.kmalloc(60)
    kernel.heap.kmalloc(40_000)
    kernel.save(path)
    return path.read_bytes()


@pytest.mark.parametrize("word", range(330))
def test_any_value_of_any_word_of_the_superblock_is_taken_or_refused_but_crashes_nothing(word, saved, tmp_path):
    path = tmp_path / "x.coal"
    for flip in (1 << 3, (1 << 64) - 1):
        path.write_bytes(saved)
        reseal(path, lambda ram, flip=flip: ram.words.__setitem__(word, ram.words[word] ^ flip))
        try:
            kernel = coalmm.attach(path)
        except BadImageError as error:
            assert str(path) in str(error)
        else:
            kernel.heap.statistics()


def places(kernel):
    """A word of each structure whose damage must be found."""
    cache = kernel.slabs.create("victim", 100)
    thing = kernel.slabs.allocate(cache)
    record = cache - kernel.kernel_base >> 3
    slab = (thing - kernel.kernel_base >> 12) << 12 >> 12
    block = kernel.buddy.allocate(4096) - kernel.kernel_base >> 12
    return {
        "bitmap": kernel.frames.bitmap.bases[0] + 5,
        "summary": kernel.frames.bitmap.bases[1],
        "memory map": kernel.ram.words[SB_MAP] >> 3,
        "stride": record + C_STRIDE,
        "magic": record + 8,
        "list of caches": record + 17,
        "slab's bitmap": descriptor_word(kernel, slab, 4),
        "slab's count": descriptor_word(kernel, slab, 3),
        "slab's kind": descriptor_word(kernel, slab, 1),
        "block's kind": descriptor_word(kernel, block, 1),
        "block's references": descriptor_word(kernel, block, 0),
    }


@pytest.mark.parametrize("paging", ["i386", "la57"])
def test_a_damaged_structure_is_named_by_the_checker_and_refused_in_an_image(paging, image):
    kernel = coalmm.boot("2M", paging)
    for name, at in places(kernel).items():
        kernel.ram.words[at] ^= 1 << 1
        with pytest.raises(CorruptionError) as caught:
            kernel.validate()
        assert len(str(caught.value)) > 20, name
        kernel.save(image)
        with pytest.raises(BadImageError, match="damaged"):
            coalmm.attach(image)
        kernel.ram.words[at] ^= 1 << 1
    kernel.validate()


@settings(max_examples=40)
@given(data=st.binary(max_size=200), at=st.integers(0, (1 << 20) - 200), seed=st.integers(0, 3))
def test_random_bytes_in_an_image_with_a_right_digest_are_taken_or_refused(tmp_path_factory, saved, data, at, seed):
    path = tmp_path_factory.mktemp("random") / "x.coal"
    path.write_bytes(saved)
    reseal(path, lambda ram: ram.write(at if seed else at % 0x9000, data))
    try:
        coalmm.attach(path).validate()
    except BadImageError as error:
        assert str(path) in str(error)
