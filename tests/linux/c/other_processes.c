// What a process may do to others: take descriptors, read and set limits; how many a user may have. Run by root.
#include "say.h"
#include <linux/capability.h>
#include <sys/prctl.h>

static int pipes[2];
static void become(int user, int group) {
    syscall(SYS_setgroups, 0, 0);
    syscall(SYS_setresgid, group, group, group);
    syscall(SYS_setresuid, user, user, user);
    prctl(PR_SET_DUMPABLE, 1);
}
static void look_at(const char *what, int child) {
    struct rlimit64 limit = {50, 60}, old;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, child};
    struct __user_cap_data_struct data[2];
    say("%s\n", what);
    int fd = syscall(SYS_pidfd_open, child, 0);
    int got = syscall(SYS_pidfd_getfd, fd, pipes[1], 0);
    say_result("pidfd_getfd", got < 0 ? got : 0);
    say_result("a closed one", syscall(SYS_pidfd_getfd, fd, 77, 0));
    say_result("flags", syscall(SYS_pidfd_getfd, fd, pipes[1], 1));
    if (!getuid()) /* what root may depends on the machine: containers take CAP_SYS_RESOURCE away */
        return;
    say_result("prlimit", syscall(SYS_prlimit64, child, RLIMIT_NOFILE, 0, &old));
    say_result("setting", syscall(SYS_prlimit64, child, RLIMIT_NOFILE, &limit, 0));
    say_result("raising", syscall(SYS_prlimit64, child, RLIMIT_NOFILE, &(struct rlimit64){50, 5000}, 0));
    say_result("a bad one", syscall(SYS_prlimit64, child, 99, 0, &old));
    say_result("capget", syscall(SYS_capget, &header, data));
    say_result("capset", syscall(SYS_capset, &header, data));
    close(fd);
    close(got);
}
static void with_child(const char *what, int user, int group, int dumpable, int caller, int caller_group) {
    char c;
    int ready[2], status;
    pipe(ready);
    int child = fork();
    if (child == 0) {
        become(user, group);
        prctl(PR_SET_DUMPABLE, dumpable);
        write(ready[1], "x", 1);
        pause();
    }
    read(ready[0], &c, 1);
    close(ready[0]), close(ready[1]);
    int looker = fork();
    if (looker == 0) {
        if (caller)
            become(caller, caller_group);
        look_at(what, child);
        _exit(0);
    }
    waitpid(looker, 0, 0);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}
static void nobody(void) {
    struct rlimit64 old;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 99999};
    struct __user_cap_data_struct data[2];
    say_result("prlimit of nobody", syscall(SYS_prlimit64, 99999, RLIMIT_NOFILE, 0, &old));
    say_result("with a bad address", syscall(SYS_prlimit64, 99999, RLIMIT_NOFILE, 8, 0));
    say_result("capget of nobody", syscall(SYS_capget, &header, data));
    header.pid = -1;
    say_result("capget of -1", syscall(SYS_capget, &header, data));
}
static void limited(void) {
    struct rlimit limit = {3, 3};
    int children[5], count = 0;
    setrlimit(RLIMIT_NPROC, &limit);
    for (int i = 0; i < 2; i++)
        if ((children[count++] = fork()) == 0)
            pause();
    say("root has %d\n", count);
    become(54321, 54321);
    while (count < 5) {
        int child = fork();
        if (child == 0)
            pause();
        if (child < 0)
            break;
        children[count++] = child;
    }
    say("a user has %d, then %s\n", count - 2, strerrorname_np(errno));
    for (int i = 2; i < count; i++)
        kill(children[i], SIGKILL), waitpid(children[i], 0, 0);
    say_result("may end root's", kill(children[0], SIGKILL));
    write(pipes[1], children, 8);
}
int main(void) {
    pipe(pipes);
    with_child("root and a user", 1000, 1000, 1, 0, 0);
    with_child("the same user", 1000, 1000, 1, 1000, 1000);
    with_child("the same, which may not be looked at", 1000, 1000, 0, 1000, 1000);
    with_child("another group", 1000, 1001, 1, 1000, 1000);
    with_child("another user", 1001, 1000, 1, 1000, 1000);
    nobody();
    in_child("limited", limited);
    int children[2];
    read(pipes[0], children, 8);
    kill(children[0], SIGKILL), kill(children[1], SIGKILL);
    return 0;
}
