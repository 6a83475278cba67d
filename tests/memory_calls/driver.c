/* Makes the memory calls that it is told on standard input and prints what came of each, one line a command.
 *
 *   call NUMBER A B C D E F     a system call; prints its result, or the errno as a negative number
 *   open FLAGS PATH             as the system call
 *   load WHERE / store WHERE V  one word; prints it, or the signal, its code, and whether the address is right
 *   maps                        the areas of the arena with their VmFlags, equal neighbours joined
 *   number WHERE SIZE           how many lines of maps a range has: not joined
 *   hash                        a sum over every page of the arena that may be read, and which those are
 *
 * Numbers are hex. `A` before one means relative to the arena, `S` to the scratch page, `B` to the first break;
 * results are printed so too. Needs no library, so that it can be made for i386 without one.
 */
typedef unsigned long word;
typedef unsigned char byte;

#define ARENA (500UL << 12) /* no multiple of 2 MiB, which Linux would align for huge pages */
#define BELOW (512UL << 12)
#define PAGE 4096UL

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, OPEN = 2, CLOSE = 3, MMAP = 9, MUNMAP = 11, SIGACTION = 13, BRK = 12, EXIT = 60, SIGRETURN = 15 };
static word call6(word n, word a, word b, word c, word d, word e, word f) {
    word result;
    register word r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
    asm volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}
#define IP_AT 168
asm(".globl probe_load, probe_store, probe_fail, restorer, _start\n"
    "_start: mov %rsp, %rdi; and $-16, %rsp; call start\n"
    "probe_load: mov (%rdi), %rax; movl $0, caught; ret\n"
    "probe_store: mov %rsi, (%rdi); movl $0, caught; ret\n"
    "probe_fail: ret\n"
    "restorer: mov $15, %eax; syscall\n");
