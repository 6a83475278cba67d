// What clone and exit do with thread areas and with the word that CLONE_CHILD_CLEARTID names.
#include "say.h"

static long raw_clone(unsigned long flags, void *stack, void *parent, void *child, unsigned long tls) {
#ifdef __x86_64__
    return syscall(SYS_clone, flags, stack, parent, child, tls);
#else
    return syscall(SYS_clone, flags, stack, parent, tls, child);
#endif
}

static void bad_area(const char *what, unsigned long tls) {
    int status;
    long child = raw_clone(CLONE_SETTLS | SIGCHLD, 0, 0, 0, tls);
    if (child == 0)
        _exit(0);
    if (child > 0)
        waitpid(child, &status, 0), child = 1;
    say_result(what, child);
    say_result("then wait", waitpid(-1, &status, WNOHANG));
}

static int *words;

static int ends(void *argument) { return 0; }

static void clear_word(const char *what, unsigned long flags) {
    static char stack[16384] __attribute__((aligned(16)));
    int status;
    words[0] = words[1] = -1;
    int child = clone(ends, stack + sizeof stack, flags | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_PARENT_SETTID | SIGCHLD,
                      0, words, 0, words + 1);
    waitpid(child, &status, 0);
    say("%s: parent's %s, child's %s\n", what, words[0] == child ? "tid" : "not set",
        words[1] == child ? "tid" : words[1] == 0 ? "cleared" : "not set");
}

int main(void) {
    words = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
#ifdef __x86_64__
    bad_area("no user address", 1UL << 47);
    bad_area("no canonical address", 1UL << 63);
#else
    unsigned fields[4] = {-1, 0, 0xFFFFF, 0x51};
    bad_area("nothing is there", 16);
    bad_area("entry to be chosen", (unsigned long)fields);
    fields[0] = 3;
    bad_area("no entry of threads", (unsigned long)fields);
#endif
    clear_word("memory of its own", 0);
    clear_word("memory of the parent", CLONE_VM);
    say_result("tids at bad addresses", raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, (void *)16, (void *)16, 0) < 0 ? -1 : 0);
    return 0;
}
