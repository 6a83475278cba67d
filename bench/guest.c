/* guest: a program that measures memory from inside; it runs natively and on coalmm.
 *
 *   guest touch PAGES ROUNDS    store one byte to each of PAGES fresh pages, in order, then ROUNDS times again
 *   guest fork PAGES            make PAGES pages present, fork, and let the child write each of them
 *
 * Prints one line of JSON, nanoseconds of the monotonic clock:
 *  - first_ns: a store to a fresh page, of the first of two mappings; warm_ns: of a second mapping, which gets
 *    frames that the first one gave back, so that the host has memory behind them already;
 *  - again_ns: a store to a present page, the least of the rounds. With more pages than a TLB has entries, each is a miss;
 *  - fork_ns: from fork to the end of the child.
 * Transparent huge pages are off for its mappings. Static, so that nothing else is mapped meanwhile.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ull

static double nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

static double touch(char *memory, uint64_t pages)
{
    char *end = memory + pages * PAGE;
    double start = nanoseconds();
    __asm__ volatile("1: movb %%al, (%0)\n add $4096, %0\n cmp %1, %0\n jne 1b\n" : "+r"(memory) : "r"(end) : "memory");
    return nanoseconds() - start;
}

static char *map(uint64_t pages)
{
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) { perror("guest: mmap"); exit(2); }
    madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
    return memory;
}

static void measure_touch(uint64_t pages, int rounds)
{
    char *memory = map(pages);
    double first = touch(memory, pages), again = 1e300;
    munmap(memory, pages * PAGE);
    memory = map(pages);
    double warm = touch(memory, pages);
    for (int round = 0; round < rounds; round++) {
        double taken = touch(memory, pages);
        if (taken < again) again = taken;
    }
    printf("{\"first_ns\": %.2f, \"warm_ns\": %.2f, \"again_ns\": %.3f}\n", first / pages, warm / pages, again / pages);
}

static void measure_fork(uint64_t pages)
{
    char *memory = map(pages);
    touch(memory, pages);
    double start = nanoseconds();
    pid_t child = fork();
    if (child == 0) { touch(memory, pages); _exit(0); }
    waitpid(child, NULL, 0);
    printf("{\"fork_ns\": %.0f, \"page_ns\": %.2f}\n", nanoseconds() - start, (nanoseconds() - start) / pages);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "touch")) measure_touch(strtoull(argv[2], NULL, 0), atoi(argv[3]));
    else if (argc == 3 && !strcmp(argv[1], "fork")) measure_fork(strtoull(argv[2], NULL, 0));
    else { fprintf(stderr, "usage: guest touch PAGES ROUNDS | guest fork PAGES\n"); return 2; }
    return 0;
}
