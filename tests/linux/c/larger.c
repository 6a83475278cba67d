/* Touches a file of argv[1] that is larger than RAM, in several ways at once, and prints what it saw. */
#include "say.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned sum(const unsigned char *bytes, long size, long step)
{
    unsigned hash = 1;
    for (long at = 0; at < size; at += step)
        hash = hash * 31 + bytes[at];
    return hash;
}

int main(int argc, char **argv)
{
    int file = open(argv[1], O_RDONLY);
    struct stat status;
    fstat(file, &status);
    long size = status.st_size;
    unsigned char *map = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
    say("twice %u %u\n", sum(map, size, 4096), sum(map, size, 4096));
    for (long at = 0; at < 40; at++)
        map[at * 40 * 4096] = 'x'; /* private copies stay */
    if (fork() == 0) {
        say("child %u\n", sum(map, size, 1024));
        _exit(0);
    }
    wait(0);
    char name[] = "/tmp/larger-XXXXXX";
    int out = mkstemp(name);
    long done = 0;
    while (done < size) {
        long some = write(out, map + done, size - done); /* one call, more than RAM */
        if (some <= 0)
            return 1;
        done += some;
    }
    unsigned char *shared = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
    for (long at = 0; at < size; at += 4096)
        shared[at + 1] = at >> 12;
    say("shared %u\n", sum(shared, size, 512));
    unlink(name);
    return 0;
}
