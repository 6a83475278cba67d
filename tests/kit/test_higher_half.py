"""A kernel whose RAM is at a fixed address of its own is checked there."""

import shutil
from pathlib import Path

import pytest
from targets import reproduced
from test_other_ways import links_32_bit

from coalmm.check.config import TargetError
from coalmm.check.kit import Options, check_target

EXAMPLE = Path(__file__).parents[2] / "examples" / "higherhalf"
FLUSH = "    invlpg(va);\n"


def changed(folder, file, old, new):
    target = folder / "target"
    if not target.exists():
        shutil.copytree(EXAMPLE, target)
    text = (target / file).read_text()
    assert text.count(old) == 1
    (target / file).write_text(text.replace(old, new))
    return target


@pytest.mark.parametrize("bits", [64, 32])
def test_the_example_passes(tmp_path, bits):
    if bits == 32 and not links_32_bit(tmp_path):
        pytest.skip("gcc -m32 cannot link here (Debian: gcc-multilib)")
    target = changed(tmp_path, "check.toml", 'headers = ["defs.h"]', f'headers = ["defs.h"]\nbits = {bits}')
    report = check_target(target, Options(seconds=1.0, seed=1))
    assert [(result.check, result.message) for result in report.of("fail")] == []
    assert len(report.of("pass")) > 50 and report.bits == bits


def test_a_fault_is_found_and_its_program_fails_alone(tmp_path):
    changed(tmp_path, "vm.c", "kfree(P2V(PTE_ADDR(pgdir[i])));", ";")
    target = changed(tmp_path, "vm.c", FLUSH, "")
    report = check_target(target, Options(("paging",), seconds=0.0))
    failed = {result.check: result for result in report.of("fail")}
    assert {"an-unmapped-page-leaves-the-tlb", "a-freed-directory-gives-its-tables-back"} <= set(failed)
    for result in failed.values():
        assert reproduced(tmp_path, result).returncode == 1


def test_a_panic_at_the_start_is_told(tmp_path):
    target = changed(tmp_path, "check.toml", "end = 0x80100000", "end = 0x80200000")
    with pytest.raises(TargetError, match=r"panic: kfree in its initialisation, in kfree \(kalloc\.c:\d+\), from k"):
        check_target(target, Options())


@pytest.mark.parametrize(
    ("base", "said"),
    [("0xFFFFFFFF80000000", "build with another base"), ("0x80000800", "page-aligned"), ("0x1000", "from 0x10000")],
)
def test_an_address_that_cannot_be_had_is_told(tmp_path, base, said):
    with pytest.raises(TargetError, match=said):
        check_target(changed(tmp_path, "check.toml", "ram = 0x80000000", f"ram = {base}"), Options())
