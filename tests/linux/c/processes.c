// fork, vfork, clone, exec and its errors, scripts, posix_spawn, system, popen, limits, wait's numbers.
#include "say.h"
#include <spawn.h>
extern char **environ;
static char folder[] = "/tmp/coalmm-XXXXXX";
static char *path(const char *name) {
    static char text[4][200];
    static int which;
    char *at = text[which++ % 4];
    snprintf(at, 200, "%s/%s", folder, name);
    return at;
}
static void make(const char *name, const char *content, int mode) {
    int fd = open(path(name), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    write(fd, content, strlen(content));
    fchmod(fd, mode);
    close(fd);
}
static void run(const char *what, const char *file, char *const argv[]) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execve(file, argv, environ);
        say("  %s: %s\n", what, strerrorname_np(errno));
        _exit(126);
    }
    waitpid(child, &status, 0);
    say_status(what, status);
}
#define RUN(what, file, ...) run(what, file, (char *[]){__VA_ARGS__, 0})
static int thread_like(void *argument) {
    *(int *)argument = 42;
    return 9;
}
static char stack[65536] __attribute__((aligned(16)));
int main(int argc, char **argv) {
    int status, shared = 0;
    if (argc > 1) {
        say("again %s", argv[0][0] ? "named" : "empty");
        for (int i = 1; i < argc; i++)
            say(" [%s]", argv[i]);
        say(" fd3 %s\n", fcntl(3, F_GETFD) < 0 ? strerrorname_np(errno) : "open");
        return argc;
    }
    char self[400];
    self[readlink("/proc/self/exe", self, 399)] = 0;
    mkdtemp(folder);
    say("exec\n");
    RUN("itself", self, "x", "one", "two");
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(fd, 3);
    RUN("with a descriptor", self, "x", "one");
    fcntl(3, F_SETFD, FD_CLOEXEC);
    RUN("with close-on-exec", self, "x", "one");
    RUN("nothing there", "/nonexistent", "x");
    RUN("a directory", "/tmp", "x");
    RUN("not a directory", "/etc/passwd/x", "x");
    make("plain", "#!/bin/sh\necho plain $0 $# \"$@\" | sed 's|/tmp/coalmm-[^/]*|D|g'\nexit 5\n", 0644);
    RUN("no right", path("plain"), "x");
    chmod(path("plain"), 0755);
    RUN("script", path("plain"), "ignored", "a b", "c");
    char text[500];
    snprintf(text, 500, "#! %s  first  second \n", self);
    make("args", text, 0755);
    int out[2];
    pipe(out);
    if (fork() == 0) {
        dup2(out[1], 1);
        execl(path("args"), "zero", "tail", (char *)0);
        _exit(1);
    }
    wait(&status);
    int got = read(out[0], text, 499);
    text[got] = 0;
    char *at = strstr(text, "/tmp/coalmm");
    if (at)
        memcpy(at + 5, "XXXXXXXXXXXXX", 13);
    say("%s", text);
    say_status("script with arguments", status);
    snprintf(text, 500, "#!%s\n", path("plain"));
    make("nested", text, 0755);
    RUN("script of a script", path("nested"), "x", "y");
    snprintf(text, 500, "#!%s\n", path("loop"));
    make("loop", text, 0755);
    RUN("script of itself", path("loop"), "x");
    make("bad", "#!/nonexistent/interpreter\n", 0755);
    RUN("no interpreter", path("bad"), "x");
    make("empty", "", 0755);
    RUN("empty file", path("empty"), "x");
    make("text", "echo hello\n", 0755);
    RUN("text file", path("text"), "x");
    make("blank", "#!\n", 0755);
    RUN("blank line", path("blank"), "x");
    make("elf", "\177ELF\2\1\1garbage garbage garbage garbage garbage garbage garbage", 0755);
    RUN("garbage ELF", path("elf"), "x");
    symlink(path("ring"), path("ring"));
    RUN("link to itself", path("ring"), "x");
    char *big = malloc(200000);
    memset(big, 'a', 199999);
    big[199999] = 0;
    RUN("a long argument", self, "x", big);
    static char *many[60000];
    for (int i = 0; i < 59999; i++)
        many[i] = "0123456789012345678901234567890123456789012345678901234567890123456789";
    run("many arguments", self, many);
    say_result("bad argv", syscall(SYS_execve, self, 8, 0));
    say_result("bad path", syscall(SYS_execve, 8, 0, 0));
    say("ways to start\n");
    say_result("system", WEXITSTATUS(system("exit 4")));
    FILE *file = popen("echo from popen; exit 2", "r");
    say("%s", fgets(text, 100, file));
    say_result("pclose", WEXITSTATUS(pclose(file)));
    pid_t child;
    int spawned = posix_spawn(&child, "/bin/echo", 0, 0, (char *[]){"echo", "spawned", 0}, environ);
    waitpid(child, &status, 0);
    say_result("posix_spawn", spawned);
    say_status("spawned", status);
    say_result("posix_spawn nothing", posix_spawn(&child, "/nonexistent", 0, 0, (char *[]){"x", 0}, environ));
    child = vfork();
    if (child == 0) {
        shared = 7;
        _exit(3);
    }
    waitpid(child, &status, 0);
    say("vfork shares: %d, status %d\n", shared, WEXITSTATUS(status));
    child = fork();
    if (child == 0) {
        shared = 8;
        _exit(0);
    }
    waitpid(child, &status, 0);
    say("fork does not: %d\n", shared);
    child = clone(thread_like, stack + sizeof stack, CLONE_VM | SIGCHLD, &shared);
    waitpid(child, &status, 0);
    say("clone with memory: %d, status %d\n", shared, WEXITSTATUS(status));
    child = clone(thread_like, stack + sizeof stack, CLONE_VM | CLONE_VFORK, &shared);
    say_result("no exit signal, plain wait", waitpid(child, &status, WNOHANG));
    say_result("with __WALL", waitpid(child, &status, __WALL) == child);
    say_result("clone SIGHAND alone", syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
    say_result("clone THREAD alone", syscall(SYS_clone, CLONE_THREAD | CLONE_VM, 0, 0, 0, 0));
    say_result("clone3 small", syscall(SYS_clone3, text, 10));
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 20;
    say_result("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max + 1;
    say_result("above hard", setrlimit(RLIMIT_NOFILE, &limit));
    say_result("no such limit", getrlimit(99, &limit));
    struct rusage usage;
    long turns = 0;
    do {
        for (volatile long i = 0; i < 10000; i++)
            ;
        getrusage(RUSAGE_SELF, &usage);
    } while (usage.ru_utime.tv_sec + usage.ru_utime.tv_usec == 0 && ++turns < 100000);
    say("time was used %d, memory %d\n", usage.ru_utime.tv_sec + usage.ru_utime.tv_usec > 0, usage.ru_maxrss > 100);
    struct tms times_now;
    say("times %d\n", times(&times_now) != -1);
    int depth = 0;
    for (;;) { /* a chain of generations */
        child = fork();
        if (child) {
            waitpid(child, &status, 0);
            if (depth)
                _exit(WEXITSTATUS(status) + 1);
            break;
        }
        if (++depth == 20)
            _exit(1);
    }
    say("generations %d\n", WEXITSTATUS(status));
    snprintf(text, 500, "rm -rf %s", folder);
    system(text);
    return 0;
}
