// Random system calls with hostile arguments, in children that may die of them: random_calls SEED BATCHES CALLS
#include "say.h"
static uint64_t state;
static uint64_t next(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}
static char *area;
static long argument(void) {
    static const long odd[] = {0, 1, -1, -2, 3, 4, 7, 8, 16, 4095, 4096, 4097, 65536, 0x7fffffff, -0x7fffffffL - 1,
                               0xffffffffL, 0x1000, 0x10000000, 5, 100, 511, 0x80000000L};
    switch (next() % 8) {
    case 0: return (long)next();
    case 1: return (long)(next() & 0xffff);
    case 2: case 3: return (long)(area + next() % 20000);
    case 4: return (long)(area + (next() % 5) * 4096);
#ifdef __x86_64__
    case 5: return (long)(next() & 1 ? 0x00007ffffffff000 : 0xffff800000000000);
#endif
    default: return odd[next() % (sizeof odd / sizeof *odd)];
    }
}
int main(int argc, char **argv) {
    state = strtoull(argv[1], 0, 10) * 0x9e3779b97f4a7c15 + 1;
    int batches = atoi(argv[2]), calls = atoi(argv[3]);
    area = mmap(0, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int batch = 0; batch < batches; batch++) {
        uint64_t seed = next();
        pid_t child = fork();
        if (child == 0) {
            state = seed | 1;
            alarm(2);
            for (int i = 0; i < 20000; i++)
                area[i] = next() % 3 ? 0 : next();
            strcpy(area + 4096, "/tmp/x"), strcpy(area + 8192, "/etc/passwd"), strcpy(area, "/bin/true");
            munmap(area + 6 * 4096, 4096);
            for (int i = 0; i < calls; i++)
                syscall(next() % 470, argument(), argument(), argument(), argument(), argument(), argument());
            _exit(0);
        }
        if (child > 0) {
            struct timespec limit = {0, 5000000};
            for (int i = 0; i < 400 && waitpid(child, 0, WNOHANG) == 0; i++)
                nanosleep(&limit, 0);
            kill(child, SIGKILL);
            while (waitpid(-1, 0, WNOHANG) > 0);
        }
    }
    say("survived\n");
    kill(-1, SIGKILL);
    return 0;
}
