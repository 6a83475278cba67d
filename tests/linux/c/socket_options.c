// Options of Unix sockets: what they are, what they take, and what the sizes and times do.
#include "say.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static const int numbers[] = {
    SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
    SO_OOBINLINE, SO_PRIORITY, SO_REUSEPORT, SO_PASSCRED, SO_RCVLOWAT, SO_SNDLOWAT, SO_ACCEPTCONN, SO_PROTOCOL,
    SO_DOMAIN, SO_MARK, SO_PEERCRED, SO_LINGER, SO_RCVTIMEO, SO_SNDTIMEO, SO_PEERGROUPS, 999};
static int ends[2];
static void options(int kind) {
    int values[] = {1, 0, 5, 3000, -1, 300000};
    for (int i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int fd = socket(AF_UNIX, kind, 0), value = 0x77777777;
        char wide[64] = "";
        socklen_t length = sizeof value;
        int result = getsockopt(fd, SOL_SOCKET, numbers[i], &value, &length);
        say("option %d: %s %d, %d bytes;", numbers[i], result ? strerrorname_np(errno) : "", value, (int)length);
        for (int j = 0; j < sizeof values / sizeof *values; j++) {
            result = setsockopt(fd, SOL_SOCKET, numbers[i], &values[j], sizeof values[j]);
            value = 0;
            length = sizeof value;
            getsockopt(fd, SOL_SOCKET, numbers[i], &value, &length);
            say(" %s %d", result ? strerrorname_np(errno) : "", value > 8000000 ? -2 : value);
        }
        result = setsockopt(fd, SOL_SOCKET, numbers[i], values, 3);
        say("; 3 bytes %s", result ? strerrorname_np(errno) : "taken");
        result = setsockopt(fd, SOL_SOCKET, numbers[i], wide, sizeof wide);
        say("; many %s", result ? strerrorname_np(errno) : "taken");
        result = setsockopt(fd, SOL_SOCKET, numbers[i], (void *)8, sizeof wide);
        say("; nowhere %s", result ? strerrorname_np(errno) : "taken");
        length = 2;
        result = getsockopt(fd, SOL_SOCKET, numbers[i], wide, &length);
        say("; room for 2: %s %d", result ? strerrorname_np(errno) : "", (int)length);
        length = -1;
        result = getsockopt(fd, SOL_SOCKET, numbers[i], wide, &length);
        say("; for -1: %s\n", result ? strerrorname_np(errno) : "");
        close(fd);
    }
}
static void timeouts(void) {
    struct timeval set[] = {{1, 500000}, {0, 0}, {-1, 0}, {0, 1000000}, {0, -1}, {1000000000, 0}}, now;
    struct linger linger[] = {{1, 5}, {0, 7}, {1, 0}}, got;
    socklen_t length;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    for (int i = 0; i < 6; i++) {
        say_result("a time", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &set[i], sizeof set[i]));
        length = sizeof now;
        getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &now, &length);
        say("  %ld.%06ld, %d bytes\n", (long)now.tv_sec, (long)now.tv_usec, length == sizeof now);
    }
    for (int i = 0; i < 3; i++) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger[i], sizeof linger[i]);
        length = sizeof got;
        getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &length);
        say("linger %d %d\n", got.l_onoff, got.l_onoff ? got.l_linger : 0);
    }
    close(fd);
}
static void levels(void) {
    int value = 1, fd = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t length = 4;
    say_result("IPPROTO_TCP", setsockopt(fd, 6, 1, &value, 4));
    say_result("SOL_UDP", getsockopt(fd, 17, 1, &value, &length));
    say_result("a length of -1", setsockopt(fd, 6, 1, &value, -1));
    say_result("no socket", getsockopt(1, SOL_SOCKET, SO_TYPE, &value, &length));
    say_result("no descriptor", setsockopt(99, SOL_SOCKET, SO_TYPE, &value, 4));
    close(fd);
}
static long elapsed_ms(const struct timespec *from) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}
static void timed(const char *what, long result, const struct timespec *from) {
    int error = errno;
    long spent = elapsed_ms(from);
    errno = error;
    say_result(what, result);
    say("  waited %d\n", spent >= 50 && spent < 20000);
}
static void nothing(int signal, siginfo_t *info, void *context) {}
static void waits(int kind) {
    static char big[400000];
    struct timeval limit = {0, 60000};
    struct timespec now;
    char c;
    socketpair(AF_UNIX, kind, 0, ends);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    clock_gettime(CLOCK_MONOTONIC, &now);
    timed("read", read(ends[0], &c, 1), &now);
    clock_gettime(CLOCK_MONOTONIC, &now);
    timed("recv of nothing asked", recv(ends[0], &c, 1, MSG_WAITALL), &now);
    if (kind == SOCK_STREAM) {
        write(ends[1], "abc", 3);
        clock_gettime(CLOCK_MONOTONIC, &now);
        timed("MSG_WAITALL gets some", recv(ends[0], big, 10, MSG_WAITALL), &now);
        int least = 3;
        setsockopt(ends[0], SOL_SOCKET, SO_RCVLOWAT, &least, 4);
        write(ends[1], "de", 2);
        clock_gettime(CLOCK_MONOTONIC, &now);
        timed("SO_RCVLOWAT gets less", recv(ends[0], big, 10, 0), &now);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    long sent = 0, last;
    while ((last = write(ends[0], big, kind == SOCK_STREAM ? sizeof big : 30000)) > 0 && sent < 2000000)
        sent += last;
    timed("write", last, &now);
    say("sent %d\n", sent > 100000 && sent < 300000);
    while (recv(ends[1], big, sizeof big, MSG_DONTWAIT) > 0)
        ;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un name = {AF_UNIX, "\0timed out"};
    bind(fd, (void *)&name, 12);
    listen(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    clock_gettime(CLOCK_MONOTONIC, &now);
    timed("accept", accept(fd, 0, 0), &now);
    int first = socket(AF_UNIX, SOCK_STREAM, 0), second = socket(AF_UNIX, SOCK_STREAM, 0);
    say_result("connect", connect(first, (void *)&name, 12));
    setsockopt(second, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    clock_gettime(CLOCK_MONOTONIC, &now);
    timed("connect to a full one", connect(second, (void *)&name, 12), &now);
    /* a signal: with a timeout the call is not made again */
    struct itimerval alarm = {{0, 20000}, {0, 20000}}; /* again and again: the first may come before the call */
    limit.tv_sec = 20;
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    handle(SIGALRM, nothing, SA_RESTART);
    setitimer(ITIMER_REAL, &alarm, 0);
    say_result("a signal with SA_RESTART", read(ends[0], &c, 1));
    setitimer(ITIMER_REAL, &(struct itimerval){0}, 0);
    for (fd = 3; fd < 20; fd++)
        close(fd);
}
static int count_until_full(int size, int limit) {
    static char bytes[5000];
    int count = 0;
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    if (limit)
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &limit, sizeof limit);
    struct pollfd one = {ends[0], POLLOUT};
    poll(&one, 1, 0);
    say("writable %d ", one.revents == POLLOUT);
    while (send(ends[0], bytes, size, MSG_DONTWAIT) == size && count < 10000)
        count++;
    say("full %s ", strerrorname_np(errno));
    poll(&one, 1, 0);
    say("writable %d ", one.revents == POLLOUT);
    recv(ends[1], bytes, size, 0);
    say("one read, writable %d\n", poll(&one, 1, 0));
    for (int i = 1; i < count; i++)
        recv(ends[1], bytes, size, 0);
    say("all read, writable %d\n", poll(&one, 1, 0));
    if (limit)
        say_result("too large", send(ends[0], bytes, 2 * limit > 4608 ? 2 * limit : 4608, MSG_DONTWAIT));
    close(ends[0]);
    close(ends[1]);
    return count;
}
int main(void) {
    options(SOCK_STREAM);
    options(SOCK_DGRAM);
    timeouts();
    levels();
    waits(SOCK_STREAM);
    waits(SOCK_SEQPACKET);
    int normal = count_until_full(1000, 0), small = count_until_full(1000, 10000), least = count_until_full(1000, 1);
    say("counts are in order %d; the smallest takes %d\n", normal > small && small > least, least);
    say("one byte costs more than a byte %d\n", count_until_full(1, 0) < 2000);
    return 0;
}
