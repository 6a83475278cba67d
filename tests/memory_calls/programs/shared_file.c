/* Two processes with a map of one file, reads, writes and truncations of it beside: one content. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };
static sigjmp_buf back;
static siginfo_t caught;

static void handler(int number, siginfo_t *info, void *context) {
    caught = *info;
    siglongjmp(back, 1);
}

static void look(const char *what, char *map, long at) {
    if (sigsetjmp(back, 1) == 0) printf("%s: %.8s\n", what, map + at);
    else printf("%s: signal %d code %d at %ld\n", what, caught.si_signo, caught.si_code, (char *)caught.si_addr - map);
    fflush(stdout);
}

static void turn(int from, int to, int *order) {
    char token = 'x';
    if (order) read(from, &token, 1);
    write(to, &token, 1);
}

int main(int count, char **arguments) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, 0);
    sigaction(SIGSEGV, &action, 0);
    int file = open(arguments[1], O_RDWR | O_CREAT | O_TRUNC, 0600), to[2], from[2];
    pipe(to);
    pipe(from);
    char token = 'x', buffer[16] = "";
    ftruncate(file, 4 * PAGE);
    char *map = mmap(0, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *copy = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    strcpy(copy + PAGE, "private");
    if (fork() == 0) {
        read(to[0], &token, 1);
        look("child sees the parent's store", map, 10);
        strcpy(map + 2 * PAGE, "by child");
        pwrite(file, "by pwrite", 9, 3 * PAGE + 100);
        write(from[1], "x", 1);
        read(to[0], &token, 1);
        look("child, after the file became short", map, 3 * PAGE);
        look("child, what is left", map, 10);
        look("child, its private copy past the end", copy, 2 * PAGE);
        ftruncate(file, 5 * PAGE);
        look("child, the file is long again", map, 4 * PAGE);
        strcpy(map + 4 * PAGE, "the end");
        write(from[1], "x", 1);
        return 0;
    }
    strcpy(map + 10, "hello");
    write(to[1], "x", 1);
    read(from[0], &token, 1);
    look("parent sees the child's store", map, 2 * PAGE);
    look("parent sees the child's pwrite", map, 3 * PAGE + 100);
    pread(file, buffer, 8, 2 * PAGE);
    printf("parent reads %.8s\n", buffer);
    look("parent, past the end of the file", map, 4 * PAGE);
    ftruncate(file, PAGE + 1);
    write(to[1], "x", 1);
    read(from[0], &token, 1);
    look("parent, the end", map, 4 * PAGE);
    look("parent, its copy", copy, PAGE);
    wait(0);
    printf("msync %d\n", msync(map, 6 * PAGE, MS_SYNC));
    munmap(map, 6 * PAGE);
    char data[8 * PAGE];
    long size = pread(file, data, sizeof data, 0), set = 0;
    for (long i = 0; i < size; i++) set += data[i] != 0;
    printf("%ld bytes, %ld of them set, %s %s\n", size, set, data + 10, data + 4 * PAGE);
    char *again = mmap(0, PAGE, PROT_READ, MAP_SHARED, open(arguments[1], O_RDONLY), 4 * PAGE);
    look("opened again", again, 0);
    printf("no right to write: %d\n", mprotect(again, PAGE, PROT_READ | PROT_WRITE));
    return 0;
}
