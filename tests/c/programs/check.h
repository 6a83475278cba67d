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

#ifndef OPTIONS
#define OPTIONS "ram=4M"
#endif
#define PAGE 4096
#define RW (PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER)
#define USER 0x40000000ul /* a user address of every paging mode */
#define MOST_TESTS 200

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

/* The next valid calls work, and every structure is whole. */
static inline void works(void)
{
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
