/* Code that changes: what runs must always be what was written last. Prints what each way of changing it gives. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
typedef int (*function)(void);

static unsigned char *map(int rights)
{
    unsigned char *page = mmap(NULL, PAGE, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) { perror("mmap"); exit(9); }
    return page;
}

/* mov eax, value; ret */
static void put(unsigned char *at, int value)
{
    at[0] = 0xb8;
    memcpy(at + 1, &value, 4);
    at[5] = 0xc3;
}

static int call(unsigned char *at) { return ((function)at)(); }

static void rewritten(void)
{
    unsigned char *page = map(ALL);
    long sum = 0;
    for (int n = 0; n < 300; n++) { put(page, n); sum += call(page); }
    printf("rewritten %ld\n", sum);
}

/* The store changes the instruction right after it, in the same block. */
static void next_instruction(void)
{
    unsigned char *page = map(ALL);
    for (int round = 0; round < 3; round++) {
        unsigned char *at = page;
        *at++ = 0xc6; *at++ = 0x05;                      /* movb $0x40 + round, target */
        int32_t offset;
        unsigned char *patch = at;
        at += 4;
        *at++ = 0x40 + round;
        unsigned char *target = at + 1;
        *at++ = 0xb8; memset(at, 0, 4); at += 4;         /* mov $0, %eax: its first byte is patched */
        *at++ = 0xc3;
#ifdef __x86_64__
        offset = (int32_t)(target - (patch + 5));
#else
        offset = (int32_t)(intptr_t)target;
#endif
        memcpy(patch, &offset, 4);
        printf("next instruction %x\n", call(page));
    }
}

static void through_an_alias(void)
{
    int fd = memfd_create("code", 0);
    if (ftruncate(fd, PAGE)) exit(9);
    unsigned char *writable = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    unsigned char *runnable = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    long sum = 0;
    for (int n = 0; n < 200; n++) { put(writable, n); sum += call(runnable); }
    for (int n = 0; n < 20; n++) { put(writable + 64, n * 3); put(writable, n); sum += call(runnable) + call(runnable + 64); }
    printf("through an alias %ld\n", sum);
}

static void frames_used_again(void)
{
    long sum = 0;
    for (int n = 0; n < 50; n++) {
        unsigned char *page = map(PROT_READ | PROT_WRITE);
        put(page, n);
        mprotect(page, PAGE, PROT_READ | PROT_EXEC);
        sum = sum * 3 % 1000003 + call(page);
        munmap(page, PAGE);
    }
    printf("frames used again %ld\n", sum);
}

static void from_a_file(void)
{
    int ends[2];
    if (pipe(ends)) exit(9);
    unsigned char *page = map(ALL), code[6];
    long sum = 0;
    for (int n = 0; n < 50; n++) {
        put(code, n * 7);
        if (write(ends[1], code, 6) != 6 || read(ends[0], page, 6) != 6) exit(9);
        sum += call(page);
    }
    printf("from a file %ld\n", sum);
}

static void in_a_child(void)
{
    unsigned char *page = map(ALL);
    put(page, 11);
    int before = call(page), status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        put(page, 22);
        _exit(call(page));
    }
    waitpid(child, &status, 0);
    printf("in a child %d %d %d\n", before, WEXITSTATUS(status), call(page));
}

/* Code and the data that it counts in are in one page. */
static void beside_data(void)
{
    unsigned char *page = map(ALL);
    int *count = (int *)(page + 2048);
    for (int n = 0; n < 40; n++) { put(page, n); *count += call(page); page[1024 + n] = n; }
    printf("beside data %d %d\n", *count, page[1024 + 39]);
}

static void on_the_stack(void)
{
    static unsigned char room[2 * PAGE];
    unsigned char *at = (unsigned char *)(((uintptr_t)room + PAGE - 1) & -(uintptr_t)PAGE);
    mprotect(at, PAGE, ALL);
    put(at, 5);
    int first = call(at);
    put(at, 6);
    printf("in data made executable %d %d\n", first, call(at));
}

/* An instruction that lies across two pages, each of which changes. */
static void across_pages(void)
{
    unsigned char *two = mmap(NULL, 2 * PAGE, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long sum = 0;
    for (int n = 0; n < 20; n++) { put(two + PAGE - 3, n << 20 | n); sum += call(two + PAGE - 3) % 1009; }
    printf("across pages %ld\n", sum);
}

int main(void)
{
    rewritten();
    next_instruction();
    through_an_alias();
    frames_used_again();
    from_a_file();
    in_a_child();
    beside_data();
    on_the_stack();
    across_pages();
    return 0;
}
