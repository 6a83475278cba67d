/* Several threads at once: no update is lost, no two of them have the same memory, and all of it comes back.
 *
 * As a shared library (`run_threads`) it is also what a Python process runs beside its own threads.
 */
#ifndef AS_LIBRARY
#include "check.h"
#else
#include <coalmm.h>
#include <string.h>
#endif
#include <pthread.h>

#define THREADS 4
#define SLOTS 64

struct worker { pthread_t thread; unsigned number, rounds; size_t damaged, failed; slab_cache_t *cache; };
struct owned { unsigned char *memory; size_t size; enum { NOTHING, OBJECT, SLAB, BLOCK, FRAME } kind; };

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void take(struct worker *worker, struct owned *owned, unsigned *state)
{
    uintptr_t frame;
    unsigned choice = next_random(state) % 16;
    owned->size = choice < 13 ? next_random(state) % (choice == 0 ? 40000 : 500) + 1 : choice == 13 ? 96 : 4096;
    owned->kind = choice < 13 ? OBJECT : choice == 13 ? SLAB : choice == 14 ? BLOCK : FRAME;
    switch (owned->kind) {
    case OBJECT: owned->memory = choice % 2 ? kmalloc(owned->size) : kzalloc(owned->size); break;
    case SLAB: owned->memory = slab_alloc(worker->cache); break;
    case BLOCK: owned->memory = buddy_alloc(4096); break;
    default: frame = frame_alloc(); owned->memory = frame ? coalmm_phys_to_virt(frame) : NULL;
    }
    if (owned->memory == NULL) {
        worker->failed++;
        owned->kind = NOTHING;
        return;
    }
    memset(owned->memory, (int)worker->number, owned->size);
}

static void look(struct worker *worker, const struct owned *owned)
{
    for (size_t i = 0; i < owned->size; i++)
        worker->damaged += owned->memory[i] != worker->number;
}

static void give(struct worker *worker, struct owned *owned)
{
    look(worker, owned);
    switch (owned->kind) {
    case OBJECT: kfree(owned->memory); break;
    case SLAB: slab_free(worker->cache, owned->memory); break;
    case BLOCK: buddy_free(owned->memory); break;
    default: frame_free(coalmm_virt_to_phys(owned->memory)); break;
    }
    owned->kind = NOTHING;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct owned owned[SLOTS] = {0};
    unsigned state = worker->number * 7919;
    for (unsigned round = 0; round < worker->rounds; round++) {
        struct owned *one = &owned[next_random(&state) % SLOTS];
        if (one->kind == NOTHING)
            take(worker, one, &state);
        else if (one->kind == OBJECT && next_random(&state) % 4 == 0) {
            size_t size = next_random(&state) % 600 + 1;
            unsigned char *moved = krealloc(one->memory, size);
            if (moved != NULL) {
                for (size_t i = 0; i < size && i < one->size; i++)
                    worker->damaged += moved[i] != worker->number;
                memset(moved, (int)worker->number, size);
                *one = (struct owned){moved, size, OBJECT};
            }
        } else
            give(worker, one);
        if (round % 64 == 0)
            mem_check_leaks(); /* a call that goes through Python's lock */
    }
    for (int i = 0; i < SLOTS; i++)
        if (owned[i].kind != NOTHING)
            give(worker, &owned[i]);
    return NULL;
}

/* Only what the fast paths do, on one class, as often as possible: an update that is lost shows here. */
static void *hurry(void *argument)
{
    struct worker *worker = argument;
    unsigned *mine[8] = {NULL};
    for (unsigned round = 0; round < worker->rounds * 40; round++) {
        unsigned **one = &mine[round % 8];
        if (*one != NULL) {
            worker->damaged += **one != worker->number;
            kfree(*one);
        }
        *one = kmalloc(64);
        if (*one == NULL)
            worker->failed++;
        else
            **one = worker->number;
    }
    for (int i = 0; i < 8; i++)
        kfree(mine[i]);
    return NULL;
}

/* Bytes that another thread had written to; (size_t)-1 if an allocation failed or a thread could not be had. */
static size_t run_all(void *(*routine)(void *), unsigned rounds)
{
    struct worker workers[THREADS];
    slab_cache_t *cache = slab_cache_create("threads", 96, 0, NULL, NULL);
    size_t wrong = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i + 1, .rounds = rounds, .cache = cache};
        if (pthread_create(&workers[i].thread, NULL, routine, &workers[i]) != 0)
            return (size_t)-1;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        wrong = workers[i].failed || wrong == (size_t)-1 ? (size_t)-1 : wrong + workers[i].damaged;
    }
    slab_cache_destroy(cache);
    return wrong;
}

size_t run_threads(unsigned rounds)
{
    size_t wrong = run_all(work, rounds);
    return wrong ? wrong : run_all(hurry, rounds);
}

#ifndef AS_LIBRARY
TEST(threads_share_the_machine)
{
    run_threads(1000); /* what the caches keep is there now */
    size_t before = free_memory();
    CHECK(run_threads(30000) == 0);
    CHECK(reports == 0 && coalmm_validate() == 0);
    CHECK(free_memory() == before);
}

static void *misuse(void *object)
{
    kfree(object);
    slab_free(object, object);
    buddy_free(object);
    frame_free(1);
    return NULL;
}

/* Python has not heard of such a thread before its first error. */
TEST(each_error_of_a_short_thread_is_reported_once)
{
    void *object = kmalloc(64);
    kfree(object);
    for (unsigned i = 0; i < 50; i++) {
        pthread_t thread;
        reports = 0;
        CHECK(pthread_create(&thread, NULL, misuse, object) == 0);
        pthread_join(thread, NULL);
        CHECK(reports == 4);
    }
    reports = 0;
    CHECK(coalmm_validate() == 0);
}

TEST(the_lock_may_be_taken_again_and_keeps_others_out)
{
    coalmm_lock();
    coalmm_lock();
    void *object = kmalloc(10);
    mem_check_leaks();
    kfree(object);
    coalmm_unlock();
    coalmm_unlock();
}

static void *boots(void *argument)
{
    void **memory = argument;
    *memory = kmalloc(100);
    return NULL;
}

TEST(the_first_calls_of_many_threads_boot_one_machine)
{
    pthread_t threads[8];
    void *memory[8];
    coalmm_shutdown();
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, boots, &memory[i]);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 8; i++) {
        CHECK(memory[i] != NULL);
        for (int k = 0; k < i; k++)
            CHECK(memory[i] != memory[k]);
        kfree(memory[i]);
    }
}
#endif
