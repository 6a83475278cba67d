// Signals that meet system calls: SA_RESTART, EINTR, timers, SIGPIPE.
#include "say.h"
#include <poll.h>
#include <sys/select.h>
static volatile int hits;
static void hit(int signal, siginfo_t *info, void *context) { hits++; }
static void timer(int milliseconds, int interval) {
    struct itimerval value = {{0, interval * 1000}, {0, milliseconds * 1000}};
    setitimer(ITIMER_REAL, &value, 0);
}
static int fds[2];
static void feed(int after) {
    if (fork() == 0) {
        pause_ms(after);
        write(fds[1], "x", 1);
        _exit(0);
    }
}
static void collect(void) {
    while (wait(0) < 0 && errno == EINTR);
}
static void pipe_death(void) { write(fds[1], "x", 1); }
static void alarm_death(void) { signal(SIGALRM, SIG_DFL); alarm(1); for (;;) pause(); }
static void profile(int signal, siginfo_t *info, void *context) { hits++; }
int main(void) {
    char c;
    pipe(fds);
    handle(SIGALRM, hit, 0);
    timer(20, 0);
    say_result("read without SA_RESTART", read(fds[0], &c, 1));
    say("hits %d\n", hits);
    handle(SIGALRM, hit, SA_RESTART);
    timer(20, 0);
    feed(60);
    say_result("read with SA_RESTART", read(fds[0], &c, 1));
    say("hits %d\n", hits);
    collect();
    struct timespec second = {0, 200000000}, left = {0, 0};
    timer(40, 0);
    say_result("nanosleep", nanosleep(&second, &left));
    say("left is less: %d\n", left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec < 190000000);
    timer(30, 0);
    say_result("clock_nanosleep", clock_nanosleep(CLOCK_MONOTONIC, 0, &second, &left));
    timer(30, 0);
    say_result("poll", poll(0, 0, 500));
    timer(30, 0);
    struct timeval half = {0, 500000};
    say_result("select", select(0, 0, 0, 0, &half));
    timer(30, 0);
    say_result("pause", pause());
    timer(20, 0);
    pid_t child = fork();
    if (child == 0) {
        pause_ms(80);
        _exit(3);
    }
    int status;
    say_result("wait with SA_RESTART", wait(&status) == child);
    handle(SIGALRM, hit, 0);
    child = fork();
    if (child == 0) {
        pause_ms(150);
        _exit(3);
    }
    timer(20, 0);
    say_result("wait without", wait(&status));
    say_result("then", wait(&status) == child);
    int word = 0;
    timer(20, 0);
    struct timespec long_time = {2, 0};
    say_result("futex", syscall(SYS_futex, &word, 0, 0, &long_time, 0, 0));
    hits = 0;
    timer(10, 10);
    while (hits < 5)
        pause();
    timer(0, 0);
    say("interval timer\n");
    struct itimerval now;
    getitimer(ITIMER_REAL, &now);
    say("off: %ld %ld\n", (long)now.it_value.tv_sec, (long)now.it_value.tv_usec);
    say_result("alarm", alarm(100));
    say_result("alarm again", alarm(0));
    say_result("setitimer bad", setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 1000000}}, 0));
    say_result("setitimer which", setitimer(7, &(struct itimerval){}, 0));
    hits = 0;
    handle(SIGVTALRM, hit, SA_RESTART);
    struct itimerval soon = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_VIRTUAL, &soon, 0);
    while (!hits);
    say("virtual timer\n");
    hits = 0;
    handle(SIGPROF, hit, SA_RESTART);
    setitimer(ITIMER_PROF, &soon, 0);
    while (!hits);
    say("profiling timer\n");
    in_child("alarm", alarm_death);

    close(fds[0]);
    in_child("SIGPIPE", pipe_death);
    signal(SIGPIPE, SIG_IGN);
    say_result("write to nobody", write(fds[1], "x", 1));
    hits = 0;
    handle(SIGPIPE, hit, 0);
    say_result("write to nobody", write(fds[1], "x", 1));
    say("hits %d\n", hits);
    struct timespec zero = {0, -1};
    say_result("nanosleep bad", nanosleep(&zero, 0));
    return 0;
}
