/* Runs the operations of the kit on a target: driver TARGET.so SHARED COMMANDS ANSWERS (three descriptors).
 * Each int that comes in COMMANDS says how many operations stand in the shared memory; one byte in ANSWERS says that
 * they are done. Whatever kills this process is for the kit to tell: `running` says where it was. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "protocol.h"

static volatile struct shared *shared;

#define HOOK_EVENT(o, k) note_event((o), (k))
static void note_event(void *object, uint64_t kind)
{
    volatile struct event *event = &shared->event[shared->events % EVENTS_MAX];
    event->object = (uint64_t)(uintptr_t)object;
    event->kind = kind;
    shared->events++;
}

#include "confine.h"
#include "privileged.h"
#include "said.h"
#include "ending.h"
#include "traps.h"
#include "patterns.h"
#include "hooks.h"
#include "region.h"
#include "calls.h" /* written by ../driver_source.py: function_names, entry[], call() */

static void *(*physical)(uintptr_t);
static void (*fail_nth)(unsigned long);
static size_t (*buddy_free_bytes)(void);

static void *find(void *library, const char *name)
{
    char own[64];
    snprintf(own, sizeof own, "check_%s", name);
    void *found = dlsym(library, own);
    return found ? found : dlsym(library, name);
}

/* Has a pointer of the adapter's, where it has one, lead here. */
static void hooked(void *library, const char *name, void *function)
{
    void **pointer = dlsym(library, name);
    if (pointer)
        *pointer = function;
}

static void load(const char *path)
{
    shared->phase = PHASE_LOAD;
    int before = 0;
    dl_iterate_phdr(count_object, &before);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf((char *)shared->message, MESSAGE_SIZE, "%s", dlerror());
        _exit(LOAD_FAILED);
    }
    uintptr_t *ram = dlsym(library, "check_ram");
    if (ram && !map_ram(ram)) {
        snprintf((char *)shared->message, MESSAGE_SIZE, "RAM cannot be mapped at %#lx: something is there", (long)ram[0]);
        _exit(LOAD_FAILED);
    }
    for (int i = 0; i < FUNCTIONS; i++) {
        char absent[64];
        snprintf(absent, sizeof absent, "check_absent_%s", function_names[i]);
        entry[i] = dlsym(library, absent) ? NULL : find(library, function_names[i]);
        if (entry[i])
            shared->present |= (uint64_t)1 << i;
    }
    *(void **)&physical = dlsym(library, "check_physical");
    *(void **)&fail_nth = dlsym(library, "check_fail_nth");
    *(void **)&buddy_free_bytes = dlsym(library, "check_buddy_free_bytes");
    shared->extras = (physical ? EXTRA_PHYSICAL : 0) | (fail_nth ? EXTRA_FAIL : 0) | (buddy_free_bytes ? EXTRA_BUDDY_FREE : 0);
    dl_iterate_phdr(note_object, &before);
    hooked(library, "check_said", (void *)note_said);
    hooked(library, "check_flush", (void *)note_flush);
    shared->phase = PHASE_INIT;
    void (*init)(void);
    *(void **)&init = dlsym(library, "check_init");
    if (init)
        init();
    cpu_give_thread();
}

static void fill_slots(void)
{
    static char names[NAMES][16384] = { "check", "check two", "" };
    static void (*const ctors[])(void *) = { ctor0, ctor1, ctor2, ctor3 };
    static void (*const dtors[])(void *) = { dtor0, dtor1, dtor2, dtor3 };
    memset(names[3], 'n', 10000);
    shared->slots[SLOT_BUFFER_END] = (uintptr_t)region(BUFFER_SIZE, 4096) + BUFFER_SIZE;
    for (int i = 0; i < NAMES; i++)
        shared->slots[SLOT_NAMES + i] = (uintptr_t)names[i];
    for (int i = 0; i < HOOKS; i++) {
        shared->slots[SLOT_CTORS + i] = (uintptr_t)ctors[i];
        shared->slots[SLOT_DTORS + i] = (uintptr_t)dtors[i];
    }
}

/* Calls until NULL or args[1] results; each is filled with a pattern of its own. The value is how many there are. */
static uint64_t many_given(uint32_t out, const uint64_t *args)
{
    uint64_t count = 0;
    struct result unused;
    for (; count < args[1]; count++) {
        uint64_t value = call((uint32_t)args[0], args + 2, &unused);
        if (value == 0)
            break;
        shared->slots[out + count] = value;
        if (args[5])
            fill((void *)(uintptr_t)value, args[5], out + count);
    }
    return count;
}

