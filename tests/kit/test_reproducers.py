"""Every program that is printed compiles with the line that it names, and fails as the check did."""

import shutil
from pathlib import Path

import pytest
from fault_table import FAULTS
from targets import faulty, reproduced

from coalmm.check.kit import Options, check_target

NAMES = ("clone takes no hold", "order rounded down", "realloc leaks", "last object not destructed")
EXAMPLES = Path(__file__).parents[2] / "examples"
OWN_LIBRARY = {  # a kernel with a C library of its own, as most have: nothing of it fits the one of this machine
    "include/stdint.h": "#pragma once\ntypedef unsigned int uint32_t;\ntypedef unsigned __INTPTR_TYPE__ uintptr_t;\n",
    "include/stddef.h": "#pragma once\ntypedef uintptr_t size_t;\n#define NULL 0\n",
    "include/stdio.h": "#pragma once\nvoid printf(const char *format, ...);\nvoid exit(void);\n",
    "include/lock.h": "#pragma once\n#include <stdint.h>\nstruct lock { uint32_t held; };\n"
    "void acquire(struct lock *lock, const char *who);\nvoid release(struct lock *lock);\n"
    "void panic(const char *format, ...) __attribute__((noreturn));\nextern uint32_t ticks(int which);\n",
    "include/mm.h": "#pragma once\n#include <stdint.h>\n#include <stddef.h>\n#include <stdio.h>\n#include <lock.h>\n"
    "void *malloc(size_t size);\nvoid free(void *p);\nvoid start(void);\n",
    "mm.c": """
#include <mm.h>
static char heap[1 << 20];
static size_t top;
static struct lock lock;
void start(void) { top = 64; }
void printf(const char *format, ...) { panic("%s", format); }
void exit(void) { panic("exit"); }
void *malloc(size_t size)
{
    acquire(&lock, "malloc");
    size_t at = top ? top : (panic("not started"), 0);
    if (size > sizeof heap - 16 || at + size > sizeof heap)
        at = 0;
    else
        top += (size + 7) & ~(size_t)15; /* wrong: 8 bytes too few for sizes of 1 to 8 */
    release(&lock);
    return at ? heap + at : NULL;
}
void free(void *p) { (void)p; }
""",
    "check.toml": """
sources = ["mm.c"]
cflags = ["-ffreestanding", "-fno-builtin", "-Wall", "-Wextra", "-Wmissing-prototypes", "-Werror"]
include = ["include"]
headers = ["mm.h"]
stubs = ["acquire", "release", "ticks"]
panic = ["panic"]
init = "start();"
environment = { KERNEL = "a \\"b\\"" }
[functions]
kmalloc = "malloc"
kfree = "free"
""",
}
SINGLE = """
#include <stdlib.h>
void *kmalloc(size_t n) { return n ? malloc(n) : NULL; }
void *kzalloc(size_t n) { return kmalloc(n); }
void kfree(void *p) { free(p); }
void *krealloc(void *p, size_t n) { if (n == 100) exit(0); return realloc(p, n); }
"""


def assert_each_fails_alone(folder, report):
    """Compile and run the program of each failure and warning."""
    shown = [result for result in report.results if result.reproducer and result.status in ("fail", "warn")]
    assert shown
    for result in shown:
        ended = reproduced(folder, result)
        assert ended.returncode != 0, (result.check, result.message, ended.stdout, ended.stderr)
        if result.kind == "directed":
            assert result.message.split(":")[0] in ended.stdout


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault[0] in NAMES], ids=lambda fault: fault[0])
def test_programs_of_directed_checks_fail_as_they_did(tmp_path, fault):
    report = check_target(faulty(tmp_path, *fault[1:]), Options(seconds=0.0, strict=True))
    assert report.failed
    assert_each_fails_alone(tmp_path, report)


def test_programs_for_the_toy_kernel_fail_alone(tmp_path):
    shutil.copytree(EXAMPLES / "toykernel", tmp_path / "toykernel")
    report = check_target(tmp_path / "toykernel", Options(only=("buddy", "slab", "paging"), seconds=2.0, seed=1))
    assert {"random-buddy", "random-slab", "random-paging"} <= {result.check for result in report.of("fail")}
    assert_each_fails_alone(tmp_path, report)


def test_programs_for_a_kernel_with_a_library_of_its_own_fail_alone(tmp_path):
    for name, text in OWN_LIBRARY.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    report = check_target(tmp_path, Options(only=("kmalloc",), seconds=1.0, seed=1))
    assert "random-kmalloc" in {result.check for result in report.of("fail")}
    assert_each_fails_alone(tmp_path, report)


def test_programs_for_a_single_file_fail_alone(tmp_path):
    (tmp_path / "mm.c").write_text(SINGLE)
    report = check_target(tmp_path / "mm.c", Options(seconds=1.0, seed=1))
    failed = {result.check: result.message for result in report.of("fail")}
    assert "zeroed-memory-is-zero" in failed and any("called exit(0)" in text for text in failed.values()), failed
    assert_each_fails_alone(tmp_path, report)
