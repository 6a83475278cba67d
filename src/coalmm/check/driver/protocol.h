/* The memory that the driver shares with the kit. The offsets are known to ../protocol.py too. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdint.h>

enum { OPS_MAX = 4096, EVENTS_MAX = 1 << 16, SLOTS_MAX = 1 << 20, DATA_SIZE = 1 << 22, MESSAGE_SIZE = 2048,
       SAID_SIZE = 2048, FRAMES_MAX = 32, OBJECTS_MAX = 4, CODE_SIZE = 16 };

/* Primitives beside the functions of the document, which are 0, 1, 2... in the order of ../functions.py. */
enum {
    OP_FILL = 100,   /* address, size, seed: write the pattern */
    OP_DIFFERS,      /* address, size, seed: where the bytes first differ from the pattern, or -1 */
    OP_NONZERO,      /* address, size: where the first byte is that is not zero, or -1 */
    OP_READ,         /* address, size, offset: copy the bytes into `data` */
    OP_POKE,         /* address, byte: write it */
    OP_REGION,       /* size, alignment: fresh memory between two guard pages */
    OP_OBJECT_SIZE,  /* which constructor, size of the objects that it is called for */
    OP_MANY_GIVEN,   /* function, most, three arguments, bytes to fill: call until NULL, results in slots */
    OP_MANY_TAKEN,   /* function, first slot, count, order, cache: give them back */
    OP_MANY_DIFFER,  /* first slot, count, size: number of the first object that lost its pattern, or -1 */
    OP_FAIL,         /* n: the nth allocation inside the target from now on fails; 0: none */
    OP_BUDDY_FREE,   /* free bytes that the target's buddy statistics say; -1 where it cannot be read */
    OP_FLUSHES,      /* how often pages were flushed from the TLB so far */
    OP_FLUSHED,      /* a value of OP_FLUSHES, address: 1 if its page was flushed since then */
};

enum { FLAG_PHYSICAL = 1, FLAG_NULL_ALLOWED = 2 };  /* the address is physical; run it with NULL slots too */
enum { PHASE_START, PHASE_LOAD, PHASE_INIT, PHASE_READY };
enum { LOAD_FAILED = 125, DESCRIPTORS_GONE = 122, HALTED = 121 }; /* exit statuses */
enum { FAULT_NONE, FAULT_AT, FAULT_PROTECTION }; /* fault_known: a page fault; a general protection fault */
enum { STATUS_NONE, STATUS_DONE, STATUS_SKIPPED };

struct op {
    uint32_t code, out;    /* `out`: the slot that gets the value */
    uint32_t refs, flags;  /* bit i of refs: argument i is a slot (low 32 bits) plus a signed distance (high 32) */
    uint64_t args[6];
};

struct result {
    uint64_t status, value, fields[6];  /* fields: words of a structure that was filled; the last of a call without
                                           structure is the number of constructor events so far */
};

struct event {
    uint64_t object, kind;  /* kind: constructor number * 2, plus 1 for a destructor */
};

/* A file of the target that is loaded: from start to end; addresses in the file count from base. */
struct object {
    uint64_t start, end, base;
    char path[232];
};

struct shared {
    uint64_t size, phase, running, present, extras, events, fault_address, fault_known, word_size;
    uint64_t trap_pc, trap_signal, frame_count, object_count, said_length, panicked, halted, code_size, reserved[15];
    char message[MESSAGE_SIZE];
    char said[SAID_SIZE];            /* what the running operation told the functions under `print` and `panic` */
    uint64_t frames[FRAMES_MAX];     /* of the trap that ended it, innermost first */
    struct object object[OBJECTS_MAX];
    unsigned char code[CODE_SIZE];   /* at trap_pc */
    struct op ops[OPS_MAX];
    struct result results[OPS_MAX];
    struct event event[EVENTS_MAX];
    uint64_t slots[SLOTS_MAX];
    unsigned char data[DATA_SIZE];
};

/* Slots that the driver fills at start. */
enum { SLOT_NULL, SLOT_BUFFER_END, SLOT_NAMES, SLOT_CTORS = 8, SLOT_DTORS = 12, SLOT_FIRST = 16 };
enum { NAMES = 4, HOOKS = 4, BUFFER_SIZE = 1 << 20 };
enum { EXTRA_PHYSICAL = 1, EXTRA_FAIL = 2, EXTRA_BUDDY_FREE = 4 };

#endif
