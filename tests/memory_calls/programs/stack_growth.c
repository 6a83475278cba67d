/* A stack grows by faults to its limit and no further, keeps its gap, and a handler on another stack is told. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };
static sigjmp_buf back;
static siginfo_t caught;
static volatile long reached;

static void handler(int number, siginfo_t *info, void *context) {
    caught = *info;
    siglongjmp(back, 1);
}

static __attribute__((noinline)) int deep(int left) {
    volatile char room[PAGE];
    room[left % PAGE] = left;
    reached++;
    return left == 0 ? 0 : deep(left - 1) + room[left % PAGE] % 2;
}

static uintptr_t top(void) {
    unsigned long start, end;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx", &start, &end) == 2 && (uintptr_t)line >= start && (uintptr_t)line < end) break;
    fclose(maps);
    return end;
}

static int touch(uintptr_t where) {
    if (sigsetjmp(back, 1)) return caught.si_signo * 10 + caught.si_code + 1000 * ((uintptr_t)caught.si_addr != where);
    *(volatile char *)where = 1;
    return 0;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t other = {.ss_sp = malloc(64 << 10), .ss_size = 64 << 10};
    sigaltstack(&other, 0);
    sigaction(SIGSEGV, &action, 0);
    deep(500);
    printf("%ld frames deep\n", reached);
    struct rlimit limit = {4 << 20, 8 << 20};
    setrlimit(RLIMIT_STACK, &limit);
    uintptr_t end = top();
    printf("a megabyte down: %d\n", touch(end - (3 << 20)));
    printf("the last page: %d\n", touch(end - (4 << 20)));
    printf("past the limit: %d\n", touch(end - (4 << 20) - 1));
    reached = 0;
    if (sigsetjmp(back, 1) == 0) deep(1 << 20);
    printf("too deep: signal %d code %d, more than 900 frames: %d\n", caught.si_signo, caught.si_code, reached > 900);
    limit.rlim_cur = 8 << 20;
    setrlimit(RLIMIT_STACK, &limit);
    printf("the limit is higher: %d\n", touch(end - (4 << 20) - 1));
    char *wall = mmap((void *)(end - (7 << 20)), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    printf("a page below: %d\n", wall == MAP_FAILED);
    printf("inside the gap: %d\n", touch(end - (7 << 20) + PAGE + (1 << 20) - PAGE));
    printf("above the gap: %d\n", touch(end - (7 << 20) + PAGE + (1 << 20)));
    char *grows = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
    printf("another stack: %d %d\n", touch((uintptr_t)grows - 1), touch((uintptr_t)grows - 200 * PAGE));
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        deep(1 << 20);
        return 0;
    }
    int status;
    waitpid(child, &status, 0);
    printf("a child that falls off its stack: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return 0;
}
