"""What a call answers with an error for is told as a sentence, by `kernel.why()` and `coalmm.why()`."""

import pytest

import coalmm
from coalmm import api
from coalmm.api import (
    EEXIST,
    EFAULT,
    EINVAL,
    ESRCH,
    PAGE_COW,
    PAGE_HUGE,
    PAGE_NX,
    PAGE_PRESENT,
    PAGE_USER,
    PAGE_WRITABLE,
)
from machines import Unchanged

RW = PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER
USER = 0x0040_0000
HUGE = 4 << 20


@pytest.fixture
def kernel():
    with coalmm.boot(ram="4M") as kernel:
        yield kernel
        kernel.validate()


@pytest.fixture
def frame(kernel):
    """A frame of frame_alloc."""
    return kernel.frame_alloc()


MAPPINGS = {
    "unaligned address": (USER + 8, None, RW, EINVAL, "the page begins at 0x400000"),
    "unaligned frame": (USER, 0x5008, RW, EINVAL, "physical address is not a multiple of 0x1000"),
    "too wide": (1 << 32, None, RW, EINVAL, "no address of i386 paging"),
    "unknown bits": (USER, None, RW | 0x800, EINVAL, "0x800 of the flags"),
    "not present": (USER, None, PAGE_WRITABLE, EINVAL, "PAGE_PRESENT is missing"),
    "no NX": (USER, None, RW | PAGE_NX, EINVAL, "boot with paging='pae'"),
    "COW and W": (USER, None, RW | PAGE_COW, EINVAL, "exclude each other"),
    "user in the kernel half": (0xF0000000, None, RW, EINVAL, "kernel half"),
    "direct map": (0xC0000000, None, RW & ~PAGE_USER, EINVAL, "direct map"),
    "past RAM": (USER, 1 << 31, RW, EINVAL, "past the end of physical memory (0x400000)"),
    "frame 0": (USER, 0, RW, EINVAL, "superblock"),
    "a free frame": (USER, 0x300000, RW, EINVAL, "frame 0x300000 is free"),
    "huge, unaligned": (USER + 4096, 0, RW | PAGE_HUGE, EINVAL, "not a multiple of 0x400000"),
    "huge, not its own": (USER, 0, RW | PAGE_HUGE, EINVAL, "only frames of frame_alloc"),
}


@pytest.mark.parametrize("case", MAPPINGS)
def test_why_a_mapping_is_refused(kernel, frame, case):
    vaddr, paddr, flags, error, words = MAPPINGS[case]
    with Unchanged(kernel):
        assert kernel.paging_map_page(vaddr, frame if paddr is None else paddr, flags) == -error
        assert kernel.why().startswith("paging_map_page(") and "is -EINVAL: " in kernel.why()
        assert words in kernel.why() and coalmm.why() == kernel.why()


def test_kmalloc_memory_is_no_memory_to_map(kernel):
    pointer = kernel.kmalloc(100)
    assert api.paging_map_page(USER, pointer - 0xC0000000 & ~4095, RW) == -EINVAL
    assert "only frames of frame_alloc" in coalmm.why() and "slab" in coalmm.why()


def test_why_another_frame_is_not_mapped_over_the_first(kernel, frame):
    assert api.paging_map_page(USER, frame, RW) == 0
    assert api.paging_map_page(USER, kernel.frame_alloc(), RW) == -EEXIST
    assert f"mapped to {frame:#x} already; paging_unmap_page" in coalmm.why()


def test_why_a_huge_page_is_not_mapped_over_small_ones():
    with coalmm.boot(ram="16M") as kernel:
        assert kernel.paging_map_page(USER, kernel.frame_alloc(), RW) == 0
        huge = kernel.frames.allocate_run(1024, 1024)
        assert huge and kernel.paging_map_page(USER, huge, RW | PAGE_HUGE) == -EEXIST
        assert "pages of 4 KiB are mapped in the 4.0 MiB at 0x400000" in kernel.why()


