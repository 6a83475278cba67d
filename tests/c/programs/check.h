/* Tests in C: `TEST(name) { ... }`, CHECK, and what a refused call must leave as it was.
 *
 * The program runs its tests (or those whose names are given) one after the other, each on a machine of its
 * own, and prints "ok NAME" or "not ok NAME: WHERE: WHAT" for each.
 */
#ifndef CHECK_H
#define CHECK_H

#include <coalmm.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS options()
#define PAGE 4096
#define RW (PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER)
#define USER 0x40000000ul /* a user address of every paging mode */
#define MOST_TESTS 200

/* What the machines are booted with: one program serves every paging mode. */
static inline const char *options(void)
{
    const char *given = getenv("CHECK_OPTIONS");
    return given ? given : "ram=4M";
}

struct test { const char *name; void (*run)(void); };
static struct test tests[MOST_TESTS];
static int test_count;
static jmp_buf failed;
static char failure[512];

#define TEST(name)                                                                            \
    static void test_##name(void);                                                            \
    __attribute__((constructor)) static void add_##name(void)                                 \
    { tests[test_count++] = (struct test){#name, test_##name}; }                              \
    static void test_##name(void)

#define CHECK(condition)                                                                      \
    do {                                                                                      \
        if (!(condition)) {                                                                   \
            snprintf(failure, sizeof failure, "%s:%d: %s; last error: %s", __FILE__, __LINE__, #condition, \
                     coalmm_error());                                                         \
            longjmp(failed, 1);                                                               \
        }                                                                                     \
    } while (0)

/* What the hook was told. */
static int reports;
static coalmm_report_t last_report;
static char last_message[1024];

static void note_report(const coalmm_report_t *report, void *context)
{
    (void)context;
    reports++;
    last_report = *report;
    snprintf(last_message, sizeof last_message, "%s", report->message);
}

/* All of RAM as one number (FNV-1a over words). */
static inline uint64_t digest(void)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (uintptr_t at = 0; coalmm_phys_to_virt(at) != NULL; at += PAGE) {
        const uint64_t *words = coalmm_phys_to_virt(at);
        for (int i = 0; i < PAGE / 8; i++)
            hash = (hash ^ words[i]) * 0x100000001b3u;
    }
    return hash;
}

/* Boot another machine for the rest of the test. */
static inline void reboot(const char *options)
{
    coalmm_shutdown();
    CHECK(coalmm_boot(options) == 0);
}

/* What is live while a call goes wrong: objects of each allocator. */
static struct {
    unsigned char *small[5], *objects[3], *block;
    slab_cache_t *cache;
    uintptr_t frame;
} live;
static const size_t SMALL[5] = {1, 40, 235, 5000, 100000};

static inline void scene(void)
{
    live.cache = slab_cache_create("watched", 96, 8, NULL, NULL);
    for (int i = 0; i < 5; i++)
        CHECK((live.small[i] = kmalloc(SMALL[i])) != NULL && memset(live.small[i], 10 + i, SMALL[i]));
    for (int i = 0; i < 3; i++)
        CHECK((live.objects[i] = slab_alloc(live.cache)) != NULL && memset(live.objects[i], 20 + i, 96));
    CHECK((live.block = buddy_alloc(2 * PAGE)) != NULL && memset(live.block, 30, 2 * PAGE));
    CHECK((live.frame = frame_alloc()) != 0 && memset(coalmm_phys_to_virt(live.frame), 31, PAGE));
}

static inline bool all_are(const unsigned char *memory, size_t size, int value)
{
    for (size_t i = 0; i < size; i++)
        if (memory[i] != value)
            return false;
    return true;
}

/* Their bytes are as they were. */
static inline void intact(void)
{
    for (int i = 0; i < 5; i++)
        CHECK(all_are(live.small[i], SMALL[i], 10 + i));
    for (int i = 0; i < 3; i++)
        CHECK(all_are(live.objects[i], 96, 20 + i));
    CHECK(all_are(live.block, 2 * PAGE, 30) && all_are(coalmm_phys_to_virt(live.frame), PAGE, 31));
}

/* The next valid calls work, and every structure is whole. */
static inline void works(void)
{
    if (live.cache != NULL)
        intact();
    uintptr_t frame = frame_alloc();
    char *block = buddy_alloc(PAGE), *object = kmalloc(100);
    CHECK(frame != 0 && block != NULL && object != NULL);
    memset(block, 1, PAGE);
    memset(object, 2, 100);
    frame_free(frame);
    buddy_free(block);
    kfree(object);
    CHECK(coalmm_validate() == 0);
}

/* What is counted, failures left out. */
struct counts { frame_stats_t frames; buddy_stats_t buddy; size_t leaks; page_directory_t *current; };

static inline struct counts counts(void)
{
    struct counts now;
    memset(&now, 0, sizeof now);
    frame_get_stats(&now.frames);
    buddy_get_stats(&now.buddy);
    now.buddy.failed_alloc_count = 0;
    now.leaks = mem_check_leaks();
    now.current = coalmm_current_directory();
    return now;
}

/* The expression is NULL or 0 without a report, and nothing but counters of failures has changed. */
#define REFUSED(expression)                                                                   \
    do {                                                                                      \
        struct counts before_ = counts(), after_;                                             \
        reports = 0;                                                                          \
        CHECK(!(expression) && reports == 0);                                                 \
        after_ = counts();                                                                    \
        CHECK(memcmp(&before_, &after_, sizeof before_) == 0);                                \
    } while (0)

/* Take every free frame; how many, their addresses in `frames`. */
static uintptr_t frames[1 << 15];

static inline size_t exhaust(void)
{
    size_t count = 0;
    uintptr_t frame;
    while ((frame = frame_alloc()) != 0)
        frames[count++] = frame;
    return count;
}

static inline void give_back(size_t count)
{
    while (count > 0)
        frame_free(frames[--count]);
}

/* A frame that the current directory maps, its own reference given back; its physical address. */
static inline uintptr_t mapped(uintptr_t vaddr, uint32_t flags, int fill)
{
    uintptr_t frame = frame_alloc();
    CHECK(frame != 0 && memset(coalmm_phys_to_virt(frame), fill, PAGE));
    CHECK(paging_map_page(vaddr, frame, flags) == 0);
    frame_free(frame);
    return frame;
}

/* The statement is reported, once, and changes not one byte of RAM. */
#define REPORTED(kind_wanted, statement)                                                      \
    do {                                                                                      \
        uint64_t before_ = digest();                                                          \
        reports = 0;                                                                          \
        statement;                                                                            \
        CHECK(reports == 1 && #statement[0]);                                                 \
        CHECK(last_report.kind == (kind_wanted) && last_message[0] != 0);                     \
        CHECK(digest() == before_);                                                           \
        CHECK(coalmm_validate() == 0);                                                        \
    } while (0)

/* The statement changes not one byte of RAM, and is no misuse. */
#define UNCHANGED(statement)                                                                  \
    do {                                                                                      \
        uint64_t before_ = digest();                                                          \
        reports = 0;                                                                          \
        statement;                                                                            \
        CHECK(reports == 0 && digest() == before_);                                           \
    } while (0)

/* Memory that is free or only kept by the allocators for the next call, in bytes. */
static inline size_t free_memory(void)
{
    buddy_stats_t buddy;
    slab_shrink_caches();
    buddy_get_stats(&buddy);
    return frame_get_free_memory() + buddy.free_bytes;
}

static bool run_test(const struct test *test)
{
    if (coalmm_boot(OPTIONS) != 0) {
        snprintf(failure, sizeof failure, "coalmm_boot: %s", coalmm_error());
        return false;
    }
    coalmm_set_hook(note_report, NULL);
    memset(&live, 0, sizeof live);
    reports = 0;
    volatile bool passed = false;
    if (setjmp(failed) == 0) {
        test->run();
        CHECK(coalmm_validate() == 0);
        passed = true;
    }
    coalmm_shutdown();
    return passed;
}

int main(int argc, char **argv)
{
    bool all = true;
    for (int i = 0; i < test_count; i++) {
        bool wanted = argc == 1;
        for (int k = 1; k < argc; k++)
            wanted = wanted || strcmp(argv[k], tests[i].name) == 0;
        if (!wanted)
            continue;
        bool passed = run_test(&tests[i]);
        all = all && passed;
        printf("%s %s%s%s\n", passed ? "ok" : "not ok", tests[i].name, passed ? "" : ": ", passed ? "" : failure);
        fflush(stdout);
    }
    return !all;
}

#endif
