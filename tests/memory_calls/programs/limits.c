/* RLIMIT_AS, RLIMIT_DATA and RLIMIT_MEMLOCK stop what they stop on Linux; a child and a new program keep them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1L << 20)

static void try(const char *what, long size, int rights, int flags) {
    void *got = mmap(0, size, rights, flags | MAP_ANONYMOUS, -1, 0);
    printf("%s: %s\n", what, got == MAP_FAILED ? strerror(errno) : "granted");
    if (got != MAP_FAILED) munmap(got, size);
}

static void set(int which, long value) {
    struct rlimit limit;
    getrlimit(which, &limit);
    limit.rlim_cur = value;
    setrlimit(which, &limit);
}

int main(int count, char **arguments) {
    if (count > 1) {
        try("in the new program", 99 * MIB, PROT_NONE, MAP_PRIVATE);
        return 0;
    }
    set(RLIMIT_DATA, 32 * MIB);
    try("data", 31 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    try("much data", 33 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    try("read-only", 33 * MIB, PROT_READ, MAP_PRIVATE);
    try("shared", 33 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED);
    char *later = mmap(0, 33 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("made writable: %s\n", mprotect(later, 33 * MIB, PROT_READ | PROT_WRITE) ? strerror(errno) : "granted");
    printf("a part of it: %s\n", mprotect(later, 16 * MIB, PROT_READ | PROT_WRITE) ? strerror(errno) : "granted");
    printf("heap: %d\n", sbrk(40 * MIB) == (void *)-1);
    munmap(later, 33 * MIB);
    printf("less heap: %d\n", sbrk(20 * MIB) == (void *)-1);
    set(RLIMIT_DATA, RLIM_INFINITY);
    set(RLIMIT_AS, 96 * MIB);
    try("all of it", 120 * MIB, PROT_NONE, MAP_PRIVATE);
    try("half of it", 48 * MIB, PROT_NONE, MAP_PRIVATE);
    char *half = mmap(0, 40 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    try("too much with that", 60 * MIB, PROT_READ, MAP_SHARED);
    printf("grown: %s\n", mremap(half, 40 * MIB, 90 * MIB, MREMAP_MAYMOVE) == MAP_FAILED ? strerror(errno) : "granted");
    printf("in its place: %s\n",
           mmap(half, 40 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == half ? "granted" : "no");
    munmap(half, 40 * MIB);
    fflush(stdout);
    if (fork() == 0) {
        try("in a child", 80 * MIB, PROT_NONE, MAP_PRIVATE);
        fflush(stdout);
        execl("/proc/self/exe", "limits", "again", (char *)0);
        return 1;
    }
    int status;
    wait(&status);
    return WEXITSTATUS(status);
}
