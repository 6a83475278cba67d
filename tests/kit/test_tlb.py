"""A page that stays in the TLB is found, where the target can flush it, and its program fails alone."""

import shutil

import pytest
from targets import REFERENCE, reproduced

from coalmm.check.kit import Options, check_target

FLUSHED = {  # file -> (text, the same with the flush)
    "mm.h": [("#define PAGE 4096u", "#define PAGE 4096u\n#define FLUSH(vaddr) {flush}")],
    "paging.c": [
        ("static page_directory_t *current;", "static page_directory_t *current;\nstatic void drop(uint32_t *entry);"),
        ("PAGE_PRESENT)\n        drop(entry);", "PAGE_PRESENT)\n        drop(entry);\n    FLUSH(vaddr);"),
        ("        share(&pages[i], entry);\n",
         "        share(&pages[i], entry);\n        FLUSH(index << 22 | i << 12);\n"),
        ("    if (old && *old & PAGE_PRESENT)\n        return -EEXIST;\n",
         "    if (old && *old & PAGE_PRESENT) {\n        drop(old);\n        FLUSH(vaddr);\n    }\n"),
    ],
    "user.c": [("            return false;\n    }\n    return true;",
                "            return false;\n        FLUSH(page);\n    }\n    return true;")],
}  # fmt: skip
WAYS = {
    "invlpg": '__asm__ volatile("invlpg (%0)" :: "r"((uintptr_t)(vaddr)) : "memory")',
    "cr3": '__asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" ::: "rax", "memory")',
    "a function": "flush_page(0, (vaddr))",
}
FAULTS = {  # check that finds it -> (file, flush that is left out)
    "an-unmapped-page-leaves-the-tlb": ("paging.c", "        drop(entry);\n    FLUSH(vaddr);"),
    "pages-that-a-clone-shares-leave-the-tlb": ("paging.c", "        FLUSH(index << 22 | i << 12);\n"),
    "a-page-that-gets-another-frame-leaves-the-tlb": ("paging.c", "        FLUSH(vaddr);\n"),
    "a-page-that-loses-rights-leaves-the-tlb": ("paging.c", "        FLUSH(vaddr);\n"),
    "a-page-that-gets-a-frame-of-its-own-leaves-the-tlb": ("user.c", "        FLUSH(page);\n"),
}
CHECKS = ("*-tlb",)


def flushing(folder, way):
    """The correct implementation with a TLB that it flushes; a mapping over a mapping replaces it."""
    target = folder / "target"
    shutil.copytree(REFERENCE, target)
    for file, changes in FLUSHED.items():
        text = (target / file).read_text()
        for old, new in changes:
            assert text.count(old) == 1, (file, old)
            text = text.replace(old, new.replace("{flush}", WAYS[way]))
        (target / file).write_text(text)
    if way == "a function":
        with (target / "mm.h").open("a") as header:
            header.write("int flush_page(void *space, uintptr_t vaddr);\n")
        toml = (target / "check.toml").read_text()
        (target / "check.toml").write_text(f'flush = ["flush_page(space, vaddr)"]\n{toml}')
    return target


@pytest.mark.parametrize("way", WAYS)
def test_a_kernel_that_flushes_passes(tmp_path, way):
    report = check_target(flushing(tmp_path, way), Options(CHECKS, seconds=0.0))
    wrong = {result.check: result.message for result in report.results if result.status not in ("pass", "skip")}
    assert wrong == {}
    assert len(report.of("pass")) == 6 - (way == "a function")  # which has no privileged instruction


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("way", ["invlpg", "a function"])
def test_a_flush_that_is_missing_is_found(tmp_path, way, name):
    target = flushing(tmp_path, way)
    file, flush = FAULTS[name]
    text = (target / file).read_text()
    assert text.count(flush) == 1
    (target / file).write_text(text.replace(flush, "        drop(entry);" if "drop" in flush else ""))
    report = check_target(target, Options(CHECKS, seconds=0.0))
    failed = {result.check: result for result in report.of("fail")}
    assert name in failed and "not flushed" in failed[name].message, [result.message for result in report.results]
    ended = reproduced(tmp_path, failed[name])
    assert ended.returncode == 1 and "flushed from the TLB" in ended.stdout


def test_a_flush_of_another_page_is_found(tmp_path):
    target = flushing(tmp_path, "invlpg")
    text = (target / "paging.c").read_text()
    wrong = text.replace("drop(entry);\n    FLUSH(vaddr);", "drop(entry);\n    FLUSH(vaddr + PAGE);")
    (target / "paging.c").write_text(wrong)
    report = check_target(target, Options(CHECKS, seconds=0.0))
    assert [result.check for result in report.of("fail")] == ["an-unmapped-page-leaves-the-tlb"]


def test_code_that_never_flushes_is_not_blamed_but_told_if_it_could(tmp_path):
    report = check_target(REFERENCE, Options(CHECKS, seconds=0.0))
    assert {result.status for result in report.results} == {"skip"}
    target = tmp_path / "target"
    shutil.copytree(REFERENCE, target)
    with (target / "paging.c").open("a") as source:
        source.write('void irq_off(void) { __asm__ volatile("cli"); }\n')
    report = check_target(target, Options(CHECKS, seconds=0.0))
    assert not report.failed and [result.check for result in report.of("note")] == [
        "code-with-privileged-instructions-flushes-the-tlb"
    ]
