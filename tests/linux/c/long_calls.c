// One system call that takes long: long_calls NAME. Before it, everything that it needs; after it, "seen".
#include "say.h"
#include <sys/sendfile.h>

#define SIZE (64ul << 20)
#define HUGE (1ul << 45)
#define WORDS 100000

static int sparse(void) {
    int fd = open("/tmp/sparse", O_RDWR | O_CREAT, 0600);
    if (ftruncate(fd, SIZE))
        _exit(98);
    return fd;
}

static void *area(size_t size, int rights, int flags) {
    return mmap(0, size, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

int main(int argc, char **argv) {
    const char *name = argv[1];
    char *bytes = area(SIZE, PROT_READ | PROT_WRITE, 0);
    int file = sparse(), other = open("/tmp/other", O_RDWR | O_CREAT, 0600);
    int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    if (!strcmp(name, "mmap"))
        area(SIZE, PROT_READ | PROT_WRITE, MAP_POPULATE);
    if (!strcmp(name, "madvise"))
        madvise(bytes, SIZE, 23);
    if (!strcmp(name, "mlock"))
        mlock(bytes, SIZE);
    if (!strcmp(name, "read"))
        read(zero, bytes, SIZE);
    if (!strcmp(name, "pread64"))
        pread(file, bytes, SIZE, 0);
    if (!strcmp(name, "write"))
        write(null, bytes, SIZE);
    if (!strcmp(name, "sendfile"))
        sendfile(null, file, 0, SIZE);
    if (!strcmp(name, "copy_file_range"))
        copy_file_range(file, 0, other, 0, SIZE, 0);
    if (!strcmp(name, "mincore"))
        mincore(area(HUGE, PROT_NONE, 0), HUGE, area(HUGE >> 12, PROT_READ | PROT_WRITE, 0));
    if (!strcmp(name, "execve")) {
        char **words = malloc((WORDS + 1) * sizeof *words);
        for (int word = 0; word < WORDS; word++)
            words[word] = "x";
        words[WORDS] = 0;
        execve("/bin/true", words, words + WORDS);
    }
    if (!strcmp(name, "fork")) {
        memset(bytes, 1, SIZE);
        syscall(SYS_fork);
    }
    say("seen\n");
    return 0;
}
