"""Privileged instructions are done on a virtual CPU, and what cannot be done is named, with its function and line."""

import pytest
from targets import reproduced
from test_other_ways import links_32_bit

from coalmm.check.config import TargetError
from coalmm.check.kit import Options, check_target

START = """
#include <stddef.h>
#include <stdint.h>
extern void panic(const char *format, ...);
extern void kprintf(const char *format, ...);
static char heap[1 << 20];
static size_t top;
void *kmalloc(size_t n)
{
    if (n > sizeof heap || top + n > sizeof heap - 16)
        return 0;
    void *p = heap + top;
    top += (n + 15) & ~(size_t)15;
    return p;
}
"""
KFREE = "void kfree(void *p) { (void)p; }\n"
TOML = """
sources = ["mm.c"]
panic = ["panic"]
print = ["kprintf"]
prelude = "void start(void);"
init = "start();"
"""
WIDE = {  # what the CPU does, as C that panics where it is wrong
    "control registers": """
        uintptr_t x; asm volatile("mov %%cr0, %0" : "=r"(x)); if (!(x >> 31)) panic("cr0 %lx", x);
        asm volatile("mov %0, %%cr3" :: "r"((uintptr_t)0x5000)); asm volatile("mov %%cr3, %0" : "=r"(x));
        if (x != 0x5000) panic("cr3 %lx", x);
        asm volatile("mov %0, %%cr4; mov %%cr2, %0; mov %%dr7, %0" : "+r"(x));
        asm volatile("clts");""",
    "interrupts": 'asm volatile("cli; sti; hlt; cli; pushf; popf; sti; hlt");',
    "msr": """
        uint32_t low = 7, high = 9; asm volatile("wrmsr" :: "a"(low), "d"(high), "c"(0xC0000100));
        low = high = 0; asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xC0000100));
        if (low != 7 || high != 9) panic("msr %u %u", low, high);""",
    "ports": """
        uint8_t byte = 0; uint16_t word = 0; uint32_t wide = 0;
        asm volatile("outb %%al, $0x80; outl %%eax, %%dx" :: "a"(1), "d"(0x3f8));
        asm volatile("inb $0x60, %0" : "=a"(byte)); asm volatile("inw %%dx, %0" : "=a"(word) : "d"(0x60));
        asm volatile("inl %%dx, %0" : "=a"(wide) : "d"(0x60));
        if (byte != 0xFF || word != 0xFFFF || wide != 0xFFFFFFFF) panic("ports %x %x %x", byte, word, wide);""",
    "tables": """
        static struct { uint16_t limit; uintptr_t base; } __attribute__((packed)) table[9];
        asm volatile("lgdt %0; lidt %1" :: "m"(table[0]), "m"(table[2]));
        volatile int i = 3; asm volatile("lgdt (%0,%1,8)" :: "r"(table), "r"((uintptr_t)i));
        asm volatile("ltr %%ax; mov %%ax, %%ds" :: "a"(0x10));
        asm volatile("wbinvd");""",
    "clac and stac": 'asm volatile("stac; clac");',
}
SIXTY_FOUR = {
    "extended registers": """
        uintptr_t x = 0x77000;
        asm volatile("mov %1, %%r9; mov %%r9, %%cr3; xor %%r12, %%r12; mov %%cr3, %%r12; mov %%r12, %0"
                     : "=r"(x) : "r"(x) : "r9", "r12"); if (x != 0x77000) panic("cr3 %lx", x);
        asm volatile("mov %0, %%cr8; mov %%cr8, %0" : "+r"(x)); asm volatile("swapgs");
        asm volatile("lea heap(%%rip), %%r13; mov $2, %%r14; invlpg 0x1234(%%r13,%%r14,8); invlpg (%%r12);"
                     "invlpg heap(%%rip); invlpg -8(%%rbp); invlpg 0x10(%%rsp); lgdt heap(%%rip)"
                     ::: "r12", "r13", "r14");""",
}


def target(folder, text, toml=""):
    (folder / "mm.c").write_text(START + text)
    (folder / "check.toml").write_text(toml + TOML)
    return folder


@pytest.mark.parametrize("what", [*WIDE, *SIXTY_FOUR])
def test_it_is_done(tmp_path, what):
    body = (WIDE | SIXTY_FOUR)[what]
    report = check_target(target(tmp_path, f"{KFREE}void start(void) {{ {body} }}"), Options(("kmalloc",), seconds=0.0))
    assert report.present == {"kmalloc", "kfree"}


def test_they_are_done_in_32_bit_code(tmp_path):
    if not links_32_bit(tmp_path):
        pytest.skip("gcc -m32 cannot link here (Debian: gcc-multilib)")
    body = "".join(f"{{ {text} }}" for text in WIDE.values())
    body += 'asm volatile("invlpg (%0)" :: "r"(heap)); asm volatile("ljmp $8, $1f; 1:");'
    folder = target(tmp_path, f"{KFREE}void start(void) {{ {body} }}", 'bits = 32\ncflags = ["-fno-pic"]\n')
    assert check_target(folder, Options(("kmalloc",), seconds=0.0)).bits == 32


def test_what_is_not_known_is_named_with_its_bytes_function_and_line(tmp_path):
    text = 'static void deep(void)\n{\n    asm volatile("vmxoff");\n}\nvoid start(void) { deep(); top++; }\n'
    with pytest.raises(TargetError) as caught:
        check_target(target(tmp_path, KFREE + text), Options())
    line = (START + KFREE + text)[: (START + KFREE + text).index("vmxoff")].count("\n") + 1
    for said in ("`0f 01 c4: vmxoff`", "in its initialisation", f"deep (mm.c:{line})", "from start (mm.c:", "stubs"):
        assert said in str(caught.value)


