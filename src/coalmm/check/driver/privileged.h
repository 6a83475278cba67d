/* Privileged instructions of x86. Code that is checked runs as a user program, where they trap: each is decoded here
 * (Intel SDM, volume 2) and done on a virtual CPU that has control and debug registers, MSRs, an interrupt flag and a
 * record of what was flushed from its TLB. popf cannot trap, so an interrupt flag that it restores is not seen.
 * Also part of the reproducers of code that has such instructions. */
#include <signal.h>
#include <stdint.h>
#include <stddef.h>
#include <ucontext.h>

enum cpu_answer { CPU_UNKNOWN, CPU_DONE, CPU_HALTED };
enum { CPU_FLUSHES = 4096, CPU_MSRS = 256, CPU_HALTS = 1000 };
#define CPU_ALL ((uintptr_t)-1) /* every page, in the record of flushes */

static struct {
    uintptr_t cr[16], dr[8];
    int interrupts;
    unsigned halts; /* since this was last set to 0, with interrupts on */
    size_t flush_count;
    uintptr_t flush[CPU_FLUSHES]; /* the newest: a page's address >> 12, or CPU_ALL */
    struct { uint32_t number; uint64_t value; } msr[CPU_MSRS];
    int msr_count;
} cpu = { .interrupts = 1 };

/* The segment that the C library keeps its thread in. A kernel may load 0 into it, which does not trap. */
#ifdef __x86_64__
static uintptr_t cpu_thread;

static void cpu_arch_prctl(long what, uintptr_t argument)
{
    long number = 158;
    asm volatile("syscall" : "+a"(number) : "D"(what), "S"(argument) : "rcx", "r11", "memory");
}

static void cpu_keep_thread(void)
{
    cpu_arch_prctl(0x1003, (uintptr_t)&cpu_thread); /* ARCH_GET_FS */
}

static void cpu_give_thread(void)
{
    cpu_arch_prctl(0x1002, cpu_thread); /* ARCH_SET_FS */
}
#else
static uint16_t cpu_thread;

static void cpu_keep_thread(void)
{
    asm volatile("mov %%gs, %0" : "=m"(cpu_thread));
}

static void cpu_give_thread(void)
{
    asm volatile("mov %0, %%gs" :: "m"(cpu_thread));
}
#endif

static void cpu_start(void)
{
    cpu_keep_thread();
    cpu.cr[0] = 0x80050033; /* PG AM WP NE ET MP PE */
    cpu.cr[4] = sizeof(void *) == 8 ? 0xA0 : 0x90; /* PGE, PAE or PSE */
    cpu.msr[0].number = 0xC0000080; /* EFER: NXE LMA LME SCE */
    cpu.msr[0].value = sizeof(void *) == 8 ? 0xD01 : 0;
    cpu.msr_count = 1;
}

static void cpu_flush(uintptr_t page)
{
    cpu.flush[cpu.flush_count++ % CPU_FLUSHES] = page;
}

/* What a function calls that check.toml names under `flush`: size 0 is everything. */
static void note_flush(uintptr_t start, size_t size)
{
    uintptr_t first = start >> 12, pages = size ? ((start + size - 1) >> 12) - first + 1 : 0;
    if (pages == 0 || pages > 64)
        cpu_flush(CPU_ALL);
    for (uintptr_t i = 0; pages <= 64 && i < pages; i++)
        cpu_flush(first + i);
}

static inline size_t flushes(void)
{
    return cpu.flush_count;
}

/* Whether a page was flushed from the TLB after flushes() had this value. */
static inline size_t flushed(size_t mark, uintptr_t address)
{
    if (cpu.flush_count - mark > CPU_FLUSHES)
        return 1; /* not known any more */
    for (; mark != cpu.flush_count; mark++)
        if (cpu.flush[mark % CPU_FLUSHES] == CPU_ALL || cpu.flush[mark % CPU_FLUSHES] == address >> 12)
            return 1;
    return 0;
}

/* An instruction that is being decoded. `rex`: its low four bits. */
struct cpu_instruction {
    const uint8_t *next;
    greg_t *registers;
    int rex, short_operand, short_address, reg, mod, rm;
    uintptr_t address; /* of the memory operand, where mod is not 3 */
};

#ifdef __x86_64__
enum { CPU_LONG = 1, CPU_PC = REG_RIP };
static const int cpu_order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                   REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
#else
enum { CPU_LONG = 0, CPU_PC = REG_EIP };
static const int cpu_order[16] = { REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI };
#endif

static greg_t *cpu_register(const struct cpu_instruction *i, int number)
{
    return &i->registers[cpu_order[number & (CPU_LONG ? 15 : 7)]];
}

static uintptr_t cpu_displacement(struct cpu_instruction *i, int size)
{
    int32_t value = 0;
    for (int byte = 0; byte < size; byte++)
        value = (int32_t)((uint32_t)value | (uint32_t)*i->next++ << 8 * byte);
    return (uintptr_t)(intptr_t)(size == 1 ? (int8_t)value : value);
}

