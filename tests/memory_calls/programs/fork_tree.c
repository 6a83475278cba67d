/* A tree of processes that write to private and shared pages, of memory and of a file; each says what it sees. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 24, DEPTH = 3, WIDTH = 3 };
static unsigned *own, *shared, *of_file, *private_of_file, *wiped;

static unsigned sum(const unsigned *memory) {
    unsigned total = 0;
    for (unsigned i = 0; i < PAGES * PAGE / 4; i += 64) total = total * 31 + memory[i];
    return total;
}

static void show(const char *who) {
    printf("%s own %x shared %x file %x private file %x wiped %x\n", who, sum(own), sum(shared), sum(of_file),
           sum(private_of_file), wiped ? sum(wiped) : 0);
    fflush(stdout);
}

static void change(unsigned seed, int all) {
    for (int i = 0; i < 12; i++) {
        seed = seed * 1103515245 + 12345;
        unsigned at = seed % (PAGES * PAGE / 4) / 64 * 64;
        own[at] += seed;
        if (all) shared[at] ^= seed >> 3, of_file[at] += seed >> 5, private_of_file[at] += seed >> 7;
        if (wiped) wiped[at] += seed;
    }
}

static void node(int depth, unsigned seed, char *name, int length) {
    change(seed, 1);
    for (int child = 0; depth < DEPTH && child < WIDTH; child++) {
        name[length] = '0' + child;
        name[length + 1] = 0;
        pid_t pid = fork();
        if (pid == 0) {
            show(name);
            node(depth + 1, seed * 7 + child + 1, name, length + 1);
            exit(child);
        }
        change(seed + child, 0); /* the child must not see this, whichever comes first */
        int status;
        if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != child) printf("wrong child\n");
        if (child == 1) {
            munmap((char *)own + 3 * PAGE, PAGE);
            mmap((char *)own + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            madvise((char *)private_of_file + 5 * PAGE, 2 * PAGE, MADV_DONTNEED);
        }
    }
    name[length] = 0;
    show(name);
}

int main(int count, char **arguments) {
    int file = open(arguments[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
    ftruncate(file, PAGES * PAGE);
    own = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    of_file = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    private_of_file = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    wiped = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(wiped, PAGES * PAGE, MADV_WIPEONFORK);
    char name[16] = "r";
    node(0, 42, name, 1);
    unsigned char data[PAGE];
    unsigned total = 0;
    while (read(file, data, PAGE) == PAGE)
        for (int i = 0; i < PAGE; i++) total = total * 31 + data[i];
    printf("the file reads %x\n", total);
    return 0;
}
