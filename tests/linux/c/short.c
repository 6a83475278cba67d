// A little of everything that takes memory: maps, children, files, pipes, signals, a new program.
#include "say.h"
static void note(int signal, siginfo_t *info, void *context) {}
int main(int argc, char **argv) {
    int fds[2], status;
    if (argc > 1)
        return say("again\n"), 0;
    char *area = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; area != MAP_FAILED && i < 8; i++)
        area[i << 17] = i;
    handle(SIGUSR1, note, 0);
    raise(SIGUSR1);
    char *heap = malloc(300000);
    if (heap)
        memset(heap, 1, 300000);
    if (pipe(fds) == 0) {
        pid_t child = fork();
        if (child == 0) {
            if (area != MAP_FAILED)
                area[5 << 17] = 1;
            write(fds[1], "x", 1);
            execl("/proc/self/exe", "short", "again", (char *)0);
            _exit(1);
        }
        if (child > 0)
            waitpid(child, &status, 0);
    }
    int fd = open("/etc/passwd", O_RDONLY);
    char *file = mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file != MAP_FAILED && file[0] == 'r')
        say("file\n");
    munmap(area, 1 << 20);
    say("end\n");
    return 0;
}