/* A SIB byte: base, index and scale. */
static uintptr_t cpu_sib(struct cpu_instruction *i, int *displacement)
{
    int sib = *i->next++, index = (sib >> 3 & 7) | (i->rex & 2) << 2, base = (sib & 7) | (i->rex & 1) << 3;
    uintptr_t address = index == 4 ? 0 : (uintptr_t)*cpu_register(i, index) << (sib >> 6);
    if ((sib & 7) == 5 && i->mod == 0)
        *displacement = 4;
    else
        address += (uintptr_t)*cpu_register(i, base);
    return address;
}

/* ModRM, SIB and displacement; 0 for 16-bit addresses. No instruction here has an immediate behind them. */
static int cpu_operand(struct cpu_instruction *i)
{
    int modrm = *i->next++;
    i->mod = modrm >> 6;
    i->reg = (modrm >> 3 & 7) | (i->rex & 4) << 1;
    i->rm = (modrm & 7) | (i->rex & 1) << 3;
    if (i->mod == 3)
        return 1;
    if (i->short_address && !CPU_LONG)
        return 0;
    int displacement = i->mod == 1 ? 1 : i->mod == 2 ? 4 : 0, relative = 0;
    i->address = 0;
    if ((modrm & 7) == 4)
        i->address = cpu_sib(i, &displacement);
    else if ((modrm & 7) == 5 && i->mod == 0) {
        displacement = 4;
        relative = CPU_LONG;
    } else
        i->address = (uintptr_t)*cpu_register(i, i->rm);
    i->address += cpu_displacement(i, displacement);
    if (relative)
        i->address += (uintptr_t)i->next;
    if (i->short_address)
        i->address = (uint32_t)i->address;
    return 1;
}

static void cpu_move_control(struct cpu_instruction *i, int write)
{
    greg_t *other = cpu_register(i, i->rm);
    uintptr_t *control = &cpu.cr[i->reg & 15], old = *control;
    if (!write) {
        *other = (greg_t)old;
        return;
    }
    *control = (uintptr_t)*other;
    if (i->reg == 3 || i->reg == 4 || (i->reg == 0 && (old ^ *control) >> 31 & 1))
        cpu_flush(CPU_ALL);
}

static enum cpu_answer cpu_msr(struct cpu_instruction *i, int write)
{
    uint32_t number = (uint32_t)*cpu_register(i, 1);
    greg_t *low = cpu_register(i, 0), *high = cpu_register(i, 2);
    int place = 0;
    while (place < cpu.msr_count && cpu.msr[place].number != number)
        place++;
    if (place == CPU_MSRS)
        return CPU_UNKNOWN;
    if (place == cpu.msr_count) {
        cpu.msr[cpu.msr_count++].number = number;
        cpu.msr[place].value = 0;
    }
    if (write)
        cpu.msr[place].value = (uint64_t)(uint32_t)*high << 32 | (uint32_t)*low;
    else {
        *low = (greg_t)(uint32_t)cpu.msr[place].value;
        *high = (greg_t)(uint32_t)(cpu.msr[place].value >> 32);
    }
    return CPU_DONE;
}

/* With interrupts on, one may come at once; without, none ever does. */
static enum cpu_answer cpu_halt(void)
{
    return cpu.interrupts && ++cpu.halts < CPU_HALTS ? CPU_DONE : CPU_HALTED;
}

/* No port has a device: ones come from it. */
static enum cpu_answer cpu_in(struct cpu_instruction *i, int wide, int immediate)
{
    i->next += immediate;
    greg_t *a = cpu_register(i, 0);
    if (!wide)
        *a |= 0xFF;
    else if (i->short_operand)
        *a |= 0xFFFF;
    else
        *a = (greg_t)(uintptr_t)0xFFFFFFFFu;
    return CPU_DONE;
}

/* 0F 01: descriptor tables, the machine status word, invlpg, and a few without operand. */
static enum cpu_answer cpu_group7(struct cpu_instruction *i)
{
    int whole = *i->next;
    if (whole == 0xC9)
        return i->next++, cpu_halt(); /* mwait */
    if (whole == 0xC8 || whole == 0xCA || whole == 0xCB || whole == 0xD1 || (whole == 0xF8 && CPU_LONG))
        return i->next++, CPU_DONE; /* monitor, clac, stac, xsetbv, swapgs */
    if (!cpu_operand(i))
        return CPU_UNKNOWN;
    int what = i->reg & 7;
    if (what == 6) { /* lmsw */
        uintptr_t value = i->mod == 3 ? (uintptr_t)*cpu_register(i, i->rm) : *(uint16_t *)i->address;
        cpu.cr[0] = (cpu.cr[0] & ~(uintptr_t)0xE) | (value & 0xF);
        return CPU_DONE;
    }
    if (i->mod == 3 || (what != 2 && what != 3 && what != 7))
        return CPU_UNKNOWN;
    if (what == 7)
        cpu_flush(i->address >> 12);
    return CPU_DONE; /* lgdt and lidt: the tables are not looked at */
}

