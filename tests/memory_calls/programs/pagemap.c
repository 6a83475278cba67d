/* What /proc/self/pagemap and mincore say of pages of every kind. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 4 };
static int pagemap;

static void show(const char *what, char *memory, int with_core) {
    uint64_t entry[PAGES] = {0};
    unsigned char core[PAGES] = {0};
    pread(pagemap, entry, sizeof entry, (uintptr_t)memory / PAGE * 8);
    int result = mincore(memory, PAGES * PAGE, core);
    printf("%s:", what);
    for (int i = 0; i < PAGES; i++) {
        printf(" %c%c%c", entry[i] >> 63 ? 'p' : '-', entry[i] >> 61 & 1 ? 'f' : '-', entry[i] >> 56 & 1 ? 'x' : '-');
        if (geteuid() == 0 && (entry[i] >> 63) != ((entry[i] & ((1UL << 55) - 1)) != 0)) printf("(frame?)");
        if (with_core) printf("%d", core[i]);
    }
    printf(" %d\n", result);
    fflush(stdout);
}

static char *map(int rights, int flags, int file) {
    return mmap(0, PAGES * PAGE, rights, flags, file, 0);
}

int main(int count, char **arguments) {
    char data[PAGES * PAGE];
    for (int i = 0; i < PAGES * PAGE; i++) data[i] = 'a' + i / PAGE;
    int file = open(arguments[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(file, data, sizeof data);
    pagemap = open("/proc/self/pagemap", O_RDONLY);
    char *own = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    show("untouched", own, 1);
    own[0] = own[2 * PAGE] = 1;
    show("two pages written", own, 1);
    char *shared = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    shared[PAGE] = 1;
    show("shared, one written", shared, 1);
    char *copy = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
    copy[PAGE] = 1;
    show("a private copy of one page of a file", copy, 0);
    char *all = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    show("a file, all of it brought", all, 1);
    if (fork() == 0) {
        pagemap = open("/proc/self/pagemap", O_RDONLY);
        show("a child shares", own, 1);
        own[0] = 2;
        show("a child writes", own, 1);
        return 0;
    }
    wait(0);
    show("after it", own, 1);
    mprotect(own, PAGE, PROT_NONE);
    show("without rights", own, 1);
    madvise(own, PAGES * PAGE, MADV_DONTNEED);
    show("not needed", own, 1);
    mprotect(own, PAGE, PROT_READ | PROT_WRITE);
    madvise(own, PAGES * PAGE, MADV_POPULATE_WRITE);
    show("populated", own, 1);
    madvise(shared, PAGES * PAGE, MADV_REMOVE);
    show("shared, removed", shared, 1);
    mlock(shared, 2 * PAGE);
    show("shared, two locked", shared, 1);
    munmap(own + PAGE, PAGE);
    show("a hole", own, 0);
    return 0;
}
