/* What every reproducer has before its main(). */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char *buffer_end;  /* a buffer of 1 MiB that ends at a guard page */

static inline int disjoint(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return (uintptr_t)a + a_size <= (uintptr_t)b || (uintptr_t)b + b_size <= (uintptr_t)a;
}

static inline void check(int holds, const char *message)
{
    if (!holds) {
        printf("%s\n", message);
        exit(1);
    }
}

static int finished;

static inline void ended_early(void)
{
    if (!finished) {
        printf("the program was ended by what is checked\n");
        fflush(stdout);
        _exit(1);
    }
}

static inline void forked(void)
{
    check(0, "the program was forked by what is checked");
}

/* Index i of n, from the first (order 0), from the last (1), or every second one first (2). */
static inline size_t in_order(size_t i, size_t n, int order)
{
    size_t half = (n + 1) / 2;
    return order == 1 ? n - 1 - i : order == 0 ? i : i < half ? 2 * i : 2 * (i - half) + 1;
}

static void *library;
static void find_functions(void); /* fills the pointers to the functions that are called */

static void *find(const char *name)
{
    char own[64];
    snprintf(own, sizeof own, "check_%s", name);
    void *found = dlsym(library, own);
    return found ? found : dlsym(library, name);
}

/* Loads the code that is checked and starts it. */
static void load(const char *path)
{
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        printf("%s\n", dlerror());
        exit(2);
    }
    find_functions();
    void (*init)(void);
    *(void **)&init = dlsym(library, "check_init");
    if (init)
        init();
}
