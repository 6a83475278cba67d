/* walk: random page walks in plain C over x86-64 page tables.
 *
 *   walk ADDRESSES ROOT RAM_BYTES FD     over the RAM of the caller: FD is its memfd, ROOT the paddr of
 *                                        the root table. The very tables that our own walk is timed on.
 *   walk PAGES COUNT                     over tables of its own for PAGES pages in a row, laid out as a
 *                                        kernel fills them: one table after the other.
 *
 * ADDRESSES is a file of little-endian 64-bit virtual addresses, in the order in which to walk. A walk
 * is what the MMU does without its caches: four entries at most, the present bit tested at each, and
 * 1 GiB and 2 MiB pages told apart. Results are stored in an array, as our own batch stores them; both
 * arrays are touched before, so that only walks are timed. The median of ROUNDS passes is reported, in processor time.
 *
 * Our batch remembers the lowest tables that it came to, as a CPU does (Intel SDM 3A 4.10.3), and mostly
 * reads one entry where the plain walk reads four. `walk_ns` is the plain walk, four entries each time;
 * `remembering_ns` is C that remembers tables in the same way (512 of them, direct-mapped), so that the
 * gain of the idea and the cost of the language can be told apart.
 *
 * Prints one line of JSON; `sum` is the sum of all physical addresses modulo 2^64, which the caller
 * compares with its own.
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

#define ROUNDS 5
#define REMEMBERED 512 /* lowest tables, as Walker.translate_many has */
#define PRESENT 1ull
#define HUGE_PAGE 0x80ull
#define ADDRESS 0x000FFFFFFFFFF000ull /* bits 12 to 51, Intel SDM 3A 4.5 */
#define WRITABLE_USER 7ull

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static void *memory(uint64_t size)
{
    void *range = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (range == MAP_FAILED) { perror("walk: mmap"); exit(2); }
    return range;
}

/* The physical address that vaddr is mapped to, 0 if it is not. */
static inline uint64_t walk(const uint64_t *ram, uint64_t root, uint64_t vaddr)
{
    uint64_t table = root;
    for (int shift = 39; shift >= 12; shift -= 9) {
        uint64_t entry = ram[(table >> 3) + (vaddr >> shift & 511)];
        if (!(entry & PRESENT)) return 0;
        if (shift == 12 || (shift < 39 && entry & HUGE_PAGE)) {
            uint64_t offset = (1ull << shift) - 1;
            return (entry & ADDRESS & ~offset) | (vaddr & offset);
        }
        table = entry & ADDRESS;
    }
    return 0;
}

__attribute__((noipa)) static void walk_all(const uint64_t *ram, uint64_t root, const uint64_t *vaddrs,
                                            uint64_t *paddrs, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) paddrs[i] = walk(ram, root, vaddrs[i]);
}

/* The lowest table for vaddr, 0 if there is none or a huge page is in the way. */
static inline uint64_t lowest_table(const uint64_t *ram, uint64_t root, uint64_t vaddr)
{
    uint64_t table = root;
    for (int shift = 39; shift > 12; shift -= 9) {
        uint64_t entry = ram[(table >> 3) + (vaddr >> shift & 511)];
        if (!(entry & PRESENT) || (shift < 39 && entry & HUGE_PAGE)) return 0;
        table = entry & ADDRESS;
    }
    return table;
}

__attribute__((noipa)) static void walk_remembering(const uint64_t *ram, uint64_t root, const uint64_t *vaddrs,
                                                    uint64_t *paddrs, uint64_t count)
{
    uint64_t keys[REMEMBERED], tables[REMEMBERED];
    memset(keys, 0xFF, sizeof keys);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t vaddr = vaddrs[i], key = vaddr >> 21, slot = key % REMEMBERED;
        if (keys[slot] != key) {
            uint64_t table = lowest_table(ram, root, vaddr);
            if (!table) { paddrs[i] = walk(ram, root, vaddr); continue; }
            keys[slot] = key;
            tables[slot] = table;
        }
        uint64_t entry = ram[(tables[slot] >> 3) + (vaddr >> 12 & 511)];
        paddrs[i] = entry & PRESENT ? (entry & ADDRESS) | (vaddr & 4095) : 0;
    }
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

