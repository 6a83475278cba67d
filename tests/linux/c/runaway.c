// Programs that take all there is, or never end: runaway heap|stack|fault|raise|calls|nested
#include "say.h"

static int deep(int level) {
    volatile char room[1000];
    room[0] = level;
    return deep(level + 1) + room[0];
}

static void nothing(int signal, siginfo_t *info, void *context) {}
static void again(int signal, siginfo_t *info, void *context) { raise(signal); }

int main(int argc, char **argv) {
    switch (argv[1][0]) {
    case 'h':
        for (;;)
            memset(sbrk(1 << 16), 1, 1 << 16);
    case 's':
        return deep(0);
    case 'f':
        handle(SIGSEGV, nothing, 0);
        return *(volatile char *)16;
    case 'r':
        handle(SIGUSR1, again, 0);
        raise(SIGUSR1);
        return 0;
    case 'c':
        for (size_t huge = 1ul << 45;;)
            mincore(mmap(0, huge, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), huge,
                    mmap(0, huge >> 12, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    case 'n':
        handle(SIGUSR1, again, SA_NODEFER);
        raise(SIGUSR1);
    }
    return 0;
}
