"""What docs/from-c.md and the README say about C is what happens."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from readme import ROOT, blocks, shell_lines

import coalmm
from machines import LIBRARIES

PAGE = ROOT / "docs" / "from-c.md"
README = ROOT / "README.md"
C_BLOCKS = blocks(PAGE, "c")

pytestmark = pytest.mark.skipif(coalmm.MODE != "compiled", reason="libcoalmm.so is made of the compiled modules")

EXAMPLES = """
#include <coalmm.h>
#include <assert.h>
#include <string.h>

typedef struct { int pid; char name[20]; } process_t;

static int basic_allocation(void)
{
    %s
    return 0;
}

static int slab_cache_usage(void)
{
    %s
    return 0;
}

static int page_mapping(uintptr_t virt_addr)
{
    %s
    return 0;
}

static ssize_t safe_user_access(const char __user *user_string)
{
    %s
    return len;
}

static int of_processes(void)
{
    %s
    return pid > 0 && child > 0 && area > 0 ? 0 : -1;
}

int main(void)
{
    assert(basic_allocation() == 0);
    assert(slab_cache_usage() == 0);
    assert(page_mapping(0x800001) == -EINVAL);
    size_t before = frame_get_free_memory();
    assert(page_mapping(0x800001) == -EINVAL && frame_get_free_memory() == before);
    assert(page_mapping(0x800000) == 0 && paging_get_physical(0x800000) != 0);
    assert(copy_to_user((void *)0x800010, "a name", 7) == 0);
    assert(safe_user_access((const char *)0x800010) == 6);
    assert(safe_user_access((const char *)0xc0400000) == -EFAULT);
    assert(of_processes() == 0);
    coalmm_fail_nth(1);
    assert(basic_allocation() == -ENOMEM);
    coalmm_fail_nth(0);
    assert(coalmm_validate() == 0 && coalmm_save("machine.coal") == 0);
    return 0;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the examples, and the commands `coalmm` and `coalmm-config` on the path."""
    folder = tmp_path_factory.mktemp("from_c")
    (folder / "bin").mkdir()
    for name, module in (("coalmm", "coalmm"), ("coalmm-config", "coalmm.c.config")):
        script = folder / "bin" / name
        library = LIBRARIES["compiled"]
        script.write_text(f'#!/bin/sh\nPYTHONPATH={library} exec {sys.executable} -m {module} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def shell(folder, line):
    """Run a line of the shell as it is typed; what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COALMM"))}
    environment = kept | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_examples_compile_as_written_and_run(folder):
    source = folder / "examples_of_the_page.c"
    source.write_text(EXAMPLES % tuple(C_BLOCKS), encoding="utf-8")
    shell(folder, f"gcc -Wall -Wextra -Werror -g {source} -o examples_of_the_page $(coalmm-config --cflags --libs)")
    shell(folder, "./examples_of_the_page")
    assert "MemTotal" in shell(folder, "coalmm info machine.coal")


def test_the_commands_of_the_page_work_and_print_what_is_shown(folder):
    lines = [line for line in shell_lines(PAGE) if not line.startswith("coalmm info")]
    assert len(lines) == 4
    printed = shell(folder, " && ".join(lines[:2]))
    assert shell(folder, " && ".join([*lines[2:], "./from_c"])) == printed
    for block in blocks(PAGE, "text"):
        assert re.sub("0x[0-9a-f]+", "0x", block) in re.sub("0x[0-9a-f]+", "0x", printed)
    assert "300 │" in printed and "from_c.c:33 in main" in printed


def test_the_commands_of_the_readme_are_those_of_the_page():
    section = README.read_text(encoding="utf-8").partition("## From C\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block.splitlines() == shell_lines(PAGE)[:2]


def test_every_option_and_function_named_exists():
    header = (ROOT / "src" / "coalmm" / "c" / "include" / "coalmm.h").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:coalmm_|mem_|paging_)\w+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 10
    assert all(re.search(rf"\b{name}\(", header) for name in named)


def test_the_page_is_linked_from_the_readme():
    assert "(docs/from-c.md)" in README.read_text(encoding="utf-8")
    assert Path(PAGE).exists()
