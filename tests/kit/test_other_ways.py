# ruff: noqa: E501 (a text of C a line)
"""Targets that are right in another way than ours, or have only a part, or other names: nothing fails."""

import shutil
import subprocess

import pytest
from targets import REFERENCE, change

from coalmm.check.kit import Options, check_target
from coalmm.check.result import FAIL, PASS

OTHER_WAYS = {  # -> (file, text, other text), the checks that say a word about it
    "a clone copies at once": (
        "paging.c",
        "static void share(uint32_t *from, uint32_t *to)",
        "static bool share(uint32_t *from, uint32_t *to)",
        "    if (*from & PAGE_WRITABLE)\n        *from = (*from & ~PAGE_WRITABLE) | PAGE_COW;\n    *to = *from;\n"
        "    frame_hold(ADDRESS(*from));\n    frame_mapped(ADDRESS(*from), 1);\n",
        "    uintptr_t frame = frame_alloc();\n    if (frame == 0)\n        return false;\n"
        "    memcpy(ram + frame, ram + ADDRESS(*from), PAGE);\n    *to = (uint32_t)frame | (*from & 0xFFF);\n"
        "    frame_mapped(frame, 1);\n    return true;\n",
        "        share(&pages[i], entry);\n",
        "        if (!share(&pages[i], entry))\n            return false;\n",
    ),
    "the NUL is counted": ("user.c", "        if (to[i] == 0)\n            return (ssize_t)i;",
                           "        if (to[i] == 0)\n            return (ssize_t)i + 1;"),
    "a length is Linux's": ("user.c", "        if (*at(vaddr + i) == 0)\n            return (ssize_t)i;",
                            "        if (*at(vaddr + i) == 0)\n            return (ssize_t)i + 1;"),
    "an endless string is longer than asked": ("user.c", "return (ssize_t)max_len;", "return (ssize_t)max_len + 1;"),
    "a physical address is the frame's": ("paging.c", "ADDRESS(*entry) + vaddr % PAGE : 0", "ADDRESS(*entry) : 0"),
    "a few frames are kept back": ("frames.c", "if (free_frames == 0 ||", "if (free_frames < 5 ||"),
    "misuse ends the program": ("frames.c", "    (void)what;\n    misuses++;", "    (void)what;\n    __builtin_trap();"),
    "kmalloc(0) is memory": ("kmalloc.c", "void *kmalloc(size_t size)\n{\n", "void *kmalloc(size_t size)\n{\n    size += !size;\n"),
    "empty slabs are kept": ("slab.c", "if (slab->free == slab->count && cache->slabs > 1)", "if (0)"),
    "objects are constructed each time": ("slab.c", "    slab->used[number] = true;\n",
                                          "    slab->used[number] = true;\n    if (cache->ctor)\n"
                                          "        cache->ctor(slab->objects + number * cache->stride);\n"),
    "tables stay when they are empty": ("paging.c", "        frame_free(paddr);\n        return -ENOMEM;",
                                        "        frame_free(paddr);\n        return -1;"),
    "blocks are larger than asked": ("buddy.c", "while (order < ORDERS && (size_t)PAGE << order < size)",
                                     "while (order < ORDERS && (size_t)PAGE << order < size + (size < 1000000) * 64)"),
    "krealloc always moves": ("kmalloc.c", "if (size <= old && size > old / 2)", "if (0)"),
    "validation forgets copy-on-write": ("user.c", "return ptr && range_allowed((uintptr_t)ptr, size, write);",
                                         "return ptr && range_allowed((uintptr_t)ptr, size, write) && size < (1u << 30);"),
}  # fmt: skip


# Ways that do not touch each other are checked in one target: a check takes as long for one as for five.
TOGETHER = (
    ("a clone copies at once", "the NUL is counted", "kmalloc(0) is memory", "blocks are larger than asked",
     "objects are constructed each time"),
    ("a length is Linux's", "a physical address is the frame's", "a few frames are kept back", "empty slabs are kept",
     "krealloc always moves"),
    ("an endless string is longer than asked", "tables stay when they are empty",
     "validation forgets copy-on-write"),
    ("misuse ends the program",),
)  # fmt: skip


@pytest.mark.parametrize("ways", TOGETHER, ids=", ".join)
def test_other_ways_to_be_right_do_not_fail(tmp_path, ways):
    target = tmp_path / "target"
    shutil.copytree(REFERENCE, target)
    for way in ways:
        change(target, *OTHER_WAYS[way])
    report = check_target(target, Options(seconds=1.0, seed=1))
    assert [(result.check, result.message) for result in report.of(FAIL)] == []


