// SIGCHLD, waits of every kind, stopping and going on, process groups.
#include "say.h"
static volatile int hits;
static void tell(int signal, siginfo_t *info, void *context) {
    say("  SIGCHLD code %d status %d from the child %d\n", info->si_code, info->si_status, info->si_pid > 1);
    hits++;
}
static void wait_hit(int wanted) {
    while (hits < wanted)
        pause_ms(5);
}
static void say_info(const char *what, siginfo_t *info) {
    say("%s: signo %d code %d status %d\n", what, info->si_signo, info->si_code, info->si_status);
}
int main(void) {
    int status;
    siginfo_t info;
    handle(SIGCHLD, tell, SA_RESTART);
    pid_t child = fork();
    if (child == 0)
        _exit(9);
    wait_hit(1);
    say_result("waitid WNOWAIT", waitid(P_PID, child, &info, WEXITED | WNOWAIT));
    say_info("info", &info);
    say_result("waitpid", waitpid(child, &status, 0) == child);
    say_status("status", status);
    say_result("gone", waitpid(child, &status, 0));
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    hits = 0;
    say_result("nothing yet", waitpid(child, &status, WNOHANG | WUNTRACED));
    kill(child, SIGSTOP);
    wait_hit(1);
    say_result("WNOHANG without WUNTRACED", waitpid(child, &status, WNOHANG));
    say_result("WUNTRACED", waitpid(child, &status, WUNTRACED) == child);
    say_status("status", status);
    say_result("told once", waitpid(child, &status, WUNTRACED | WNOHANG));
    kill(child, SIGCONT);
    wait_hit(2);
    say_result("WCONTINUED", waitpid(child, &status, WCONTINUED) == child);
    say_status("status", status);
    kill(child, SIGTSTP);
    wait_hit(3);
    memset(&info, 0, sizeof info);
    say_result("waitid stopped", waitid(P_ALL, 0, &info, WSTOPPED));
    say_info("info", &info);
    signal(SIGCHLD, SIG_DFL); /* two changes at once may be told as one */
    kill(child, SIGTERM);
    pause_ms(20);
    say_result("stopped, so not dead", waitpid(child, &status, WNOHANG));
    kill(child, SIGCONT);
    say_result("dies when it goes on", waitpid(child, &status, 0) == child);
    say_status("status", status);

    say("SA_NOCLDSTOP\n");
    hits = 0;
    handle(SIGCHLD, tell, SA_RESTART | SA_NOCLDSTOP);
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    say("hits %d\n", hits);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    say_status("killed while stopped", status);
    say("hits %d\n", hits);

    say("SA_NOCLDWAIT\n");
    handle(SIGCHLD, tell, SA_RESTART | SA_NOCLDWAIT);
    child = fork();
    if (child == 0)
        _exit(1);
    say_result("wait", wait(&status));
    signal(SIGCHLD, SIG_IGN);
    child = fork();
    if (child == 0)
        _exit(1);
    say_result("wait with SIG_IGN", wait(&status));
    signal(SIGCHLD, SIG_DFL);

    say("groups\n");
    pid_t first = fork();
    if (first == 0) {
        setpgid(0, 0);
        for (;;)
            pause();
    }
    setpgid(first, first);
    pid_t second = fork();
    if (second == 0) {
        setpgid(0, first);
        for (;;)
            pause();
    }
    say_result("setpgid", setpgid(second, first));
    say_result("getpgid", getpgid(second) == first);
    say_result("no such member", waitpid(-getpid() - 100000, &status, WNOHANG));
    say_result("kill group", kill(-first, SIGTERM));
    say_result("wait group", waitpid(-first, &status, 0) > 0);
    say_status("status", status);
    say_result("wait group", waitpid(-first, &status, 0) > 0);
    say_status("status", status);
    say_result("no group now", kill(-first, 0));
    say_result("setpgid nobody", setpgid(999999, 0));
    say_result("setpgid other group", setpgid(0, 999999));
    say_result("getpgid nobody", getpgid(999999));
    say_result("waitpid INT_MIN", syscall(SYS_wait4, 0x80000000, 0, 0, 0));
    say_result("bad options", waitpid(-1, &status, 0x100));
    say_result("waitid without kind", waitid(P_ALL, 0, &info, WNOHANG));
    say_result("no children", waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
    child = fork();
    if (child == 0) {
        say_result("setsid", setsid() == getpid());
        say_result("again", setsid());
        say_result("getsid", getsid(0) == getpid());
        say_result("setpgid of a leader", setpgid(0, 0));
        _exit(0);
    }
    wait(&status);
    int fds[2];
    pipe(fds);
    child = fork();
    if (child == 0) { /* an orphan gets another parent */
        pid_t me = getpid();
        if (fork() == 0) {
            while (getppid() == me)
                pause_ms(2);
            write(fds[1], "o", 1);
            _exit(0);
        }
        _exit(0);
    }
    wait(&status);
    char c = 0;
    say_result("orphan", read(fds[0], &c, 1));
    say("  %c\n", c);
    for (int i = 0; i < 5; i++)
        if (fork() == 0)
            _exit(i);
    int sum = 0, n = 0;
    while (wait(&status) > 0)
        sum += WEXITSTATUS(status), n++;
    say("%d children, sum %d\n", n, sum);
    say_result("exit status is a byte", 0);
    if (fork() == 0)
        _exit(0x1234);
    wait(&status);
    say_status("status", status);
    return 0;
}