ALLOCATIONS = {
    "kmalloc(0)": (lambda: api.kmalloc(0), "0 bytes were asked for"),
    "kmalloc, more than RAM": (lambda: api.kmalloc(1 << 40), "the machine has 3.6 MiB in all"),
    "kmalloc, more than is free": (lambda: api.kmalloc(7 << 19), "frames are free"),
    "kzalloc(0)": (lambda: api.kzalloc(0), "kzalloc(0) is NULL: 0 bytes"),
    "kmalloc_aligned(8, 3)": (lambda: api.kmalloc_aligned(8, 3), "alignment 3 is not a power of two"),
    "kmalloc_aligned, too wide": (lambda: api.kmalloc_aligned(8, 1 << 30), "at most 16 MiB"),
    "krealloc, huge": (lambda: api.krealloc(0, 1 << 40), "in all"),
    "buddy_alloc(0)": (lambda: api.buddy_alloc(0), "0 bytes were asked for"),
    "buddy_alloc, too large": (lambda: api.buddy_alloc((16 << 20) + 1), "the largest block has 16 MiB"),
    "buddy_alloc, no room": (lambda: api.buddy_alloc(16 << 20), "a block of 16.0 MiB"),
    "slab_cache_create, size": (lambda: api.slab_cache_create("x", 0, 8, 0, 0), "objects of 0 bytes"),
    "slab_cache_create, align": (lambda: api.slab_cache_create("x", 8, 3, 0, 0), "alignment 3 is not a power"),
    "slab_cache_create, large": (lambda: api.slab_cache_create("x", 1 << 30, 0, 0, 0), "at most 16 MiB"),
    "slab_alloc(NULL)": (lambda: api.slab_alloc(0), "the cache is NULL"),
    "paging_clone_directory(NULL)": (lambda: api.paging_clone_directory(0), "the source is NULL"),
}


@pytest.mark.parametrize("case", ALLOCATIONS)
def test_why_there_is_no_memory(kernel, case):
    call, words = ALLOCATIONS[case]
    assert call() == 0
    assert words in coalmm.why() and coalmm.why().startswith(case.split("(")[0].split(",")[0] + "(")


def test_why_the_last_frame_is_gone(kernel):
    while kernel.frame_alloc():
        pass
    assert coalmm.why().startswith("frame_alloc() is 0: no memory for a frame: 0 of ")
    assert api.paging_create_directory() == 0
    assert coalmm.why().startswith("paging_create_directory() is NULL: no memory for the frames")
    while api.kmalloc(8192):
        pass
    assert coalmm.why().startswith("kmalloc(8192) is NULL: no memory for 8192 bytes: 0 of ")


def test_fault_injection_is_named(kernel):
    with kernel.failing(nth=2, points=("kmalloc",)):
        assert api.kmalloc(50)
        assert api.kmalloc(60) == 0
        assert coalmm.why() == (
            "kmalloc(60) is NULL: fault injection made it fail, as kernel.failing or injection.arm asked for"
        )


def test_before_there_is_a_heap_that_is_why():
    with coalmm.boot(ram="2M", heap=False):
        assert api.kmalloc(10) == 0
        assert "there is no heap yet; buddy_init" in coalmm.why()


COPIES = {
    "NULL": (0, 4, True, "the user address is NULL"),
    "the kernel": (0xC0000000, 4, True, "not in user space, which ends at 0xc0000000"),
    "past the end": (0xBFFFFFFC, 8, True, "8 bytes from 0xbffffffc on reach past"),
    "nothing there": (0x900000, 4, True, "nothing is mapped at 0x900000"),
    "the second page": (USER + 4090, 10, False, "nothing is mapped at 0x401000"),
    "a page of the kernel": (0x600000, 4, False, "the page at 0x600000 is the kernel's; map it with PAGE_USER"),
    "read-only": (USER, 4, True, "the page at 0x400000 is read-only; map it with PAGE_WRITABLE"),
}


