/* replay: a recorded program's malloc, realloc and free calls through the allocator of this process.
 *
 *   replay EVENTS [whole]    (LD_PRELOAD decides which allocator)
 *   replay_coalmm EVENTS [whole]    (the same, compiled with COALMM: kmalloc, krealloc and kfree of libcoalmm.so)
 *
 * EVENTS is written by bench/events.py: a header of eight words and then 8 bytes an event, a slot
 * with the operation in its two top bits and a size. A slot is a place in a table of live blocks.
 *
 * Method, the same as in bench/replay_coal.py:
 *  - The file is read into memory, and the file, the slots and the code are touched, before anything
 *    is measured.
 *  - The loop is run with calls that do nothing in place of the allocator's, through the same
 *    pointers and the same switch: the median of EMPTY_ROUNDS of that is the empty loop.
 *  - The loop is run once with the allocator, cold, as a program would run it: what the allocator
 *    pays to the host for memory is its own. Net time = this - the empty loop.
 *  - Time is processor time of the process, kernel and user: other work on the machine is not in it.
 *  - Each block's first byte is written when the block is got or resized; in the empty loop it is the
 *    first byte of one place that every call returns.
 *  - With `whole`, a byte of every page of each block is written too, as the program that was recorded
 *    will have done: blocks that are never written cost no memory and would flatter the footprint. The
 *    times of such a run are not comparable, since no empty loop can write those pages.
 *  - Footprint: VmHWM when the loop has ended less VmRSS before it began (the high-water mark is
 *    reset by writing 5 to clear_refs, where the host allows that).
 * Prints one line of JSON. Exit status 1 if the allocator failed a request.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef COALMM
#include <coalmm.h>
#define ALLOCATOR {kmalloc, krealloc, kfree}
#else
#define ALLOCATOR {malloc, realloc, free}
#endif

#define EMPTY_ROUNDS 5
#define PAGE 4096
#define MAGIC 0x313056454C414F43ull /* "COALEV01" */
enum { ALLOCATE = 0, RESIZE = 1, FREE = 2 };

struct header { uint64_t magic, events, slots, peak_bytes, peak_blocks, skipped, unused[2]; };
struct event { uint32_t slot, size; };
struct allocator {
    void *(*allocate)(size_t size);
    void *(*resize)(void *block, size_t size);
    void (*release)(void *block);
};

static char nowhere[64];
__attribute__((noipa)) static void *allocate_nothing(size_t size) { (void)size; return nowhere; }
__attribute__((noipa)) static void *resize_nothing(void *block, size_t size) { (void)size; return block; }
__attribute__((noipa)) static void release_nothing(void *block) { (void)block; }

static inline void touch(char *block, uint32_t size, int whole)
{
    *block = 1;
    if (!whole) return;
    for (uint32_t offset = PAGE; offset < size; offset += PAGE) block[offset] = 1;
    block[size - 1] = 1;
}

/* Returns the requests that failed. */
static inline __attribute__((always_inline)) uint64_t loop(const struct allocator *allocator,
    const struct event *events, uint64_t count, char **slots, int whole)
{
    uint64_t failed = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t slot = events[i].slot & 0x3FFFFFFF;
        char *block;
        switch (events[i].slot >> 30) {
        case ALLOCATE: block = allocator->allocate(events[i].size); break;
        case RESIZE: block = allocator->resize(slots[slot], events[i].size); break;
        default: allocator->release(slots[slot]); slots[slot] = NULL; continue;
        }
        if (block == NULL) { failed++; continue; }
        touch(block, events[i].size, whole);
        slots[slot] = block;
    }
    return failed;
}

/* noipa: the empty loop and the measured one are the same machine code. */
__attribute__((noipa)) static uint64_t run(const struct allocator *allocator, const struct event *events,
                                           uint64_t count, char **slots)
{
    return loop(allocator, events, count, slots, 0);
}