static enum cpu_answer cpu_invpcid(struct cpu_instruction *i)
{
    if (*i->next++ != 0x82 || !i->short_operand || !cpu_operand(i) || i->mod == 3)
        return CPU_UNKNOWN;
    uint64_t address = ((uint64_t *)i->address)[1];
    cpu_flush(*cpu_register(i, i->reg) == 0 ? (uintptr_t)(address >> 12) : CPU_ALL);
    return CPU_DONE;
}

static enum cpu_answer cpu_two_bytes(struct cpu_instruction *i)
{
    int code = *i->next++;
    switch (code) {
    case 0x00: /* lldt, ltr */
        return cpu_operand(i) && ((i->reg & 7) == 2 || (i->reg & 7) == 3) ? CPU_DONE : CPU_UNKNOWN;
    case 0x01: return cpu_group7(i);
    case 0x06: cpu.cr[0] &= ~(uintptr_t)8; return CPU_DONE; /* clts */
    case 0x08: case 0x09: return CPU_DONE; /* invd, wbinvd */
    case 0x20: case 0x22:
        i->mod = *i->next >> 6; /* always registers, whatever it says */
        i->reg = (*i->next >> 3 & 7) | (i->rex & 4) << 1;
        i->rm = (*i->next++ & 7) | (i->rex & 1) << 3;
        cpu_move_control(i, code == 0x22);
        return CPU_DONE;
    case 0x21: case 0x23: {
        uintptr_t *debug = &cpu.dr[*i->next >> 3 & 7];
        greg_t *other = cpu_register(i, (*i->next++ & 7) | (i->rex & 1) << 3);
        code == 0x23 ? (void)(*debug = (uintptr_t)*other) : (void)(*other = (greg_t)*debug);
        return CPU_DONE;
    }
    case 0x30: case 0x32: return cpu_msr(i, code == 0x30);
    case 0x33: /* rdpmc */
        *cpu_register(i, 0) = *cpu_register(i, 2) = 0;
        return CPU_DONE;
    case 0x38: return cpu_invpcid(i);
    default: return CPU_UNKNOWN;
    }
}

static enum cpu_answer cpu_one_byte(struct cpu_instruction *i)
{
    int code = *i->next++;
    switch (code) {
    case 0xFA: cpu.interrupts = 0; return CPU_DONE;
    case 0xFB: cpu.interrupts = 1; return CPU_DONE;
    case 0xF4: return cpu_halt();
    case 0xE4: case 0xE5: return cpu_in(i, code & 1, 1);
    case 0xEC: case 0xED: return cpu_in(i, code & 1, 0);
    case 0xE6: case 0xE7: i->next++; return CPU_DONE; /* out */
    case 0xEE: case 0xEF: return CPU_DONE;
    case 0x8E: return cpu_operand(i) ? CPU_DONE : CPU_UNKNOWN; /* a segment register with a kernel's selector */
    case 0xEA: /* ljmp selector:offset, behind lgdt */
        if (CPU_LONG || i->short_operand)
            return CPU_UNKNOWN;
        i->next = (const uint8_t *)cpu_displacement(i, 4);
        return CPU_DONE;
    case 0xCB: { /* lret with 64-bit operands, the same */
        uintptr_t **stack = (uintptr_t **)cpu_register(i, 4);
        if (!CPU_LONG || !(i->rex & 8))
            return CPU_UNKNOWN;
        i->next = (const uint8_t *)**stack;
        *stack += 2;
        return CPU_DONE;
    }
    case 0x0F: return cpu_two_bytes(i);
    default: return CPU_UNKNOWN;
    }
}

/* Does the instruction that trapped, if it is one of these; then the program goes on behind it. */
static enum cpu_answer cpu_step(ucontext_t *context)
{
    greg_t *registers = context->uc_mcontext.gregs;
    struct cpu_instruction i = { .next = (const uint8_t *)registers[CPU_PC], .registers = registers };
    for (int prefixes = 0;; i.next++) {
        int byte = *i.next;
        if (++prefixes > 15)
            return CPU_UNKNOWN; /* longer than any instruction: that is what it trapped for */
        if (byte == 0x66)
            i.short_operand = 1;
        else if (byte == 0x67)
            i.short_address = 1;
        else if (byte != 0x2E && byte != 0x36 && byte != 0x3E && byte != 0x26 && byte != 0x64 && byte != 0x65
                 && byte != 0xF2 && byte != 0xF3)
            break;
    }
    if (CPU_LONG && (*i.next & 0xF0) == 0x40)
        i.rex = *i.next++ & 15;
    enum cpu_answer answer = cpu_one_byte(&i);
    if (answer == CPU_DONE)
        registers[CPU_PC] = (greg_t)i.next;
    return answer;
}