@pytest.mark.parametrize("case", COPIES)
def test_why_user_memory_is_not_reached(kernel, case):
    vaddr, size, write, words = COPIES[case]
    api.paging_map_page(USER, kernel.frame_alloc(), PAGE_PRESENT | PAGE_USER)
    api.paging_map_page(0x600000, kernel.frame_alloc(), PAGE_PRESENT | PAGE_WRITABLE)
    calls = [
        lambda: api.validate_user_pointer(vaddr, size, write),
        lambda: api.validate_user_buffer(vaddr, size, write),
    ]
    if write:
        calls.append(lambda: api.copy_to_user(vaddr, bytes(size), size))
    else:
        calls.append(lambda: api.copy_from_user(bytearray(size), vaddr, size))
    for call in calls:
        assert call() in (False, -EFAULT)
        assert words in coalmm.why()


def test_why_a_string_does_not_end(kernel):
    api.paging_map_page(USER, kernel.frame_alloc(), RW)
    api.copy_to_user(USER, b"x" * 4096, 4096)
    assert api.strnlen_user(USER, 5000) == -EFAULT
    assert "no NUL comes before memory that cannot be read: nothing is mapped at 0x401000" in coalmm.why()
    assert api.strncpy_from_user(bytearray(8), 0, 8) == -EFAULT
    assert "strncpy_from_user(<bytearray>, 0, 8) is -EFAULT: the user address is NULL" in coalmm.why()


def test_why_an_area_cannot_be_written(kernel):
    process = kernel.processes.create("reader")
    start = process.map(0, 4096, "r")
    kernel.processes.switch(process.record)
    assert api.copy_to_user(start, b"x", 1) == -EFAULT
    assert f"is in the area {start:x}-{start + 4096:x}, which may not be written" in coalmm.why()
    kernel.page_tables.switch(kernel.ram.words[19])


def test_why_an_address_has_no_translation(kernel):
    assert api.paging_get_physical(USER) == 0
    assert "the PDE is not present (entry 1 of the table at" in coalmm.why()


def test_why_there_is_no_information_of_a_process(kernel):
    info = api.proc_meminfo_t()
    assert api.get_proc_meminfo(77, info) == -ESRCH and "no process has pid 77; there are: none" in coalmm.why()
    assert api.get_proc_meminfo(-1, info) == -EINVAL and "a number from 1 on" in coalmm.why()
    assert api.get_proc_meminfo(1, None) == -EFAULT and "proc_meminfo_t()" in coalmm.why()


def test_there_is_nothing_to_tell_before_a_failure(kernel):
    assert kernel.why() == coalmm.why() == ""
    assert api.kmalloc_size(0) == 0 and api.krealloc(kernel.kmalloc(10), 0) == 0
    assert kernel.why() == ""


def test_without_a_machine_there_is_nothing_to_tell():
    coalmm.boot(ram="1M").close()
    assert coalmm.why() == ""


def test_arguments_may_be_given_by_name_in_any_order(kernel):
    assert kernel.copy_from_user(n=10, source=USER, to=bytearray(10)) == -EFAULT
    assert kernel.why().startswith("copy_from_user(<bytearray>, 0x400000, 10) is -EFAULT: nothing is mapped")
    assert kernel.validate_user_pointer(write=True, size=4, pointer=0) is False
    assert kernel.why() == "validate_user_pointer(0, 4, True) is false: the user address is NULL"


def test_frames_that_hold_pages_of_files_are_told(kernel, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 4096 * 20)
    process = kernel.processes.create("test")
    process.read(process.map(0, 4096 * 20, "r", file=str(tmp_path / "file")), 4096 * 20)
    while kernel.frame_alloc():
        pass
    assert ", 20 hold pages of files (kernel.files.reclaim gives some up)" in kernel.why()
    assert not kernel.frame_alloc() and not kernel.files.reclaim(1)  # they are young
    process.exit()
    kernel.files.reclaim(1)
    assert kernel.frame_alloc()
