/* Memory between two guard pages: who writes past either end dies there. Also part of every reproducer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* `size` bytes at a multiple of `align` (a power of two from 4096 up); its end is at a guard page if size is a
 * multiple of 4096. */
static void *region(size_t size, size_t align)
{
    size_t whole = (size + 4095) & ~(size_t)4095;
    char *base = mmap(NULL, whole + align + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        abort();
    char *start = (char *)(((uintptr_t)base + 4096 + align - 1) & ~(uintptr_t)(align - 1));
    if (mprotect(start, whole, PROT_READ | PROT_WRITE) != 0)
        abort();
    return start;
}

/* Zeros at an address that the target has as a constant: its RAM. 0 where something else is there. */
static inline int map_ram(const uintptr_t *ram)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    void *wanted = (void *)ram[0];
    return mmap(wanted, ram[1], PROT_READ | PROT_WRITE, flags, -1, 0) == wanted;
}
