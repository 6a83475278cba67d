"""The C face: what C does with a machine, in every paging mode."""

import re

import pytest
from c_programs import PROGRAMS, compile_c, config, names_in, needs_library, run

from machines import PAGING

pytestmark = needs_library


@pytest.mark.parametrize("paging", PAGING)
@pytest.mark.parametrize("test", names_in("basics.c"))
def test_basics(results, paging, test):
    results.check("basics.c", test, f"ram=8M paging={paging}")


@pytest.mark.parametrize("test", names_in("basics.c"))
def test_basics_with_red_zones(results, test):
    results.check("basics.c", test, "ram=8M paging=x86_64 debug")


def write(folder, text):
    path = folder / "program.c"
    path.write_text(text, encoding="utf-8")
    return path


def test_misuse_without_a_hook_is_printed_and_aborts(tmp_path):
    source = write(tmp_path, """
        #include <coalmm.h>
        int main(void)
        {
            mem_enable_tracking();
            void *lost = kmalloc(100);
            kfree(lost);
            kfree(lost);
        }
    """)
    done = run(compile_c(source, tmp_path / "program"))
    assert done.returncode == -6
    assert re.sub("0xc0[0-9a-f]{6} ", "", done.stderr) == (
        "coalmm: kfree: of cache 'kmalloc-104' is free; "
        "100 bytes allocated at program.c:6 in main, freed at program.c:7 in main\n"
    )


def test_what_is_printed_comes_in_order_with_the_programs_own_lines(tmp_path):
    source = write(tmp_path, """
        #include <coalmm.h>
        #include <stdio.h>
        #include <string.h>
        int main(void)
        {
            char *text = kmalloc(16);
            strcpy(text, "hello");
            printf("before\\n");
            mem_dump(text, 8);
            printf("between\\n");
            coalmm_print_leaks();
            mem_print_stats();
            printf("after\\n");
        }
    """)
    lines = run(compile_c(source, tmp_path / "program")).stdout.splitlines()
    assert lines[0] == "before" and "|hello...|" in lines[1] and lines[3] == "between"
    assert "tracking is off" in lines[4] and any(line.startswith("kmalloc: 1 live") for line in lines)
    assert lines[-1] == "after"


def test_the_header_is_c99_and_cplusplus(tmp_path):
    source = write(tmp_path, "#include <coalmm.h>\nint main(void) { mb(); return 0; }\n")
    compile_c(source, tmp_path / "strict", "-std=c99", "-Wpedantic")
    compile_c(source, tmp_path / "plus", "-x", "c++", "-Wpedantic", libs=())


def test_a_program_with_the_interpreter_linked_in_needs_no_shared_one(tmp_path):
    target = compile_c(PROGRAMS / "basics.c", tmp_path / "program", libs=("--libs", "--static"))
    done = run(target)
    assert done.returncode == 0, done.stdout + done.stderr
    mapped = run(compile_c(write(tmp_path, """
        #include <coalmm.h>
        #include <stdio.h>
        int main(void)
        {
            kfree(kmalloc(1));
            FILE *maps = fopen("/proc/self/maps", "r");
            for (char line[512]; fgets(line, sizeof line, maps); ) fputs(line, stdout);
        }
    """), tmp_path / "maps", libs=("--libs", "--static"))).stdout  # fmt: skip
    assert "libcoalmm.so" in mapped and "libpython" not in mapped


def test_pkg_config_says_what_coalmm_config_does(tmp_path):
    libdir = config("--libdir")[0]
    done = run("pkg-config", "--libs", "--cflags", "coalmm", PKG_CONFIG_PATH=libdir)
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert set(config("--libs")) <= set(words)
    assert any(word.startswith("-I") and word.endswith("include") for word in words)


@pytest.mark.parametrize(
    ("options", "path", "expected"),
    [
        (["-g0"], None, r"leaks in program"),
        (["-g0", "-s"], None, r"0x[0-9a-f]+ in program"),
        (["-g"], "/nowhere", r"0x[0-9a-f]+ in program"),
        (["-g", "-no-pie"], None, r"program\.c:5 in leaks"),
        (["-g", "-pie", "-fPIE"], None, r"program\.c:5 in leaks"),
    ],
    ids=["no lines", "stripped", "no addr2line", "fixed address", "position independent"],
)
def test_a_call_site_says_as_much_as_the_program_has(tmp_path, options, path, expected):
    source = write(tmp_path, """
        #include <coalmm.h>
        __attribute__((noinline)) static void *leaks(void)
        {
            void *lost = kmalloc(100);
            __asm__ volatile("" ::: "memory");
            return lost;
        }
        int main(void)
        {
            mem_enable_tracking();
            leaks();
            coalmm_print_leaks();
        }
    """)
    program = compile_c(source, tmp_path / "program", *options)
    done = run(program, **({"PATH": path} if path else {}))
    assert re.search(rf"│ {expected}\s*│", done.stdout), done.stdout


@pytest.mark.parametrize("sanitizer", ["address", "undefined"])
def test_programs_with_sanitizers_run(tmp_path, sanitizer):
    program = compile_c(PROGRAMS / "basics.c", tmp_path / "program", f"-fsanitize={sanitizer}")
    done = run(program, ASAN_OPTIONS="detect_leaks=0")
    assert done.returncode == 0 and "not ok" not in done.stdout, done.stdout + done.stderr