/* Gives slots back: order 0 from the first, 1 from the last, 2 every second one and then the others. */
static void many_taken(const uint64_t *args)
{
    uint64_t function = args[0], first = args[1], count = args[2], order = args[3];
    struct result unused;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t half = (count + 1) / 2, k = i;
        if (order == 1)
            k = count - 1 - i;
        else if (order == 2)
            k = i < half ? 2 * i : 2 * (i - half) + 1;
        uint64_t pointer = shared->slots[first + k], with_cache[2] = { args[4], pointer };
        if (pointer)
            call((uint32_t)function, args[4] ? with_cache : &pointer, &unused);
    }
}

static uint64_t many_differ(const uint64_t *args)
{
    for (uint64_t i = 0; i < args[1]; i++)
        if (differs((void *)(uintptr_t)shared->slots[args[0] + i], args[2], args[0] + i) != (size_t)-1)
            return i;
    return (uint64_t)-1;
}

static uint64_t wide(size_t offset)
{
    return offset == (size_t)-1 ? (uint64_t)-1 : offset;
}

static uint64_t run(const struct op *op, uint64_t *a, struct result *result)
{
    void *address = (void *)(uintptr_t)a[0];
    if (op->flags & FLAG_PHYSICAL)
        address = physical((uintptr_t)a[0]);
    switch (op->code) {
    case OP_FILL: fill(address, a[1], a[2]); return 0;
    case OP_DIFFERS: return wide(differs(address, a[1], a[2]));
    case OP_NONZERO: return wide(nonzero(address, a[1]));
    case OP_READ: memcpy((void *)(shared->data + a[2]), address, a[1]); return 0;
    case OP_POKE: *(volatile unsigned char *)address = (unsigned char)a[1]; return 0;
    case OP_REGION: return (uintptr_t)region(a[0], a[1]);
    case OP_OBJECT_SIZE: object_size[a[0] % HOOKS] = a[1]; return 0;
    case OP_MANY_GIVEN: return many_given(op->out, a);
    case OP_MANY_TAKEN: many_taken(a); return 0;
    case OP_MANY_DIFFER: return many_differ(a);
    case OP_FAIL: fail_nth(a[0]); return 0;
    case OP_BUDDY_FREE: return buddy_free_bytes();
    case OP_FLUSHES: return flushes();
    case OP_FLUSHED: return (uint64_t)flushed((size_t)a[0], (uintptr_t)a[1]);
    default: return call(op->code, a, result);
    }
}

static void step(uint32_t i)
{
    struct op op = *(struct op *)&shared->ops[i];
    struct result result = { .status = STATUS_DONE };
    for (int k = 0; k < 6; k++)
        if (op.refs & 1u << k) {
            uint64_t base = shared->slots[(uint32_t)op.args[k]];
            int32_t distance = (int32_t)(op.args[k] >> 32);
            if (base == 0 && !(op.flags & FLAG_NULL_ALLOWED))
                result.status = STATUS_SKIPPED;
            op.args[k] = (uintptr_t)(base + (uint64_t)(int64_t)distance);
        }
    if (result.status == STATUS_DONE) {
        shared->running = i;
        shared->said_length = 0;
        cpu.halts = 0;
        result.value = run(&op, op.args, &result);
    }
    if (op.code != OP_MANY_GIVEN)
        shared->slots[op.out] = result.value;
    if (op.code < OP_FILL && !fills_structure[op.code])
        result.fields[5] = shared->events;
    *(struct result *)&shared->results[i] = result;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 124;
    int commands = atoi(argv[3]), answers = atoi(argv[4]), count;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[2]), 0);
    if (shared == MAP_FAILED)
        return 123;
    shared->size = sizeof *shared;
    shared->word_size = sizeof(size_t);
    pattern_start();
    fill_slots();
    setvbuf(stdout, NULL, _IOLBF, 0); /* what was printed is not lost in a crash */
    begin_endings();
    catch_traps();
    confine();
    load(argv[1]);
    shared->phase = PHASE_READY;
    while (write(answers, "D", 1) == 1 && read(commands, &count, sizeof count) == sizeof count) {
        for (int i = 0; i < count; i++)
            step((uint32_t)i);
        fflush(stdout);
    }
    _exit(DESCRIPTORS_GONE); /* the kit kills this process when it is done */
}
