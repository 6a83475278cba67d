// What a process has used: page faults by count, of it, its children, and past an execve.
#include "say.h"
static long minor(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return usage.ru_minflt;
}
static void touch(int pages) {
    volatile char *memory = mmap(0, pages * 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise((void *)memory, pages * 4096L, MADV_NOHUGEPAGE);
    for (int i = 0; i < pages; i++)
        memory[i * 4096L] = 1;
}
static int near(long value, long wanted) { return value >= wanted && value < wanted + 100; }
static long field(int number) { /* of /proc/self/stat */
    char text[1024] = "";
    int file = open("/proc/self/stat", O_RDONLY);
    read(file, text, sizeof text - 1);
    close(file);
    char *at = strrchr(text, ')');
    for (int i = 2; i < number && at; i++)
        at = strchr(at + 1, ' ');
    return at ? atol(at) : -1;
}
int main(int count, char **arguments) {
    struct rusage usage;
    if (count > 1) {
        say("counted before execve, too: %d\n", near(minor(RUSAGE_SELF), 700));
        say("stat %d\n", near(field(10), 700));
        return 0;
    }
    long before = minor(RUSAGE_SELF);
    touch(600);
    say("touched 600 pages: %d\n", near(minor(RUSAGE_SELF) - before, 600));
    say("stat %d\n", near(field(10) - before, 600));
    say("children %ld %ld\n", minor(RUSAGE_CHILDREN), field(11));
    if (fork() == 0) {
        touch(500);
        if (fork() == 0) {
            touch(400);
            _exit(0);
        }
        wait(0);
        say("its child's: %d\n", near(minor(RUSAGE_CHILDREN), 400));
        _exit(0);
    }
    int status;
    wait4(-1, &status, 0, &usage);
    say("waited for: %d\n", near(usage.ru_minflt, 900));
    say("children's: %d %d\n", near(minor(RUSAGE_CHILDREN), 900), near(field(11), 900));
    say_result("nobody", getrusage(7, &usage));
    say_result("bad place", syscall(SYS_getrusage, RUSAGE_SELF, 8));
    touch(70);
    if (fork() == 0) {
        touch(700);
        execl(arguments[0], arguments[0], "again", (char *)0);
    }
    wait(0);
    return 0;
}
