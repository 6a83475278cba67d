// Sockets in each other's messages: when nobody can receive them they are closed, and so is what else is there.
#include "say.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static void pass(int to, int first, int second) {
    char control[CMSG_SPACE(8)] __attribute__((aligned(8))) = "";
    struct iovec part = {"x", 1};
    int files[] = {first, second}, size = second < 0 ? 4 : 8;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(size)};
    struct cmsghdr *head = (void *)control;
    head->cmsg_level = SOL_SOCKET, head->cmsg_type = SCM_RIGHTS, head->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(head), files, size);
    if (sendmsg(to, &message, 0) != 1)
        say_result("sendmsg", -1);
}
static int take(int from) {
    char control[CMSG_SPACE(8)] __attribute__((aligned(8))) = "", c;
    struct iovec part = {&c, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int files[2];
    if (recvmsg(from, &message, 0) != 1)
        return -1;
    memcpy(files, CMSG_DATA((struct cmsghdr *)control), 8);
    return files[0];
}
static int pipes[2];
static void is_alive(const char *what) {
    struct pollfd one = {pipes[0], POLLIN};
    poll(&one, 1, 50);
    say("%s: the pipe's writer is %s\n", what, one.revents & POLLHUP ? "gone" : "there");
}
static void ended(const char *what) {
    struct pollfd one = {pipes[0], POLLIN};
    char c;
    while (poll(&one, 1, 50) == 0) { /* Linux collects when a socket is closed, and not if it did just then */
        int more[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, more);
        close(more[0]), close(more[1]);
    }
    say_result(what, read(pipes[0], &c, 1));
    close(pipes[0]);
}
int main(void) {
    int a[2], b[2], c[2];
    pipe(pipes);
    socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    pass(a[0], a[1], pipes[1]); /* a1 in its own queue */
    close(pipes[1]), close(a[0]);
    is_alive("before");
    close(a[1]);
    ended("one in itself");

    pipe(pipes);
    socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, b);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, c);
    pass(a[0], b[1], -1); /* a1 has b1, which has c1, which has a1 and the pipe */
    pass(b[0], c[1], -1);
    pass(c[0], a[1], pipes[1]);
    close(pipes[1]), close(a[0]), close(b[0]), close(c[0]), close(b[1]), close(c[1]);
    is_alive("a ring of three with one descriptor");
    int got = take(a[1]); /* b1 is out of the ring again */
    close(a[1]);
    is_alive("the ring is open");
    got = take(got);
    is_alive("one further");
    close(got);
    ended("the ring");

    pipe(pipes);
    struct sockaddr_un name = {AF_UNIX, "\0garbage"};
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(server, (void *)&name, 10);
    listen(server, 3);
    connect(client, (void *)&name, 10);
    pass(client, server, pipes[1]); /* the server in a connection that it has not accepted */
    close(pipes[1]), close(server);
    close(client);
    ended("the server");

    pipe(pipes);
    socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    pass(a[0], b[0], -1);
    pass(b[0], a[0], -1); /* no ring: each waits at the other side, which somebody has */
    pass(a[0], pipes[1], -1);
    close(pipes[1]), close(a[0]), close(b[0]);
    is_alive("two that are held");
    close(a[1]);
    ended("its queue is gone");
    char left;
    say_result("the other one", recv(b[1], &left, 1, 0));
    return 0;
}
