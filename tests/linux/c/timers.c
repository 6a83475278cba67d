// POSIX timers and interval timers: whom they tell and what, overruns, clocks, errors, how late they are.
#include "say.h"
#include <pthread.h>
#include <sys/timerfd.h>
typedef struct {
    long interval_seconds, interval_part, seconds, part;
} plain_spec; /* struct itimerspec of the calls with longs */

static int create(clockid_t clock, int notify, int signal, long value) {
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = signal, .sigev_value.sival_ptr = (void *)value};
    int timer = -7;
    event._sigev_un._tid = syscall(SYS_gettid);
    return syscall(SYS_timer_create, clock, &event, &timer) ? -1 : timer;
}
static int set(int timer, int flags, long first_ms, long interval_ms) {
    plain_spec spec = {interval_ms / 1000, interval_ms % 1000 * 1000000, first_ms / 1000, first_ms % 1000 * 1000000};
    return syscall(SYS_timer_settime, timer, flags, &spec, 0);
}
static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}
static void burn(double seconds) {
    double end = now(CLOCK_MONOTONIC) + seconds;
    while (now(CLOCK_MONOTONIC) < end)
        ;
}
static void say_signal(const char *what, int result, siginfo_t *info) {
    say("%s: signal %d code %d value %lx overrun %d\n", what, result, info->si_code, (long)info->si_value.sival_ptr,
        info->si_overrun);
}
static volatile int hits;
static volatile pid_t taker;
static double expected, latest;
static void count(int signal, siginfo_t *info, void *context) {
    taker = syscall(SYS_gettid);
    if (hits++ == 0)
        latest = now(CLOCK_MONOTONIC) - expected;
}
static void *threads_timer(void *unused) {
    int timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL | SIGEV_THREAD_ID, SIGUSR2, 5);
    hits = 0;
    set(timer, 0, 10, 0);
    while (!hits)
        pause_ms(1);
    say("the thread itself takes it: %d\n", taker == syscall(SYS_gettid));
    syscall(SYS_timer_delete, timer);
    return 0;
}
static void errors(void) {
    int timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1), result;
    plain_spec bad = {0, 0, 0, 1000000000}, negative = {0, -1, 1, 0}, early = {0, 0, -1, 0}, spec;
    say_result("bad clock", create(99, SIGEV_SIGNAL, SIGUSR1, 1));
    say_result("coarse clock", create(CLOCK_MONOTONIC_COARSE, SIGEV_SIGNAL, SIGUSR1, 1));
    say_result("bad signal", create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 65, 1));
    say_result("signal 0", create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, 1));
    say_result("none with a bad signal", create(CLOCK_MONOTONIC, SIGEV_NONE, 99, 1) > 0);
    say_result("bad way", create(CLOCK_MONOTONIC, 7, SIGUSR1, 1));
    say_result("null for the number", syscall(SYS_timer_create, CLOCK_MONOTONIC, 0, 8));
    say_result("bad event", syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &result));
    say_result("no event", syscall(SYS_timer_create, CLOCK_MONOTONIC, 0, &result));
    say_result("bad part", syscall(SYS_timer_settime, timer, 0, &bad, 0));
    say_result("negative part", syscall(SYS_timer_settime, timer, 0, &negative, 0));
    say_result("negative seconds", syscall(SYS_timer_settime, timer, 0, &early, 0));
    say_result("no new", syscall(SYS_timer_settime, timer, 0, 0, &spec));
    say_result("bad new", syscall(SYS_timer_settime, timer, 0, 8, 0));
    say_result("bad result", syscall(SYS_timer_gettime, timer, 8));
    say_result("no timer", syscall(SYS_timer_gettime, 12345, &spec));
    say_result("no timer", set(12345, 0, 1, 0));
    say_result("no timer", syscall(SYS_timer_getoverrun, 12345));
    say_result("delete", syscall(SYS_timer_delete, timer));
    say_result("deleted", syscall(SYS_timer_delete, timer));
    say_result("deleted", set(timer, 0, 1, 0));
}
static void lateness(const char *what, int which) {
    double best = 9;
    for (int i = 0; i < 8 || (best >= 0.02 && i < 200); i++) { /* a busy host may be late often */
        struct itimerval value = {{0, 0}, {0, 7000}};
        struct itimerspec spec = {{0, 0}, {0, 7000000}};
        int timer = -1;
        hits = 0;
        if (which == 1)
            timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGALRM, 0);
        expected = now(CLOCK_MONOTONIC) + 0.007;
        if (which == 0)
            setitimer(ITIMER_REAL, &value, 0);
        else if (which == 1)
            set(timer, 0, 7, 0);
        else
            timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), timerfd_settime(timer, 0, &spec, 0);
        if (which == 2) {
            uint64_t times;
            while (read(timer, &times, 8) != 8)
                ;
            latest = now(CLOCK_MONOTONIC) - expected;
            close(timer);
        } else {
            for (volatile long n = 0; !hits; n++)
                ; /* no system call: the slice itself has to end */
            if (timer >= 0)
                syscall(SYS_timer_delete, timer);
        }
        best = latest < best ? latest : best;
    }
    say("%s: not early %d, at most 20 ms late %d\n", what, best >= 0, best < 0.02);
}
int main(void) {
    siginfo_t info;
    sigset_t set_of;
    plain_spec spec;
    setvbuf(stdout, 0, _IONBF, 0);
    sigemptyset(&set_of);
    sigaddset(&set_of, SIGUSR1);
    sigaddset(&set_of, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set_of, 0);
    errors();

    say("one shot\n");
    int timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 0x1234);
    double start = now(CLOCK_MONOTONIC);
    say_result("set", set(timer, 0, 200, 0));
    syscall(SYS_timer_gettime, timer, &spec);
    say("left %d, interval %ld\n", spec.seconds == 0 && spec.part > 1000000 && spec.part <= 200000000, spec.interval_part);
    say_signal("waited", sigwaitinfo(&set_of, &info), &info);
    say("number %d, not early %d\n", info.si_timerid == timer, now(CLOCK_MONOTONIC) - start >= 0.2);
    syscall(SYS_timer_gettime, timer, &spec);
    say("off: %ld %ld\n", spec.seconds, spec.part);

    say("overruns\n");
    set(timer, 0, 10, 10);
    burn(0.105);
    int signal = sigwaitinfo(&set_of, &info);
    say("signal %d, many overruns %d, the same again %d\n", signal, info.si_overrun >= 8,
        syscall(SYS_timer_getoverrun, timer) == info.si_overrun);
    plain_spec off = {5, 0, 0, 0};
    say_result("stop", syscall(SYS_timer_settime, timer, 0, &off, &spec));
    say("was on %d, interval %ld\n", spec.part > 0, spec.interval_part);
    syscall(SYS_timer_gettime, timer, &spec);
    say("interval of one that is off: %ld\n", spec.interval_seconds);
    sigtimedwait(&set_of, &info, &(struct timespec){0, 0}); /* one that came before the stop */
    say_result("no signal", sigtimedwait(&set_of, &info, &(struct timespec){0, 30000000}));

    say("absolute\n");
    struct timespec past = {1, 0};
    plain_spec absolute = {0, 0, past.tv_sec, past.tv_nsec};
    say_result("past", syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &absolute, 0));
    say_signal("at once", sigtimedwait(&set_of, &info, &(struct timespec){1, 0}), &info);
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    int wall = create(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 3);
    real.tv_nsec += 30000000;
    absolute = (plain_spec){0, 0, real.tv_sec + real.tv_nsec / 1000000000, real.tv_nsec % 1000000000};
    syscall(SYS_timer_settime, wall, TIMER_ABSTIME, &absolute, 0);
    say_signal("wall clock", sigwaitinfo(&set_of, &info), &info);

    say("none\n");
    int quiet = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
    set(quiet, 0, 20, 0);
    syscall(SYS_timer_gettime, quiet, &spec);
    say("runs %d\n", spec.part > 0);
    pause_ms(30);
    syscall(SYS_timer_gettime, quiet, &spec);
    say("is over %ld\n", spec.part);

    say("processor time\n");
    handle(SIGUSR2, count, SA_RESTART);
    int cpu = create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR2, 0);
    hits = 0;
    double used = now(CLOCK_PROCESS_CPUTIME_ID);
    set(cpu, 0, 20, 0);
    pause_ms(60);
    say("not while it sleeps: %d\n", hits);
    while (!hits && now(CLOCK_PROCESS_CPUTIME_ID) - used < 2)
        ;
    say("used %d, hits %d\n", now(CLOCK_PROCESS_CPUTIME_ID) - used >= 0.0199, hits);
    struct itimerval prof = {{0, 0}, {0, 20000}};
    handle(SIGVTALRM, count, SA_RESTART);
    hits = 0;
    setitimer(ITIMER_VIRTUAL, &prof, 0);
    while (!hits)
        ;
    say("virtual %d\n", hits);
    used = now(CLOCK_THREAD_CPUTIME_ID);
    burn(0.01);
    say("the thread's clock goes on within a slice %d\n", now(CLOCK_THREAD_CPUTIME_ID) > used);

    say("threads\n");
    pthread_t thread;
    pthread_create(&thread, 0, threads_timer, 0);
    pthread_join(thread, 0);

    say("fork\n");
    set(timer, 0, 10000, 0);
    alarm(100);
    if (fork() == 0) {
        say_result("not the child's", syscall(SYS_timer_gettime, timer, &spec));
        say_result("alarm", alarm(0));
        _exit(0);
    }
    wait(0);
    say_result("still there", syscall(SYS_timer_gettime, timer, &spec));
    say_result("alarm", alarm(0));

    handle(SIGALRM, count, SA_RESTART);
    lateness("setitimer", 0);
    lateness("timer_create", 1);
    lateness("timerfd", 2);
    return 0;
}
