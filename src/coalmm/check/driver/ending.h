/* What the kit is told about the end of this process: where, what was said before, the code there. */
#include <stdarg.h>
#include <stdint.h>

static int count_object(struct dl_phdr_info *info, size_t size, void *count)
{
    (void)info, (void)size;
    ++*(int *)count;
    return 0;
}

/* Notes the objects behind the first `*before` ones: those of the target. */
static int note_object(struct dl_phdr_info *info, size_t size, void *before)
{
    (void)size;
    if ((*(int *)before)-- > 0 || shared->object_count == OBJECTS_MAX)
        return 0;
    struct object *object = (struct object *)&shared->object[shared->object_count++];
    object->base = info->dlpi_addr;
    object->start = UINT64_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uint64_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, end = start + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        object->start = start < object->start ? start : object->start;
        object->end = end > object->end ? end : object->end;
    }
    strncpy(object->path, info->dlpi_name, sizeof object->path - 1);
    return 0;
}

static int in_target(uint64_t address)
{
    for (uint64_t i = 0; i < shared->object_count; i++)
        if (address >= shared->object[i].start && address < shared->object[i].end)
            return 1;
    return 0;
}

static void note_frame(uint64_t address)
{
    if (in_target(address) && shared->frame_count < FRAMES_MAX)
        shared->frames[shared->frame_count++] = address;
}

/* Where the target is: its frames behind the trap. A call of what is no code leaves only the return address. */
static void note_place(void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    uintptr_t pc = (uintptr_t)registers[CPU_PC], sp = (uintptr_t)registers[cpu_order[4]];
    void *frames[256];
    int count = backtrace(frames, 256), start = 0;
    shared->trap_pc = pc;
    shared->frame_count = 0;
    while (start < count && (uintptr_t)frames[start] != pc)
        start++;
    if (start + 1 >= count) {
        note_frame(pc);
        if (!in_target(pc) && sp % sizeof(void *) == 0 && said_readable((char *)sp))
            note_frame(*(uintptr_t *)sp);
    }
    for (int i = start; i < count; i++)
        note_frame((uintptr_t)frames[i]);
    shared->code_size = in_target(pc) ? (4096 - pc % 4096 < CODE_SIZE ? 4096 - pc % 4096 : CODE_SIZE) : 0;
    memcpy((void *)shared->code, (void *)pc, shared->code_size);
}

static void note_trap(int number, siginfo_t *info, void *context)
{
    if (number == SIGSEGV || number == SIGBUS) {
        shared->fault_address = (uint64_t)(uintptr_t)info->si_addr;
        shared->fault_known = info->si_code == SI_KERNEL ? FAULT_PROTECTION : FAULT_AT;
    }
    note_place(context);
    shared->trap_signal = (uint64_t)number;
}
#define TRAP_ENDS(number, info, context) note_trap(number, info, context)

static void halt(void *context)
{
    shared->halted = cpu.interrupts ? 2 : 1;
    note_place(context);
    _exit(HALTED);
}
#define TRAP_HALTS(context) halt(context)

/* The kit asks with SIGXCPU where a call is that does not return. */
static void stuck(int number, siginfo_t *info, void *context)
{
    (void)info;
    note_place(context);
    shared->trap_signal = (uint64_t)number;
}

/* backtrace loads a library when it is called first, which no signal handler should do. */
static void begin_endings(void)
{
    void *frames[2];
    struct sigaction action = { .sa_sigaction = stuck, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    backtrace(frames, 2);
    sigaction(SIGXCPU, &action, NULL);
}

/* Appends to what was said; of much, the last is kept. */
static void say(const char *text)
{
    size_t size = strlen(text), used = shared->said_length;
    if (used + size > SAID_SIZE) {
        memmove((void *)shared->said, (char *)shared->said + used / 2, used - used / 2);
        used -= used / 2;
    }
    memcpy((char *)shared->said + used, text, size);
    shared->said_length = used + size;
}

/* What the functions under `print` call, and those under `panic`, with their name. */
static void note_said(const char *panic, const char *format, va_list arguments)
{
    char text[SAID_SIZE / 4];
    said_text(text, sizeof text, format, arguments);
    if (panic) {
        shared->said_length = 0;
        say(panic);
        say(": ");
    }
    say(text);
    if (panic) {
        shared->panicked = 1;
        abort();
    }
}
