# ruff: noqa: E501 (a target a line)
"""Whatever a target does, the kit says what and ends."""

import time

import pytest

from coalmm.check.config import TargetError
from coalmm.check.kit import Options, check_target

KFREE = "void kfree(void *p) { (void)p; }\n"
CALLS = {
    "crashes": ("volatile int *nowhere; void *kmalloc(unsigned long n) { *nowhere = 1; return 0; }", "SIGSEGV at 0x0"),
    "loops": ("void *kmalloc(unsigned long n) { for (;;) n++; }", "does not return"),
    "recurses": ("void *kmalloc(unsigned long n) { volatile char big[4096]; big[0] = 1; return n ? kmalloc(n + big[0]) : 0; }",
                 "SIGSEGV"),
    "prints": ('int puts(const char *); void *kmalloc(unsigned long n) { for (;;) puts("all is well"); }', "prints more than"),
    "forks": ("int fork(void); void *kmalloc(unsigned long n) { fork(); return 0; }", "kmalloc: forks"),
    "exits": ("void exit(int); void *kmalloc(unsigned long n) { exit(3); }", "exit(3)"),
    "aborts": ("void abort(void); void *kmalloc(unsigned long n) { abort(); }", "SIGABRT"),
    "closes": ("int close(int); void *kmalloc(unsigned long n) { for (int i = 3; i < 64; i++) close(i); return 0; }", "pipe"),
    "gives nothing": ("void *kmalloc(unsigned long n) { return 0; }", "kmalloc gave NULL"),
    "gives the same": ("static char here[1 << 20]; void *kmalloc(unsigned long n) { return n < sizeof here ? here : 0; }",
                       "inside the live object"),
    "gives what it has not": ("void *kmalloc(unsigned long n) { return (void *)0x123450; }", "SIGSEGV at 0x123450"),
}  # fmt: skip
STARTS = {
    "crashes at its start": ("void start(void) { *(volatile int *)0 = 1; }", "SIGSEGV at 0x0 in its initialisation"),
    "panics at its start": ('void abort(void); int puts(const char *); int fflush(void *);'
                            'void start(void) { puts("no memory"); fflush(0); abort(); }', "no memory"),
    "ends at its start": ("void exit(int); void start(void) { exit(0); }", "called exit(0) in its initialisation"),
}  # fmt: skip


def written(folder, text, toml=""):
    """A target of one C file."""
    (folder / "target.c").write_text(text)
    (folder / "check.toml").write_text(f'sources = ["target.c"]\n{toml}')
    return folder


@pytest.mark.parametrize("name", CALLS)
def test_what_a_call_does_is_a_finding(tmp_path, name):
    text, said = CALLS[name]
    begin = time.monotonic()
    report = check_target(written(tmp_path, text + "\n" + KFREE), Options(only=("kmalloc",), seconds=1.0, first=True))
    assert report.failed
    assert any(said in result.message for result in report.of("fail")), [r.message for r in report.of("fail")]
    assert time.monotonic() - begin < 120


@pytest.mark.parametrize("name", STARTS)
def test_a_start_that_fails_is_said_in_one_line(tmp_path, name):
    text, said = STARTS[name]
    with pytest.raises(TargetError) as caught:
        check_target(written(tmp_path, text + "\n" + KFREE, 'init = "extern void start(void); start();"'), Options())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_write_past_the_heap_dies_at_its_guard_page(tmp_path):
    text = """
    static char *next, *end;
    void buddy_init(void *start, unsigned long size) { next = start; end = next + size; }
    void *buddy_alloc(unsigned long size)
    {
        if (!next)
            return 0;
        *(volatile char *)end = 1;
        return next;
    }
    void buddy_free(void *ptr) { (void)ptr; }
    """
    report = check_target(written(tmp_path, text), Options(only=("buddy_alloc",), seconds=0.0))
    assert any(result.message.startswith("buddy_alloc: SIGSEGV at 0x") for result in report.of("fail"))


def test_a_copy_past_the_buffer_dies_at_its_guard_page(tmp_path):
    text = """
    int paging_map_page(unsigned long v, unsigned long p, unsigned f) { return 0; }
    unsigned long frame_alloc(void) { static unsigned long n; return n += 4096; }
    int copy_to_user(void *to, const void *from, unsigned long n) { return 0; }
    int copy_from_user(char *to, const void *from, unsigned long n) { to[n] = 0; return -14; }
    """
    report = check_target(written(tmp_path, text), Options(only=("copy_from_user",), seconds=0.0))
    assert any("SIGSEGV" in result.message for result in report.of("fail"))


def test_a_library_that_lacks_a_symbol_is_told_what_to_stub(tmp_path):
    text = "void spin_lock(void *); void *kmalloc(unsigned long n) { spin_lock(0); return 0; }"
    with pytest.raises(TargetError) as caught:
        check_target(written(tmp_path, text), Options())
    assert 'stubs = ["spin_lock"]' in str(caught.value)


def test_sources_that_do_not_compile_show_the_compilers_error(tmp_path):
    with pytest.raises(TargetError, match=r"target\.c:1:\d+: error"):
        check_target(written(tmp_path, "void *kmalloc(size_t n) { return 0; }"), Options())


def test_a_target_without_any_function_is_told_so(tmp_path):
    with pytest.raises(TargetError, match="none of the document's functions"):
        check_target(written(tmp_path, "int nothing;"), Options())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.so", b"no library", "is no ELF file"),
        ("x.so", b"", "is no ELF file"),
        ("x.so", b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00" + bytes(40), "is no shared library for x86"),
        ("x.so", b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(40), "does not load"),
    ],
)
def test_what_is_no_library_is_refused(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TargetError, match=said):
        check_target(tmp_path / name, Options())


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("sources = [", "check.toml is not TOML"),
        ('source = ["target.c"]', "did you mean 'sources'"),
        ('sources = "target.c"', "sources is a list of strings"),
        ("bits = 64", "name either `library` or `sources`"),
        ('sources = ["target.c"]\nbits = 16', "bits is 32 or 64"),
        ('sources = ["gone.c"]', "gone.c is not there"),
        ('sources = ["target.c"]\n[functions]\nkmaloc = "x"', "did you mean 'kmalloc'"),
        ('sources = ["target.c"]\n[functions]\nkmalloc = true', "a name, a C call or false"),
        ('sources = ["target.c"]\nuser_start = 5', "page-aligned"),
        ('sources = ["target.c"]\npid = "one"', "pid is of type int"),
    ],
)
def test_a_wrong_check_toml_is_one_line_that_says_what(tmp_path, toml, said):
    (tmp_path / "target.c").write_text(KFREE)
    (tmp_path / "check.toml").write_text(toml)
    with pytest.raises(TargetError) as caught:
        check_target(tmp_path, Options())
    assert said in str(caught.value)