#else
enum { READ = 3, WRITE = 4, OPEN = 5, CLOSE = 6, MMAP = 192, MUNMAP = 91, SIGACTION = 174, BRK = 45, EXIT = 1, SIGRETURN = 173 };
static word call6(word n, word a, word b, word c, word d, word e, word f) {
    word result;
    struct { word n, f; } two = {n, f};
    asm volatile("push %%ebp; push %%ebx; mov 4(%%eax), %%ebp; mov (%%eax), %%eax; mov %[a], %%ebx; int $0x80; pop %%ebx; pop %%ebp"
                 : "=a"(result) : "a"(&two), [a] "r"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
    return result;
}
#define IP_AT 76
asm(".globl probe_load, probe_store, probe_fail, restorer, _start\n"
    "_start: mov %esp, %eax; and $-16, %esp; sub $12, %esp; push %eax; call start\n"
    "probe_load: mov 4(%esp), %eax; mov (%eax), %eax; movl $0, caught; ret\n"
    "probe_store: mov 4(%esp), %eax; mov 8(%esp), %ecx; mov %ecx, (%eax); movl $0, caught; ret\n"
    "probe_fail: ret\n"
    "restorer: mov $173, %eax; int $0x80\n");
#endif

word probe_load(word where);
void probe_store(word where, word value);
void probe_fail(void), restorer(void);

int caught, code;
static word caught_at;
static word arena, scratch, first_break;
static char line[512], text[1 << 16];

static void handler(int number, int *info, byte *context) {
    caught = number;
    code = info[2];
    caught_at = *(word *)(info + (sizeof(word) == 8 ? 4 : 3));
    *(word *)(context + IP_AT) = (word)probe_fail;
}

static char *out = text;
static void put(const char *s) { while (*s) *out++ = *s++; }
static void put_hex(word value) {
    int shift = 8 * sizeof value - 4;
    while (shift && !(value >> shift & 15)) shift -= 4;
    for (; shift >= 0; shift -= 4) *out++ = "0123456789abcdef"[value >> shift & 15];
}
static void put_signed(word value) {
    if ((long)value < 0) { *out++ = '-'; value = -value; }
    put_hex(value);
}
static void flush(void) {
    for (char *at = text; at < out;) at += call6(WRITE, 1, (word)at, out - at, 0, 0, 0);
    out = text;
}
static void put_result(word value) {
    if (value > -4096UL) { put_signed(value); return; }
    if (value >= arena - BELOW && value <= scratch + 15 * PAGE) { put("A"); put_signed(value - arena); return; }
    if (value >= first_break && value - first_break <= ARENA) { put("B"); put_hex(value - first_break); return; }
    put_hex(value);
}

static char *at;
static word number(void) {
    word base = 0, value = 0;
    int negative = 0;
    while (*at == ' ') at++;
    if (*at == 'A') { base = arena; at++; }
    else if (*at == 'S') { base = scratch; at++; }
    else if (*at == 'B') { base = first_break; at++; }
    if (*at == '-') { negative = 1; at++; }
    for (; *at && *at != ' '; at++) value = value << 4 | (*at <= '9' ? *at - '0' : *at - 'a' + 10);
    return base + (negative ? -value : value);
}

static char maps[1 << 20];
static word read_maps(void) {
    word fd = call6(OPEN, (word)"/proc/self/smaps", 0, 0, 0, 0, 0), size = 0, got;
    while ((got = call6(READ, fd, (word)(maps + size), sizeof maps - 1 - size, 0, 0, 0)) - 1 < -4096UL) size += got;
    call6(CLOSE, fd, 0, 0, 0, 0, 0);
    maps[size] = 0;
    return size;
}
struct area { word start, end, offset; char rights[4], flags[96]; int file; };
static char *hex_at(char *p, word *value) {
    for (*value = 0; *p > ' ' && *p != '-'; p++) *value = *value << 4 | (*p <= '9' ? *p - '0' : *p - 'a' + 10);
    return p + 1;
}
static char *parse(char *p, struct area *area) {
    p = hex_at(p, &area->start);
    p = hex_at(p, &area->end);
    for (int i = 0; i < 4; i++) area->rights[i] = *p++;
    p = hex_at(p + 1, &area->offset);
    while (*p != ' ') p++; /* device */
    area->file = p[1] != '0';
    if (!area->file) area->offset = 0;
    while (*p != '\n' || p[1] != 'V' || p[2] != 'm') p++;
    char *flag = area->flags;
    for (p += 10; *p != '\n'; p += 3) { /* all but what a program cannot choose: accounted, soft-dirty */
        if ((p[0] == 'a' && p[1] == 'c') || (p[0] == 's' && p[1] == 'd')) continue;
        *flag++ = p[0];
        *flag++ = p[1];
    }
    *flag = 0;
    return p + 1;
}
static int inside(struct area *area) { return area->end > arena - BELOW && area->end <= arena + ARENA; }
static int joins(struct area *a, struct area *b) {
    for (int i = 0; i < 4; i++) if (a->rights[i] != b->rights[i]) return 0;
    for (int i = 0; a->flags[i] || b->flags[i]; i++) if (a->flags[i] != b->flags[i]) return 0;
    return a->end == b->start && a->file == b->file && (!a->file || a->offset + (a->end - a->start) == b->offset);
}
static void put_area(struct area *area) {
    put(" ");
    put_signed(area->start - arena);
    put(":");
    put_hex(area->end - area->start);
    put(":");
    for (int i = 0; i < 4; i++) *out++ = area->rights[i];
    put(":");
    put(area->flags);
    if (area->file) { put("@"); put_hex(area->offset); }
}
static void show_maps(void) {
    struct area last = {0}, next;
    read_maps();
    for (char *p = maps; *p;) {
        p = parse(p, &next);
        if (!inside(&next)) continue;
        if (last.end && joins(&last, &next)) { last.end = next.end; continue; }
        if (last.end) put_area(&last);
        last = next;
    }
    if (last.end) put_area(&last);
}
static void show_hash(void) {
    struct area area;
    unsigned long long sum = 0;
    word readable = 0, missing = 0;
    read_maps();
    for (char *p = maps; *p;) {
        p = parse(p, &area);
        if (!inside(&area) || area.rights[0] != 'r') continue;
        for (word page = area.start; page < area.end; page += PAGE) {
            caught = -1;
            probe_load(page);
            if (caught) { missing++; continue; }
            readable++;
            for (word where = page; where < page + PAGE; where += sizeof(word))
                if (*(word *)where) sum = sum * 31 + *(word *)where + (where - page);
        }
    }
    put_hex(readable);
    put(" ");
    put_hex(missing);
    put(" ");
    put_hex((word)(sum >> 32 ^ sum) & 0xffffffff);
}

static void probe(int store) {
    word where = number(), value = number();
    caught = -1;
    if (store) probe_store(where, value);
    else value = probe_load(where);
    if (!caught) { put_hex(value); return; }
    put("signal ");
    put_hex(caught);
    put(" ");
    put_signed(code);
    if (caught_at != where) put(" elsewhere");
}

static void one_call(void) {
    word n = number(), a = number(), b = number(), c = number(), d = number(), e = number(), f = number();
    put_result(call6(n, a, b, c, d, e, f));
}

static word raw_areas(word start, word end) {
    struct area area;
    word count = 0;
    read_maps();
    for (char *p = maps; *p;) {
        p = parse(p, &area);
        if (area.start < end && area.end > start) count++;
    }
    return count;
}

void start(word *stack) {
    (void)stack;
    word action[] = {(word)handler, 0x44000004, (word)restorer, 0, 0}; /* SIGINFO, RESTORER, NODEFER */
    call6(SIGACTION, 11, (word)action, 0, 8, 0, 0);
    call6(SIGACTION, 7, (word)action, 0, 8, 0, 0);
    first_break = call6(BRK, 0, 0, 0, 0, 0, 0);
    first_break = call6(BRK, (first_break + 4095) & -4096UL, 0, 0, 0, 0, 0);
    scratch = call6(MMAP, 0, 16 * PAGE, 3, 0x22, -1, 0);
    call6(MMAP, scratch, PAGE, 0, 0x32, -1, 0); /* what is below it cannot be an area that joins */
    arena = call6(MMAP, 0, ARENA, 0, 0x4022, -1, 0);
    scratch += PAGE;
    call6(MUNMAP, arena, ARENA, 0, 0, 0, 0);
    for (;;) {
        char *end = line;
        while (call6(READ, 0, (word)end, 1, 0, 0, 0) == 1 && *end != '\n') end++;
        if (end == line) break;
        *end = 0;
        at = line;
        while (*at && *at != ' ') at++;
        if (line[0] == 'c') one_call();
        else if (line[0] == 'l') probe(0);
        else if (line[0] == 's') probe(1);
        else if (line[0] == 'm') show_maps();
        else if (line[0] == 'h') show_hash();
        else if (line[0] == 'o') {
            word flags = number();
            put_result(call6(OPEN, (word)(at + 1), flags, 0644, 0, 0, 0));
        } else if (line[0] == 'n') { word from = number(); put_hex(raw_areas(from, from + number())); }
        put("\n");
        flush();
    }
    call6(EXIT, 0, 0, 0, 0, 0, 0);
}
