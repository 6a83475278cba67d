// What every program here uses: unbuffered lines, and children that run one function.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char line[1024];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (write(1, line, length) != length)
        _exit(99);
}

static void say_result(const char *what, long result) {
    if (result == -1)
        say("%s: %s\n", what, strerrorname_np(errno));
    else
        say("%s: %ld\n", what, result);
}

static void say_status(const char *what, int status) {
    if (WIFEXITED(status))
        say("%s: exited %d\n", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        say("%s: signal %d\n", what, WTERMSIG(status));
    else if (WIFSTOPPED(status))
        say("%s: stopped %d\n", what, WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        say("%s: continued\n", what);
}

/* Run `function` in a child, wait, say how it ended. */
static void in_child(const char *what, void (*function)(void)) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        function();
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    say_status(what, status);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, &action, 0))
        say("sigaction %d: %s\n", signal, strerrorname_np(errno));
}

static void pause_ms(int milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&time, &time) && errno == EINTR)
        ;
}
/* until another process waits in the kernel */
static void until_asleep(int pid) {
    char path[40], text[300], *state;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (int i = 0; i < 2000; i++, pause_ms(5)) {
        int fd = open(path, O_RDONLY);
        long size = read(fd, text, sizeof text - 1);
        close(fd);
        if (size <= 0)
            return;
        text[size] = 0, state = strrchr(text, ')');
        if (state && state[2] == 'S')
            return;
    }
}
