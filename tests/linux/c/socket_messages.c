// Many messages at once, whole streams, control data beside long ones, and datagrams between who may send to whom.
#include "say.h"
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int ends[2];
static char big[600000], other[600000];
static long send_file(int fd, const void *data, size_t size, int file, int flags) {
    char control[CMSG_SPACE(4)] __attribute__((aligned(8))) = "";
    struct iovec part = {(void *)data, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *head = (void *)control;
    head->cmsg_level = SOL_SOCKET, head->cmsg_type = SCM_RIGHTS, head->cmsg_len = CMSG_LEN(4);
    memcpy(CMSG_DATA(head), &file, 4);
    return sendmsg(fd, &message, flags);
}
static void receive(const char *what, int fd, int size, int flags) {
    char control[200] __attribute__((aligned(8)));
    struct iovec part = {other, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    long got = recvmsg(fd, &message, flags);
    say_result(what, got);
    if (got >= 0)
        say("  '%.*s' flags %x, %s\n", (int)(got < 20 ? got : 20), other, message.msg_flags,
            message.msg_controllen ? "with something" : "alone");
}
static void reader(int fd, int bytes, int first, int step) {
    if (fork())
        return;
    pause_ms(30);
    long got, total = 0;
    char control[200] __attribute__((aligned(8)));
    int files = 0;
    while (total < bytes) {
        struct iovec part = {other, step};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        got = recvmsg(fd, &message, 0);
        if (got <= 0)
            break;
        if (message.msg_controllen)
            files++;
        total += got;
    }
    say("the reader got %ld, files %d\n", total, files);
    _exit(0);
}
static void streams(void) {
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    for (int i = 0; i < sizeof big; i++)
        big[i] = i * 7 + i / 251;
    if (fork() == 0) {
        for (int i = 0; i < sizeof big; i += 50000)
            write(ends[1], big + i, 50000), pause_ms(2);
        _exit(0);
    }
    say_result("MSG_WAITALL past the size of a socket", recv(ends[0], other, sizeof other, MSG_WAITALL));
    say("equal %d\n", !memcmp(big, other, sizeof big));
    wait(0);
    reader(ends[1], sizeof big, 0, 70000);
    long sent = send_file(ends[0], big, sizeof big, 1, 0);
    wait(0); // the reader says what it got before this side says what it sent
    say_result("a long message with a file", sent);
    write(ends[0], "plain", 5);
    send_file(ends[0], "file", 4, 1, 0);
    write(ends[0], "more", 4);
    write(ends[0], "rest", 4);
    receive("up to the file", ends[1], 100, 0);
    receive("what is behind it", ends[1], 100, 0);
    write(ends[0], "peeked", 6);
    send_file(ends[0], "file", 4, 1, 0);
    receive("peek", ends[1], 100, MSG_PEEK);
    receive("MSG_WAITALL ends with a file", ends[1], 100, MSG_WAITALL);
    write(ends[0], "end", 3);
    shutdown(ends[0], SHUT_WR);
    receive("MSG_WAITALL ends with the stream", ends[1], 100, MSG_WAITALL);
    receive("and again", ends[1], 100, MSG_WAITALL);
    receive("nothing asked for", ends[1], 0, 0);
    close(ends[0]);
    close(ends[1]);
}
static void many(int kind) {
    struct mmsghdr messages[4] = {0};
    struct iovec parts[4];
    char buffers[4][8] = {"one", "two22", "", "four"};
    struct timespec limit = {0, 40000000};
    socketpair(AF_UNIX, kind, 0, ends);
    for (int i = 0; i < 4; i++) {
        parts[i] = (struct iovec){buffers[i], strlen(buffers[i])};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    say_result("sendmmsg", sendmmsg(ends[0], messages, 4, 0));
    for (int i = 0; i < 4; i++) {
        say("  %u\n", messages[i].msg_len);
        parts[i] = (struct iovec){buffers[i], 4};
        memset(buffers[i], 0, 8);
    }
    say_result("recvmmsg", recvmmsg(ends[1], messages, 4, MSG_DONTWAIT, 0));
    for (int i = 0; i < 4; i++)
        say("  %u '%.4s' flags %x\n", messages[i].msg_len, buffers[i], messages[i].msg_hdr.msg_flags);
    say_result("nothing", recvmmsg(ends[1], messages, 4, MSG_DONTWAIT, 0));
    write(ends[0], "ab", 2);
    say_result("MSG_WAITFORONE", recvmmsg(ends[1], messages, 4, MSG_WAITFORONE, 0));
    if (fork() == 0) {
        pause_ms(60);
        write(ends[0], "cd", 2);
        _exit(0);
    }
    say_result("a time that is over", recvmmsg(ends[1], messages, 4, 0, &limit));
    say("left %ld\n", limit.tv_nsec);
    wait(0);
    say_result("a bad time", recvmmsg(ends[1], messages, 4, 0, &(struct timespec){0, -1}));
    parts[1].iov_base = (void *)8;
    say_result("a bad second one", sendmmsg(ends[0], messages, 4, 0));
    parts[0].iov_base = (void *)8;
    say_result("a bad first one", sendmmsg(ends[0], messages, 4, 0));
    say_result("none", sendmmsg(ends[0], messages, 0, 0));
    signal(SIGPIPE, SIG_IGN);
    parts[0].iov_base = buffers[0];
    close(ends[1]);
    say_result("to nobody", sendmmsg(ends[0], messages, 4, 0));
    close(ends[0]);
}
static struct sockaddr_un name_of(const char *text) {
    struct sockaddr_un name = {AF_UNIX};
    strcpy(name.sun_path + 1, text);
    return name;
}
#define LENGTH (offsetof(struct sockaddr_un, sun_path) + 6)
static int named(const char *text) {
    struct sockaddr_un name = name_of(text);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (bind(fd, (void *)&name, LENGTH))
        say_result("bind", -1);
    return fd;
}
static long aim(int fd, const char *text) {
    struct sockaddr_un name = name_of(text);
    return connect(fd, (void *)&name, LENGTH);
}
static void datagrams(void) {
    int a = named("aaaaa"), b = named("bbbbb"), c = named("ccccc"), error;
    struct sockaddr_un name = name_of("bbbbb");
    socklen_t length = 4;
    say_result("b takes from a only", aim(b, "aaaaa"));
    say_result("c to b", aim(c, "bbbbb"));
    say_result("c sends to b", sendto(c, "x", 1, 0, (void *)&name, LENGTH));
    say_result("a to b", aim(a, "bbbbb"));
    say_result("a sends", send(a, "from a", 6, 0));
    say_result("b reads", recv(b, other, 50, 0));
    send(a, "lost", 4, 0);
    say_result("b turns to c", aim(b, "ccccc"));
    say_result("what a sent is lost", recv(b, other, 50, MSG_DONTWAIT));
    getsockopt(a, SOL_SOCKET, SO_ERROR, &error, &length);
    say("a's error %d\n", error);
    say_result("a sends to one that is connected elsewhere", send(a, "x", 1, 0));
    say_result("c to b", aim(c, "bbbbb"));
    say_result("b to nobody", connect(b, &(struct sockaddr){AF_UNSPEC}, sizeof(struct sockaddr)));
    say_result("a sends again", send(a, "x", 1, 0));
    int count = 0;
    while (send(a, "x", 1, MSG_DONTWAIT) == 1 && count < 100)
        count++;
    struct pollfd one = {a, POLLOUT};
    say("most that wait %d %s, writable %d\n", count, strerrorname_np(errno), poll(&one, 1, 0));
    if (fork() == 0) {
        pause_ms(30);
        recv(b, other, 50, 0);
        _exit(0);
    }
    say_result("one more, when there is room", send(a, "y", 1, 0));
    wait(0);
    close(b);
    say_result("b is gone", send(a, "x", 1, 0));
    say_result("a is connected to nobody", send(a, "x", 1, 0));
    close(a);
    close(c);
}
static int pipes;
static void piped(int signal, siginfo_t *info, void *context) { pipes++; }
static void broken(int kind) {
    socketpair(AF_UNIX, kind, 0, ends);
    handle(SIGPIPE, piped, 0);
    pipes = 0;
    shutdown(ends[0], SHUT_WR);
    say_result("write after shutdown", write(ends[0], "x", 1));
    say("SIGPIPE %d\n", pipes);
    close(ends[1]);
    say_result("read", recv(ends[0], other, 10, MSG_DONTWAIT));
    say_result("write to nobody", write(ends[0], "x", 1));
    say("SIGPIPE %d\n", pipes);
    say_result("MSG_NOSIGNAL", send(ends[0], "x", 1, MSG_NOSIGNAL));
    say("SIGPIPE %d\n", pipes);
    close(ends[0]);
}
int main(void) {
    streams();
    many(SOCK_STREAM);
    many(SOCK_DGRAM);
    many(SOCK_SEQPACKET);
    datagrams();
    broken(SOCK_STREAM);
    broken(SOCK_DGRAM);
    broken(SOCK_SEQPACKET);
    return 0;
}