def test_an_address_that_is_not_canonical_is_a_protection_fault(tmp_path):
    text = KFREE + "void start(void) { *(volatile char *)0x8000000000000000 = 1; }"
    with pytest.raises(TargetError, match=r"general protection fault \(SIGSEGV\) at .*movb.*in start \(mm\.c:"):
        check_target(target(tmp_path, text), Options())


def test_an_instruction_that_is_too_long_is_a_protection_fault(tmp_path):
    text = KFREE + 'void start(void) { asm volatile(".fill 15,1,0x66; cli"); }'
    with pytest.raises(TargetError, match=r"general protection fault \(SIGSEGV\) at .*in start \(mm\.c:"):
        check_target(target(tmp_path, text), Options())


def test_an_initialisation_that_goes_on_for_ever_is_told_with_its_place(tmp_path):
    text = KFREE + "static volatile int go = 1;\nvoid start(void) { while (go) ; }"
    with pytest.raises(TargetError, match=r"does not return in its initialisation, in start \(mm\.c:"):
        check_target(target(tmp_path, text), Options())


def test_segments_may_be_cleared(tmp_path):
    clear = 'asm volatile("xor %%eax, %%eax; mov %%ax, %%fs; mov %%ax, %%gs; mov %%ax, %%ss" ::: "eax")'
    text = f'void kfree(void *p) {{ if (p) asm volatile("cli; hlt"); }} void start(void) {{ {clear}; }}'
    report = check_target(target(tmp_path, text), Options(("kfree",), seconds=0.0))
    found = [result for result in report.of("fail") if "halts with interrupts off" in result.message]
    assert found and reproduced(tmp_path, found[0]).returncode == 1


@pytest.mark.parametrize(
    ("stop", "said"),
    [("cli; hlt", "halts with interrupts off (hlt)"), ("sti; 1: hlt; jmp 1b", "waits in hlt, and no interrupt comes")],
)
def test_a_halt_is_a_finding_and_its_program_fails(tmp_path, stop, said):
    text = f'void kfree(void *p) {{ if (p) asm volatile("{stop}"); }} void start(void) {{}}'
    report = check_target(target(tmp_path, text), Options(("kfree",), seconds=0.0))
    found = [result for result in report.of("fail") if said in result.message]
    assert found and "in kfree (mm.c:" in found[0].message
    assert reproduced(tmp_path, found[0]).returncode == 1


def test_the_text_of_a_panic_is_shown_with_its_place(tmp_path):
    text = """
static void bad(const char *why, int code, unsigned long long wide, char letter)
{
    panic("%s: code %d, %5u%%, %llx, %c, %p", why, code, 7u, wide, letter, (void *)0x1234);
}
void kfree(void *p) { if (p) bad("double free", -3, 0x123456789abcULL, 'x'); }
void start(void) {}
"""
    report = check_target(target(tmp_path, text), Options(("kfree",), seconds=0.0))
    failed = report.of("fail")[0]
    assert "panic: double free: code -3, 7%, 123456789abc, x, 0x1234, in bad (mm.c:" in failed.message
    assert "from kfree (mm.c:" in failed.message
    ended = reproduced(tmp_path, failed)
    assert ended.returncode != 0 and "panic: double free: code -3,     7%, 123456789abc" in ended.stdout


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('((void (*)(int, const char *))panic)(3, "kfree")', "panic: 0x3, kfree"),
        ('((void (*)(const char *))panic)("100% full")', "panic: 100"),
        ('panic("%s %s", (char *)8, (char *)0)', "panic: (no string) (null)"),
        ('kprintf("one\\ntwo %d\\n", 2); __builtin_trap()', "SIGILL) in its initialisation, in start (mm.c:"),
        ('kprintf("one\\ntwo %d\\n", 2); __builtin_trap()', ": two 2"),
    ],
)
def test_any_panic_or_print_is_told_at_the_start(tmp_path, call, said):
    with pytest.raises(TargetError) as caught:
        check_target(target(tmp_path, f"{KFREE}void start(void) {{ {call}; }}"), Options())
    assert said in str(caught.value)


def test_what_was_printed_before_an_abort_is_not_lost(tmp_path):
    (tmp_path / "mm.c").write_text(
        "#include <stdio.h>\n#include <stdlib.h>\nvoid kfree(void *p) { (void)p; }\n"
        'void *kmalloc(size_t n) { printf("panic: kmalloc of %zu\\n", n); abort(); }\n'
    )
    report = check_target(tmp_path / "mm.c", Options(("kmalloc",), seconds=0.0))
    assert any("(SIGABRT), in kmalloc (mm.c:4): panic: kmalloc of" in result.message for result in report.of("fail"))


def test_where_a_call_does_not_return_is_told(tmp_path):
    text = "static volatile int go = 1;\nstatic void spin(void) { while (go) ; }\n"
    text += "void kfree(void *p) { if (p) spin(); go = 1; }\n"
    report = check_target(target(tmp_path, text + "void start(void) {}"), Options(("kfree",), seconds=0.0, first=True))
    assert any("does not return, in spin (mm.c:" in result.message for result in report.of("fail"))


def test_a_function_that_is_stubbed_and_there_is_told(tmp_path):
    text = KFREE + "void start(void) {}\nvoid flush(void) {}"
    with pytest.raises(TargetError, match="take them out of stubs, print, panic and flush: flush"):
        check_target(target(tmp_path, text, 'flush = ["flush"]\n'), Options())