def test_every_other_way_is_checked():
    assert sorted(way for ways in TOGETHER for way in ways) == sorted(OTHER_WAYS)


@pytest.mark.parametrize("file", ["frames.c", "buddy.c", "slab.c", "user.c", "kmalloc.c"])
def test_a_target_with_a_part_is_checked_for_it(tmp_path, file):
    """Every function of one file is left out."""
    target = tmp_path / "part"
    shutil.copytree(REFERENCE, target)
    names = {
        "frames.c": ["frame_get_total_memory", "frame_get_free_memory", "frame_get_stats", "frame_free"],
        "buddy.c": ["buddy_init", "buddy_alloc", "buddy_free", "buddy_get_stats"],
        "slab.c": ["slab_cache_create", "slab_alloc", "slab_free", "slab_shrink_caches", "slab_cache_destroy"],
        "user.c": ["copy_from_user", "copy_to_user", "strncpy_from_user", "strnlen_user"],
        "kmalloc.c": ["kmalloc", "kfree", "kzalloc"],
    }[file]
    with (target / "check.toml").open("a") as toml:
        toml.write("[functions]\n" + "".join(f"{name} = false\n" for name in names))
    report = check_target(target, Options(seconds=0.3, seed=1, strict=True))
    assert report.absent == set(names)
    assert [(result.check, result.message) for result in report.of(FAIL)] == []
    assert len(report.of(PASS)) > 60


def test_malloc_of_this_machine_is_a_right_kmalloc(tmp_path):
    (tmp_path / "mm.c").write_text(
        "#include <stdlib.h>\n#include <malloc.h>\n"
        "void *kmalloc(size_t n) { return malloc(n); }\nvoid *kzalloc(size_t n) { return calloc(1, n); }\n"
        "void *krealloc(void *p, size_t n) { return realloc(p, n); }\nvoid kfree(void *p) { free(p); }\n"
        "size_t kmalloc_size(void *p) { return malloc_usable_size(p); }\n"
        "void *kmalloc_aligned(size_t n, size_t a) { return n > 1ul << 40 ? 0 : memalign(a, n); }\n"
    )
    report = check_target(tmp_path / "mm.c", Options(seconds=0.5, seed=1))
    assert report.present == {"kmalloc", "kzalloc", "krealloc", "kfree", "kmalloc_size", "kmalloc_aligned"}
    assert [(result.check, result.message) for result in report.of(FAIL)] == []


def links_32_bit(folder):
    (folder / "nothing.c").write_text("int main(void) { return 0; }")
    return subprocess.run(["gcc", "-m32", "-o", folder / "nothing", folder / "nothing.c"], capture_output=True).returncode == 0


def test_a_32_bit_target_passes(tmp_path):
    if not links_32_bit(tmp_path):
        pytest.skip("gcc -m32 cannot link here (Debian: gcc-multilib)")
    target = tmp_path / "target"
    shutil.copytree(REFERENCE, target)
    toml = (target / "check.toml").read_text()
    (target / "check.toml").write_text(f"bits = 32\n{toml}")
    report = check_target(target, Options(seconds=2.0, seed=1, strict=True))
    assert report.bits == 32
    assert [(result.check, result.message) for result in report.of(FAIL)] == []


def test_a_32_bit_target_where_that_cannot_be_linked_says_so(tmp_path, monkeypatch):
    if links_32_bit(tmp_path):
        pytest.skip("gcc -m32 links here")
    from coalmm.check.config import TargetError

    (tmp_path / "mm.c").write_text("void *kmalloc(unsigned n) { return 0; }")
    (tmp_path / "check.toml").write_text('sources = ["mm.c"]\nbits = 32\n')
    with pytest.raises(TargetError, match="32-bit programs cannot be linked here"):
        check_target(tmp_path, Options())


def test_a_cache_without_alignment_and_constructors_is_not_asked_for_them(tmp_path):
    target = tmp_path / "target"
    shutil.copytree(REFERENCE, target)
    with (target / "check.toml").open("a") as toml:
        toml.write('[functions]\nslab_cache_create = "slab_cache_create(name, size, 1, 0, 0)"\n')
    report = check_target(target, Options(("slab",), seconds=0.5, seed=1))
    assert [(result.check, result.message) for result in report.of(FAIL)] == []
    assert "objects-come-constructed" in {result.check for result in report.of("skip")}
