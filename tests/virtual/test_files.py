"""Host files and shared memory, page by page, through the page cache."""

import os

import pytest
from virtual_fakes import FakeHeap

from coalmm.errors import EIO
from coalmm.hardware.ram import Ram
from coalmm.physical.constants import SB_FRAMES, SB_KERNEL_BASE, SB_LOWMEM
from coalmm.physical.frames import Frames
from coalmm.physical.superblock import format_ram
from coalmm.virtual.constants import F_PAGES
from coalmm.virtual.files import Files
from coalmm.virtual.page_cache import PageCache

PAGE = 4096


@pytest.fixture
def files():
    ram = Ram(16 << 20)
    format_ram(ram, [(0, 16 << 20)], 16 << 20)
    ram.words[SB_KERNEL_BASE] = 0xC0000000
    ram.words[SB_LOWMEM] = ram.words[SB_FRAMES]
    frames = Frames(ram)
    heap = FakeHeap(frames)
    files = Files(ram, frames, heap, heap, PageCache(ram, frames))
    free = frames.statistics().free
    yield files
    for file in list(files.files()):
        while files.get(file, 1):
            files.release(file)
    files.drop_unused()
    frames.validate()
    assert frames.statistics().free == free


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"".join(bytes([n & 255]) * PAGE for n in range(40)) + b"tail")
    return str(path)


def content(files, pfn):
    return files.ram.read(pfn << 12, PAGE)


def test_pages_read_as_the_host_file_and_the_last_one_ends_in_zeros(files, path):
    file = files.open_host(path)
    for index in (0, 39, 17, 16, 3, 40):
        expected = bytes([index]) * PAGE if index < 40 else b"tail" + bytes(PAGE - 4)
        assert content(files, files.page(file, index)) == expected
    files.validate()
    assert files.path(file) == path


def test_two_opens_share_one_frame_for_a_page(files, path):
    first, second = files.open_host(path), files.open_host(path)
    assert first == second
    assert files.page(first, 3) == files.page(second, 3) == files.cache.lookup(first, 3)


def test_thousands_of_pages_are_found_again_and_leave_nothing(files):
    file = files.create_memory(1 << 40)
    taken = {index * 7919: files.page(file, index * 7919) for index in range(3000)}
    assert len(set(taken.values())) == 3000
    assert all(files.cache.lookup(file, index) == pfn for index, pfn in taken.items())
    assert files.cache.lookup(file, 5) == 0
    files.validate()
    for pfn in list(taken.values())[::2]:
        files.cache.remove(pfn)
    files.validate()
    assert files.get(file, F_PAGES) == 1500


def test_shared_memory_is_zero_at_first_and_cannot_be_reclaimed(files):
    file = files.create_memory(10 * PAGE)
    assert content(files, files.page(file, 4)) == bytes(PAGE)
    assert files.reclaim(10) == 0


def test_pages_that_nobody_maps_are_reclaimed_and_dirty_ones_reach_the_host_first(files, path):
    file = files.open_host(path, writable=True)
    mapped, dirty = files.page(file, 0), files.page(file, 20)
    pages = files.cache.pages
    files.frames.map_user(mapped)
    files.ram.fill(dirty << 12, PAGE, 0x55)
    files.cache.mark_dirty(dirty)
    assert files.reclaim(1) == 1 and files.cache.lookup(file, 20) == dirty
    assert files.reclaim(pages) == pages - 2
    with open(path, "rb") as host:
        assert host.read()[20 * PAGE : 21 * PAGE] == b"\x55" * PAGE
    assert files.cache.lookup(file, 0) == mapped and files.cache.lookup(file, 20) == 0
    files.frames.unmap_user(mapped)


def test_dirty_pages_reach_the_host_file_and_no_byte_past_its_end(files, path):
    file = files.open_host(path, writable=True)
    for index in (2, 40):
        pfn = files.page(file, index)
        files.ram.fill(pfn << 12, PAGE, 0x55)
        files.cache.mark_dirty(pfn)
    assert files.write_back(file) == 2
    with open(path, "rb") as host:
        data = host.read()
    assert data[2 * PAGE : 3 * PAGE] == b"\x55" * PAGE and data[40 * PAGE :] == b"UUUU"
    assert files.write_back(file) == 0


def test_a_file_opened_read_only_is_never_written(files, path):
    file = files.open_host(path)
    pfn = files.page(file, 1)
    files.ram.fill(pfn << 12, PAGE, 0x55)
    files.cache.mark_dirty(pfn)
    assert files.write_back(file) == 0
    files.cache.clean(pfn)


def test_a_changed_file_that_nobody_used_is_read_anew(files, path):
    file = files.open_host(path)
    files.page(file, 0)
    files.release(file)
    with open(path, "wb") as host:
        host.write(b"new")
    os.utime(path, ns=(1, 1))
    file = files.open_host(path)
    assert content(files, files.page(file, 0))[:4] == b"new\0"


def test_a_second_view_of_the_same_ram_reads_by_path(files, path):
    file = files.open_host(path)
    other = Files(files.ram, files.frames, files.heap, files.heap, files.cache)
    assert content(files, other.page(file, 5))[:1] == b"\5"


def test_dirty_pages_of_an_image_reach_the_host_though_the_file_is_read_first(files, path):
    file = files.open_host(path, writable=True)
    pfn = files.page(file, 3)
    files.ram.fill(pfn << 12, PAGE, 0x55)
    files.cache.mark_dirty(pfn)
    other = Files(files.ram, files.frames, files.heap, files.heap, files.cache)
    assert other.open_host(path) == file
    assert other.write_back(file) == 1
    with open(path, "rb") as host:
        assert os.pread(host.fileno(), PAGE, 3 * PAGE) == b"\x55" * PAGE


def test_a_vanished_host_file_is_an_error_and_leaves_no_page(files, path):
    file = files.open_host(path)
    other = Files(files.ram, files.frames, files.heap, files.heap, files.cache)
    os.unlink(path)
    assert other.page(file, 5) == -EIO
    assert files.cache.pages == 0


@pytest.mark.parametrize("nth", range(1, 5))
def test_a_failed_allocation_leaves_the_files_as_they_were(files, path, nth):
    file = files.open_host(path)
    files.page(file, 39)
    before = files.cache.pages, files.frames.statistics()
    with files.frames.injection.failing(nth=nth) as injection:
        got = files.page(file, 0)
        failed = injection.failed
    if failed:
        assert got == 0
        assert (files.cache.pages, files.frames.statistics()) == before
    else:
        assert content(files, got) == bytes(PAGE)
    files.validate()
