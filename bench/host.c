/* host: what the host kernel takes for the same work on anonymous memory.
 *
 *   host PAGES
 *
 * A private anonymous mapping of PAGES pages of 4 KiB, transparent huge pages off for the process
 * (prctl) and for the mapping (madvise).
 *  - touch: one byte of each page is written, in order; each write is a page fault that gets a zeroed
 *    page. The same loop over pages that are present is taken off.
 *  - fork: time of fork() itself in the parent. All pages are present and writable, and this is the
 *    first fork, so every entry is copied and write-protected. The child exits at once.
 *  - munmap: of the whole mapping, after the child has gone.
 * Prints one line of JSON, nanoseconds of the parent's processor time; `_page` figures are divided by PAGES.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ull

static double nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

__attribute__((noipa)) static double touch(volatile char *memory, uint64_t pages)
{
    double start = nanoseconds();
    for (uint64_t page = 0; page < pages; page++) memory[page * PAGE] = 1;
    return nanoseconds() - start;
}

int main(int argc, char **argv)
{
    uint64_t pages = argc == 2 ? strtoull(argv[1], NULL, 0) : 0;
    if (pages == 0) { fprintf(stderr, "usage: host PAGES\n"); return 2; }
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) { perror("host: mmap"); return 2; }
    madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);

    double first = touch(memory, pages);
    double again = touch(memory, pages);

    double start = nanoseconds();
    pid_t child = fork();
    double fork_ns = nanoseconds() - start;
    if (child == 0) _exit(0);
    if (child < 0) { perror("host: fork"); return 2; }
    waitpid(child, NULL, 0);

    start = nanoseconds();
    munmap(memory, pages * PAGE);
    double munmap_ns = nanoseconds() - start;
    printf("{\"pages\": %llu, \"touch_ns_page\": %.3f, \"fork_ns\": %.1f, \"fork_ns_page\": %.3f, "
           "\"munmap_ns_page\": %.3f}\n", (unsigned long long)pages, (first - again) / pages, fork_ns,
           fork_ns / pages, munmap_ns / pages);
    return 0;
}
