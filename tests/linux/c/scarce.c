// Everything that takes memory of the kernel, a step each: with ENOMEM a step gives up and the next one goes on.
// argv[1] says which steps, as letters. A failure with another error is told; nothing of that kind is expected.
#include "say.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static const char *step;
static char path[64];

/* Whether a call failed; it may only for want of memory. */
static int failed(const char *what, long result) {
    if (result != -1)
        return 0;
    if (errno != ENOMEM && errno != EAGAIN)
        say("%s: %s: %s\n", step, what, strerrorname_np(errno));
    return 1;
}

static void touch(char *area, size_t size) {
    for (size_t at = 0; at < size; at += 4096)
        area[at]++;
}

static char *map(size_t size, int protection, int flags, int fd) {
    char *area = mmap(0, size, protection, flags, fd, 0);
    return failed("mmap", (long)area) ? 0 : area;
}

static void maps(void) {
    char *area = map(1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (!area)
        return;
    touch(area, 1 << 18);
    for (int page = 1; page < 32; page += 2)
        failed("mprotect", mprotect(area + page * 4096, 4096, PROT_READ));
    failed("madvise", madvise(area, 1 << 17, MADV_DONTNEED));
    failed("madvise", madvise(area + (1 << 17), 1 << 16, MADV_POPULATE_WRITE));
    failed("mlock", mlock(area + (1 << 17), 1 << 15));
    failed("munlock", munlock(area + (1 << 17), 1 << 15));
    char *moved = mremap(area + (1 << 17), 1 << 17, 1 << 19, MREMAP_MAYMOVE);
    if (!failed("mremap", (long)moved))
        munmap(moved, 1 << 19);
    failed("munmap", munmap(area + 3 * 4096, 4096));
    munmap(area, 1 << 17);
    munmap(area + (1 << 17), 1 << 17);
}

static void heap(void) {
    if (failed("sbrk", (long)sbrk(100000)))
        return;
    touch((char *)sbrk(0) - 100000, 90000);
    sbrk(-50000);
}

static void children(void) {
    static char data[1 << 16];
    char *shared = map(1 << 14, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    for (int round = 0; round < 2; round++) {
        int status;
        pid_t child = round ? vfork() : fork();
        if (failed("fork", child))
            continue;
        if (child == 0) {
            if (!round) {
                touch(data, sizeof data);
                if (shared)
                    touch(shared, 1 << 14);
            }
            execl("/proc/self/exe", "scarce", "", (char *)0);
            _exit(errno == ENOMEM ? 7 : 8);
        }
        failed("wait", waitpid(child, &status, 0));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 8)
            say("exec failed otherwise\n");
    }
    if (shared)
        munmap(shared, 1 << 14);
}

static void *work(void *argument) {
    char stack[8192];
    memset(stack, 1, sizeof stack);
    return memchr(stack, 2, sizeof stack);
}

static void threads(void) {
    pthread_t list[4];
    int made = 0;
    while (made < 4) {
        errno = pthread_create(&list[made], 0, work, 0);
        if (errno) {
            failed("pthread_create", -1);
            break;
        }
        made++;
    }
    while (made)
        pthread_join(list[--made], 0);
}

static void files(void) {
    static char data[40000];
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (failed("open", fd))
        return;
    failed("write", write(fd, data, sizeof data));
    char *area = ftruncate(fd, sizeof data) ? 0 : map(sizeof data, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    if (area) {
        touch(area, sizeof data);
        failed("pwrite", pwrite(fd, data, 5000, 3000));
        failed("pread", pread(fd, data, 5000, 9000));
        failed("msync", msync(area, sizeof data, MS_SYNC));
        failed("ftruncate", ftruncate(fd, 10000));
        munmap(area, sizeof data);
    }
    close(fd);
    failed("unlink", unlink(path));
    fd = memfd_create("memory", 0);
    if (failed("memfd_create", fd))
        return;
    failed("write", write(fd, data, sizeof data));
    area = map(8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
    if (area) {
        touch(area, 8192);
        munmap(area, 8192);
    }
    close(fd);
}

static void pipes(void) {
    static char data[70000];
    int fds[2], pair[2], event = eventfd(3, 0), poll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct epoll_event ready = {.events = EPOLLIN};
    if (!failed("pipe", pipe2(fds, O_NONBLOCK))) {
        failed("write", write(fds[1], data, sizeof data));
        failed("read", read(fds[0], data, sizeof data));
        close(fds[0]);
        close(fds[1]);
    }
    if (!failed("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))) {
        failed("write", write(pair[1], data, 20000));
        failed("read", read(pair[0], data, 20000));
        close(pair[0]);
        close(pair[1]);
    }
    failed("epoll_ctl", epoll_ctl(poll, EPOLL_CTL_ADD, event, &ready));
    failed("epoll_wait", epoll_wait(poll, &ready, 1, 0));
    close(event);
    close(poll);
    close(timer);
}

static void note(int signal, siginfo_t *info, void *context) {
    char room[5000];
    memset(room, 1, sizeof room);
}

static void signals(void) {
    char *room = map(1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    stack_t other = {.ss_sp = room, .ss_size = 1 << 16}, none = {.ss_flags = SS_DISABLE};
    if (room)
        sigaltstack(&other, 0);
    handle(SIGUSR1, note, SA_ONSTACK);
    failed("kill", kill(getpid(), SIGUSR1));
    union sigval value = {.sival_int = 1};
    failed("sigqueue", sigqueue(getpid(), SIGUSR1, value));
    sigaltstack(&none, 0);
    if (room)
        munmap(room, 1 << 16);
}

static void segments(void) {
    int id = shmget(IPC_PRIVATE, 1 << 15, IPC_CREAT | 0600);
    if (failed("shmget", id))
        return;
    char *area = shmat(id, 0, 0);
    if (!failed("shmat", (long)area)) {
        touch(area, 1 << 15);
        shmdt(area);
    }
    shmctl(id, IPC_RMID, 0);
}

static int deep(int level) {
    volatile char room[4000];
    room[0] = level;
    return level ? deep(level - 1) + room[0] : 0;
}

static void stack(void) {
    deep(40);
}

int main(int argc, char **argv) {
    static const struct {
        char letter;
        const char *name;
        void (*function)(void);
    } steps[] = {{'m', "maps", maps},   {'h', "heap", heap},   {'c', "children", children}, {'t', "threads", threads},
                 {'f', "files", files}, {'p', "pipes", pipes}, {'s', "signals", signals},   {'g', "segments", segments},
                 {'d', "stack", stack}};
    snprintf(path, sizeof path, "/tmp/scarce-%d", getpid());
    for (int i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strchr(argv[1], steps[i].letter)) {
            step = steps[i].name;
            steps[i].function();
        }
    if (*argv[1])
        say("end\n");
    return 0;
}