__attribute__((noipa)) static uint64_t run_whole(const struct allocator *allocator, const struct event *events,
                                                 uint64_t count, char **slots)
{
    return loop(allocator, events, count, slots, 1);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

/* A line of /proc/self/status in bytes, read without the allocator under test. 0 if it is not there. */
static uint64_t status_bytes(const char *name)
{
    static char text[8192];
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[size > 0 ? size : 0] = 0;
    const char *line = strstr(text, name);
    return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

static void reset_high_water(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY);
    if (fd < 0) return;
    if (write(fd, "5", 1) != 1) fprintf(stderr, "replay: the high-water mark could not be reset\n");
    close(fd);
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

/* The whole file in anonymous memory, every page of it touched. */
static void *read_file(const char *path, uint64_t *size)
{
    struct stat status;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &status) != 0) return NULL;
    *size = status.st_size;
    char *memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    for (uint64_t done = 0; done < *size;) {
        ssize_t got = read(fd, memory + done, *size - done);
        if (got <= 0) return NULL;
        done += got;
    }
    close(fd);
    return memory;
}

int main(int argc, char **argv)
{
    uint64_t size = 0;
    const struct header *header = argc == 2 || argc == 3 ? read_file(argv[1], &size) : NULL;
    int whole = argc == 3 && strcmp(argv[2], "whole") == 0;
    if (header == NULL || size < sizeof *header || header->magic != MAGIC ||
        header->events != (size - sizeof *header) / sizeof(struct event)) {
        fprintf(stderr, "replay: %s is not a file of events\n", argc > 1 ? argv[1] : "(nothing)");
        return 2;
    }
    const struct event *events = (const struct event *)(header + 1);
    uint64_t slots_size = header->slots * sizeof(char *);
    char **slots = mmap(NULL, slots_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slots == MAP_FAILED) return 2;
    memset(slots, 0xFF, slots_size);

    const struct allocator nothing = {allocate_nothing, resize_nothing, release_nothing};
    const struct allocator own = ALLOCATOR;
    double empty[EMPTY_ROUNDS];
    for (int i = 0; i < EMPTY_ROUNDS; i++) {
        double start = seconds();
        run(&nothing, events, header->events, slots);
        empty[i] = seconds() - start;
    }
    qsort(empty, EMPTY_ROUNDS, sizeof empty[0], compare);
    memset(slots, 0, slots_size);
#ifdef COALMM /* room for eight times the peak, as replay_coal.py has; nothing of it is touched yet */
    char options[64];
    uint64_t mebibytes = header->peak_bytes * 8 >> 20;
    snprintf(options, sizeof options, "ram=%lluM paging=x86_64", (unsigned long long)(mebibytes > 128 ? mebibytes : 128));
    if (coalmm_boot(options) != 0) {
        fprintf(stderr, "replay: %s\n", coalmm_error());
        return 2;
    }
#endif

    status_bytes("VmRSS:");  /* its page is touched before the mark is reset */
    reset_high_water();
    uint64_t before = status_bytes("VmRSS:");
    double start = seconds();
    uint64_t failed = (whole ? run_whole : run)(&own, events, header->events, slots);
    double taken = seconds() - start;
    uint64_t after = status_bytes("VmHWM:");

    double per_event = 1e9 / header->events;
    double growth = after > before ? (double)(after - before) : 0;
    printf("{\"gross_ns\": %.4f, \"empty_ns\": %.4f, \"net_ns\": %.4f, \"footprint_bytes\": %.0f, "
           "\"footprint\": %.5f, \"events\": %llu, \"failed\": %llu}\n",
           taken * per_event, empty[EMPTY_ROUNDS / 2] * per_event,
           (taken - empty[EMPTY_ROUNDS / 2]) * per_event, growth, growth / header->peak_bytes,
           (unsigned long long)header->events, (unsigned long long)failed);
    return failed != 0;
}