typedef void walk_function(const uint64_t *, uint64_t, const uint64_t *, uint64_t *, uint64_t);

/* Median nanoseconds a walk; adds up the results in *sum. */
static double time_walks(walk_function *walks, const uint64_t *ram, uint64_t root, const uint64_t *vaddrs,
                         uint64_t *paddrs, uint64_t count, uint64_t *sum)
{
    double taken[ROUNDS];
    memset(paddrs, 0xFF, count * 8);
    for (int i = 0; i < ROUNDS; i++) {
        double start = seconds();
        walks(ram, root, vaddrs, paddrs, count);
        taken[i] = seconds() - start;
    }
    qsort(taken, ROUNDS, sizeof taken[0], compare);
    *sum = 0;
    for (uint64_t i = 0; i < count; i++) *sum += paddrs[i];
    return taken[ROUNDS / 2] * 1e9 / count;
}

static int measure(const uint64_t *ram, uint64_t root, const uint64_t *vaddrs, uint64_t count)
{
    uint64_t *paddrs = memory(count * 8), sum, other;
    double plain = time_walks(walk_all, ram, root, vaddrs, paddrs, count, &sum);
    double remembering = time_walks(walk_remembering, ram, root, vaddrs, paddrs, count, &other);
    if (sum != other) { fprintf(stderr, "walk: the two walks differ\n"); return 1; }
    printf("{\"walk_ns\": %.4f, \"remembering_ns\": %.4f, \"walks\": %llu, \"sum\": %llu}\n", plain, remembering,
           (unsigned long long)count, (unsigned long long)sum);
    return 0;
}

/* The table that an entry leads to; the next one in a row is made if there is none. */
static uint64_t descend(uint64_t *ram, uint64_t table, uint64_t index, uint64_t *next)
{
    uint64_t *entry = ram + (table >> 3) + index;
    if (!*entry) {
        *entry = *next | WRITABLE_USER;
        *next += 4096;
    }
    return *entry & ADDRESS;
}

static int own_tables(uint64_t pages, uint64_t count)
{
    const uint64_t root = 4096, base = 0x10000000, first_frame = 1ull << 32;
    uint64_t *ram = memory((pages / 512 + 8) * 4096), next = 2 * 4096, state = 88172645463325252ull;
    for (uint64_t page = 0; page < pages; page++) {
        uint64_t vaddr = base + page * 4096, table = root;
        for (int shift = 39; shift > 12; shift -= 9) table = descend(ram, table, vaddr >> shift & 511, &next);
        ram[(table >> 3) + (vaddr >> 12 & 511)] = (first_frame + page * 4096) | WRITABLE_USER;
    }
    uint64_t *vaddrs = memory(count * 8);
    for (uint64_t i = 0; i < count; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        vaddrs[i] = base + (state >> 12) % (pages * 4096);
    }
    return measure(ram, root, vaddrs, count);
}

static int given_tables(const char *path, uint64_t root, uint64_t size, int fd)
{
    struct stat status;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0) { perror("walk: addresses"); return 2; }
    uint64_t *vaddrs = memory(status.st_size);
    if (read(file, vaddrs, status.st_size) != status.st_size) { perror("walk: addresses"); return 2; }
    const uint64_t *ram = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (ram == MAP_FAILED) { perror("walk: ram"); return 2; }
    return measure(ram, root, vaddrs, status.st_size / 8);
}

int main(int argc, char **argv)
{
    if (argc == 3) return own_tables(strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0));
    if (argc == 5)
        return given_tables(argv[1], strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0), atoi(argv[4]));
    fprintf(stderr, "usage: walk ADDRESSES ROOT RAM_BYTES FD | walk PAGES COUNT\n");
    return 2;
}
