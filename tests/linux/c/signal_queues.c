// Order, values, waiting: what pends and how it comes out.
#include "say.h"
static void tell(int signal, siginfo_t *info, void *context) {
    if (info->si_code == SI_QUEUE)
        say("  got %d value %d\n", signal, info->si_value.sival_int);
    else
        say("  got %d code %d\n", signal, info->si_code);
}
static sigset_t set_of(int first, int second) {
    sigset_t set;
    sigemptyset(&set);
    if (first) sigaddset(&set, first);
    if (second) sigaddset(&set, second);
    return set;
}
int main(void) {
    sigset_t all, old, some;
    sigfillset(&all);
    int used[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGRTMIN, SIGRTMIN + 1, SIGRTMIN + 5, SIGALRM};
    for (int i = 0; i < 7; i++)
        handle(used[i], tell, 0);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (int i = 0; i < 3; i++) {
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 10 + i});
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 20 + i});
        sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 30 + i});
        kill(getpid(), SIGUSR1);
        raise(SIGHUP);
    }
    sigpending(&some);
    say("pending");
    for (int s = 1; s < 65; s++)
        if (sigismember(&some, s) == 1)
            say(" %d", s);
    say("\nunblock all\n");
    sigprocmask(SIG_SETMASK, &old, 0);
    sigpending(&some);
    say("left %d\n", sigismember(&some, SIGUSR1));

    say("sigtimedwait\n");
    sigprocmask(SIG_BLOCK, &all, 0);
    siginfo_t info;
    struct timespec zero = {0, 0}, little = {0, 20000000}, bad = {0, 2000000000};
    some = set_of(SIGUSR1, SIGRTMIN);
    say_result("nothing", sigtimedwait(&some, &info, &zero));
    say_result("bad time", sigtimedwait(&some, &info, &bad));
    say_result("times out", sigtimedwait(&some, &info, &little));
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 77});
    raise(SIGUSR1);
    say_result("first", sigtimedwait(&some, &info, 0));
    say("  code %d\n", info.si_code);
    say_result("second", sigwaitinfo(&some, &info));
    say("  code %d value %d from %d\n", info.si_code, info.si_value.sival_int, info.si_pid == getpid());
    if (fork() == 0) {
        pause_ms(20);
        sigqueue(getppid(), SIGRTMIN, (union sigval){.sival_int = 5});
        _exit(0);
    }
    say_result("from a child", sigwaitinfo(&some, &info));
    say("  value %d\n", info.si_value.sival_int);
    wait(0);
    sigset_t chld = set_of(SIGCHLD, 0);
    say_result("SIGCHLD pends", sigtimedwait(&chld, &info, &zero));
    sigprocmask(SIG_SETMASK, &old, 0);

    say("sigsuspend\n");
    some = set_of(SIGUSR1, 0);
    sigprocmask(SIG_BLOCK, &some, &old);
    raise(SIGUSR1);
    sigset_t empty = set_of(0, 0);
    say_result("sigsuspend", sigsuspend(&empty));
    sigprocmask(SIG_BLOCK, 0, &some);
    say("blocked again %d\n", sigismember(&some, SIGUSR1));
    if (fork() == 0) {
        pause_ms(20);
        kill(getppid(), SIGUSR1);
        pause_ms(20);
        kill(getppid(), SIGUSR2);
        _exit(0);
    }
    some = set_of(SIGUSR1, 0);
    say_result("sigsuspend, other", sigsuspend(&some));
    say_result("sigsuspend, pending", sigsuspend(&empty));
    while (wait(0) < 0 && errno == EINTR);
    sigprocmask(SIG_SETMASK, &empty, 0);

    say("errors\n");
    say_result("kill nobody", kill(999999, 0));
    say_result("kill self 0", kill(getpid(), 0));
    say_result("kill bad signal", kill(getpid(), 65));
    say_result("kill bad group", kill(-999999, SIGUSR1));
    say_result("tgkill wrong group", syscall(SYS_tgkill, 1, gettid() + 1, SIGUSR1));
    say_result("tgkill", syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1));
    say_result("tkill -1", syscall(SYS_tkill, -1, 0));
    say_result("sigaction 0", sigaction(0, 0, 0));
    say_result("sigaction 65", syscall(SYS_rt_sigaction, 65, 0, 0, 8));
    say_result("sigaction kill", sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, 0));
    say_result("sigaction kill, read", sigaction(SIGKILL, 0, &(struct sigaction){}));
    say_result("sigaction size", syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 4));
    say_result("sigaction bad pointer", syscall(SYS_rt_sigaction, SIGUSR1, 8, 0, 8));
    say_result("sigprocmask bad how", syscall(SYS_rt_sigprocmask, 9, &empty, 0, 8));
    say_result("sigprocmask bad how, no set", syscall(SYS_rt_sigprocmask, 9, 0, &some, 8));
    say_result("sigprocmask bad pointer", syscall(SYS_rt_sigprocmask, 0, 8, 0, 8));
    say_result("sigpending size", syscall(SYS_rt_sigpending, &some, 16));
    say_result("sigpending small", syscall(SYS_rt_sigpending, &some, 4));
    siginfo_t forged = {.si_signo = SIGUSR1, .si_code = SI_USER};
    say_result("forged code to self", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &forged));
    if (fork() == 0) {
        say_result("forged code to parent", syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &forged));
        _exit(0);
    }
    while (wait(0) < 0 && errno == EINTR);
    say("ignored while pending\n");
    some = set_of(SIGUSR1, 0);
    sigprocmask(SIG_BLOCK, &some, 0);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigpending(&some);
    say("pends %d\n", sigismember(&some, SIGUSR1));
    raise(SIGUSR1);
    sigpending(&some);
    say("ignored and blocked pends %d\n", sigismember(&some, SIGUSR1));
    return 0;
}
