// signalfd and pidfd: signals and processes as descriptors.
#include "say.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#define P_PIDFD_ 3
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};
static void say_record(const char *what, int size, struct signalfd_siginfo *record) {
    say("%s: size %d", what, size);
    if (size > 0)
        say(" signal %d code %d mine %d uid %d status %d int %d ptr %llx overrun %d", record->ssi_signo, record->ssi_code,
            record->ssi_pid == (uint32_t)getpid(), record->ssi_uid == getuid(), record->ssi_status, record->ssi_int,
            (unsigned long long)record->ssi_ptr, record->ssi_overrun);
    say("\n");
}
static int readable(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, 0) == 1 ? one.revents : 0;
}
static void signals(void) {
    struct signalfd_siginfo records[4];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN + 1);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, 0);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    say("flags %d %x\n", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
    say_result("nothing", read(fd, records, sizeof records));
    say_result("small", read(fd, records, 127));
    say("poll %x\n", readable(fd));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    union sigval value = {.sival_int = 77};
    sigqueue(getpid(), SIGRTMIN + 1, value);
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = -2});
    say("poll %x\n", readable(fd));
    say_result("bad buffer", read(fd, (void *)8, 128));
    kill(getpid(), SIGUSR1);
    say_record("one", read(fd, records, 130), records);
    sigqueue(getpid(), SIGRTMIN + 1, value);
    int size = read(fd, records, sizeof records);
    say_record("two", size, records);
    say_record("two", size, records + 1);
    say_result("empty", read(fd, records, sizeof records));
    if (fork() == 0)
        _exit(6);
    pause_ms(30);
    say_record("child", read(fd, records, sizeof records), records);
    wait(0);
    sigdelset(&set, SIGCHLD);
    say_result("another mask", signalfd(fd, &set, 0) == fd);
    say_result("not one", signalfd(1, &set, 0));
    say_result("closed", signalfd(99, &set, 0));
    say_result("bad flags", signalfd(-1, &set, 1));
    int epoll = epoll_create1(0);
    struct epoll_event event = {EPOLLIN, {.u32 = 5}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    say_result("epoll", epoll_wait(epoll, &event, 1, 0));
    syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
    say_result("epoll", epoll_wait(epoll, &event, 1, 1000));
    say_record("to the thread", read(fd, records, sizeof records), records);
    fcntl(fd, F_SETFL, 0);
    pid_t child = fork();
    if (child == 0) {
        pause_ms(20);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    size = read(fd, records, sizeof records);
    say("waits: %d from the child %d\n", size, records[0].ssi_pid == (uint32_t)child);
    wait(0);
    close(fd);
}
static volatile int hits;
static void hit(int signal, siginfo_t *info, void *context) {
    say("  signal %d code %d\n", signal, info->si_code);
    hits++;
}
static long clone_pidfd(int *pidfd, unsigned long flags) {
#ifdef __x86_64__
    return syscall(SYS_clone, flags | 0x1000 | SIGCHLD, 0, pidfd, 0, 0);
#else
    return syscall(SYS_clone, flags | 0x1000 | SIGCHLD, 0, pidfd, 0, 0);
#endif
}
static int pidfd_of(pid_t pid) {
    return syscall(SYS_pidfd_open, pid, 0);
}
static void *thread(void *number) {
    *(pid_t *)number = syscall(SYS_gettid);
    pause_ms(50);
    return 0;
}
static void processes(void) {
    siginfo_t info;
    int status;
    int pipes[2];
    pipe(pipes);
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(pipes[1]);
        read(pipes[0], &c, 1);
        _exit(9);
    }
    close(pipes[0]);
    int fd = pidfd_of(child);
    say("cloexec %d flags %x\n", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL) & ~0100000);
    say("lives: poll %x\n", readable(fd));
    say_result("read", read(fd, &info, 8));
    say_result("signal 0", syscall(SYS_pidfd_send_signal, fd, 0, 0, 0));
    close(pipes[1]);
    struct pollfd one = {fd, POLLIN, 0};
    say_result("ends", poll(&one, 1, 2000));
    say("poll %x\n", one.revents);
    memset(&info, 0, sizeof info);
    say_result("waitid", waitid(P_PIDFD_, fd, &info, WEXITED | WNOWAIT));
    say("code %d status %d pid %d\n", info.si_code, info.si_status, info.si_pid == child);
    say_result("waitid", waitid(P_PIDFD_, fd, &info, WEXITED));
    say_result("again", waitid(P_PIDFD_, fd, &info, WEXITED));
    say_result("signal", syscall(SYS_pidfd_send_signal, fd, SIGTERM, 0, 0));
    say("reaped: poll %x\n", readable(fd));
    close(fd);
    say_result("no process", pidfd_of(999999));
    say_result("zero", pidfd_of(0));
    say_result("flags", syscall(SYS_pidfd_open, getpid(), 1));
    say_result("not a pidfd", waitid(P_PIDFD_, 1, &info, WEXITED));
    say_result("closed", waitid(P_PIDFD_, 77, &info, WEXITED));
    say_result("not a pidfd", syscall(SYS_pidfd_send_signal, 1, SIGTERM, 0, 0));

    handle(SIGUSR1, hit, 0);
    sigset_t set;
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, 0);
    fd = pidfd_of(getpid());
    say_result("to itself", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, 0, 0));
    memset(&info, 0, sizeof info);
    info.si_signo = SIGUSR1, info.si_code = SI_QUEUE;
    say_result("with info", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0));
    say_result("another number", syscall(SYS_pidfd_send_signal, fd, SIGUSR2, &info, 0));
    say_result("flags", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, 0, 64));
    say_result("bad signal", syscall(SYS_pidfd_send_signal, fd, 65, 0, 0));
    pipe(pipes);
    int copy = syscall(SYS_pidfd_getfd, fd, pipes[1], 0);
    say("getfd: new %d cloexec %d\n", copy > pipes[1], fcntl(copy, F_GETFD));
    write(copy, "x", 1);
    char c = 0;
    read(pipes[0], &c, 1);
    say("same pipe %c\n", c);
    say_result("no such descriptor", syscall(SYS_pidfd_getfd, fd, 99, 0));
    say_result("flags", syscall(SYS_pidfd_getfd, fd, 0, 1));
    close(fd);

    int pidfd = -1;
    child = clone_pidfd(&pidfd, 0);
    if (child == 0)
        for (;;)
            pause();
    say("clone: pidfd %d cloexec %d\n", pidfd > 2, fcntl(pidfd, F_GETFD));
    fcntl(pidfd, F_SETFL, O_NONBLOCK);
    say_result("lives on", waitid(P_PIDFD_, pidfd, &info, WEXITED));
    syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
    one = (struct pollfd){pidfd, POLLIN, 0};
    poll(&one, 1, 1000);
    say_result("killed", waitid(P_PIDFD_, pidfd, &info, WEXITED));
    say("code %d status %d\n", info.si_code, info.si_status);
    close(pidfd);
    say_result("bad place", clone_pidfd((int *)8, 0));
    say_result("with a tid", clone_pidfd(&pidfd, 0x100000));
    struct clone_arguments arguments = {.flags = 0x1000, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    pidfd = -1;
    child = syscall(435, &arguments, sizeof arguments);
    if (child == 0)
        _exit(3);
    say_result("clone3", waitid(P_PIDFD_, pidfd, &info, WEXITED));
    say("status %d\n", info.si_status);
    close(pidfd);
    pthread_t other;
    pid_t tid = 0;
    pthread_create(&other, 0, thread, &tid);
    while (!*(volatile pid_t *)&tid)
        pause_ms(1);
    say_result("a thread", pidfd_of(tid));
    fd = syscall(SYS_pidfd_open, tid, O_EXCL);
    say("a thread's: %d, poll %x\n", fd > 0, readable(fd));
    pthread_join(other, 0);
    pause_ms(5);
    say("ended: poll %x\n", readable(fd) & POLLIN);
}
int main(void) {
    signals();
    processes();
    return 0;
}
