// Unix sockets: pairs, names, connections, descriptors and credentials beside the bytes, errors.
#include "say.h"
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
static struct sockaddr_un named(const char *path, socklen_t *length) {
    struct sockaddr_un address = {AF_UNIX};
    memcpy(address.sun_path, path, path[0] ? strlen(path) + 1 : 8);
    *length = offsetof(struct sockaddr_un, sun_path) + (path[0] ? strlen(path) + 1 : 8);
    return address;
}
static int do_bind(int fd, const char *path) {
    socklen_t length;
    struct sockaddr_un address = named(path, &length);
    return bind(fd, (void *)&address, length);
}
static int do_connect(int fd, const char *path) {
    socklen_t length;
    struct sockaddr_un address = named(path, &length);
    return connect(fd, (void *)&address, length);
}
static void say_name(const char *what, int result, struct sockaddr_un *address, socklen_t length) {
    say("%s: %d family %d length %d ", what, result, length >= 2 ? address->sun_family : -1, length);
    for (socklen_t i = 2; i < length; i++)
        say("%c", address->sun_path[i - 2] ? address->sun_path[i - 2] : '.');
    say("\n");
}
static void names_of(int fd) {
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int result = getsockname(fd, (void *)&address, &length);
    say_name("own name", result, &address, length);
    length = sizeof address;
    result = getpeername(fd, (void *)&address, &length);
    if (result)
        say_result("peer", result);
    else
        say_name("peer", result, &address, length);
}
static int revents(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    poll(&one, 1, 0);
    return one.revents;
}
static long send_with(int fd, const char *text, int *files, int count, int credentials) {
    char control[512] __attribute__((aligned(8))) = "";
    struct iovec part = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
    size_t used = 0;
    struct cmsghdr *head = (void *)control;
    if (count) {
        head->cmsg_level = SOL_SOCKET, head->cmsg_type = SCM_RIGHTS, head->cmsg_len = CMSG_LEN(4 * count);
        memcpy(CMSG_DATA(head), files, 4 * count);
        used += CMSG_SPACE(4 * count);
    }
    if (credentials) {
        struct ucred own = {credentials > 0 ? getpid() : 1, getuid(), getgid()};
        head = (void *)(control + used);
        head->cmsg_level = SOL_SOCKET, head->cmsg_type = SCM_CREDENTIALS, head->cmsg_len = CMSG_LEN(sizeof own);
        memcpy(CMSG_DATA(head), &own, sizeof own);
        used += CMSG_SPACE(sizeof own);
    }
    message.msg_controllen = used;
    if (!used)
        message.msg_control = 0;
    return sendmsg(fd, &message, 0);
}
static int received[64];
static int receive_with(const char *what, int fd, int room, int control_room, int flags) {
    char control[512] __attribute__((aligned(8))) = "", text[100] = "";
    struct sockaddr_un from;
    struct iovec part = {text, room};
    struct msghdr message = {&from, sizeof from, &part, 1, control, control_room, 0};
    long size = recvmsg(fd, &message, flags | MSG_DONTWAIT);
    int files = 0;
    if (size < 0) {
        say_result(what, size);
        return 0;
    }
    say("%s: %ld '%.*s' flags %x namelen %d control %d\n", what, size, (int)(size < room ? size : room), text,
        message.msg_flags, message.msg_namelen, (int)message.msg_controllen);
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        int count = (head->cmsg_len - CMSG_LEN(0)) / 4;
        if (head->cmsg_type == SCM_RIGHTS) {
            memcpy(received, CMSG_DATA(head), 4 * count);
            files = count;
            say("  %d files, new %d, cloexec %d\n", count, received[0] > 2, fcntl(received[0], F_GETFD));
        } else {
            struct ucred *who = (void *)CMSG_DATA(head);
            say("  credentials: mine %d uid %d gid %d\n", who->pid == getpid(), who->uid == getuid(), who->gid == getgid());
        }
    }
    return files;
}
static void pairs(int kind) {
    int ends[2], pipes[2], on = 1;
    char c = 0, buffer[32];
    say("pair of kind %d\n", kind);
    socketpair(AF_UNIX, kind, 0, ends);
    names_of(ends[0]);
    pipe(pipes);
    say_result("send a file", send_with(ends[0], "first", &pipes[1], 1, 0));
    say_result("send more", write(ends[0], "more", 4));
    receive_with("peek", ends[1], 2, 100, MSG_PEEK);
    int files = receive_with("receive", ends[1], 50, 100, 0);
    if (files)
        write(received[0], "x", 1);
    read(pipes[0], &c, 1);
    say("through it: %c\n", c);
    receive_with("rest", ends[1], 50, 100, 0);
    send_with(ends[0], "abc", pipes, 2, 0);
    receive_with("no room for files", ends[1], 50, 0, 0);
    send_with(ends[0], "abc", pipes, 2, 0);
    files = receive_with("room for one", ends[1], 50, CMSG_LEN(4), MSG_CMSG_CLOEXEC);
    send_with(ends[0], "abc", pipes, 2, 0);
    say_result("plain read drops them", recv(ends[1], buffer, 32, MSG_DONTWAIT));
    say_result("bad file", send_with(ends[0], "abc", (int[]){99}, 1, 0));
    say_result("SO_PASSCRED", setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, 4));
    send_with(ends[0], "plain", 0, 0, 0);
    receive_with("credentials without asking", ends[1], 50, 100, 0);
    send_with(ends[0], "both", pipes, 1, 1);
    receive_with("both", ends[1], 50, 100, 0);
    struct ucred who;
    socklen_t length = sizeof who;
    say_result("SO_PEERCRED", getsockopt(ends[0], SOL_SOCKET, SO_PEERCRED, &who, &length));
    say("mine %d %d %d\n", who.pid == getpid(), who.uid == getuid(), who.gid == getgid());
    /* a pipe whose only writer is on its way */
    int other[2];
    pipe(other);
    send_with(ends[0], "z", &other[1], 1, 0);
    close(other[1]);
    fcntl(other[0], F_SETFL, O_NONBLOCK);
    say_result("its writer still lives", read(other[0], &c, 1));
    if (kind != SOCK_STREAM)
        receive_with("cut", ends[1], 0, 0, 0);
    recv(ends[1], buffer, 32, MSG_DONTWAIT);
    if (kind == SOCK_STREAM) {
        write(ends[0], "12", 2);
        if (fork() == 0) {
            pause_ms(20);
            write(ends[0], "3456", 4);
            _exit(0);
        }
        say_result("MSG_WAITALL", recv(ends[1], buffer, 6, MSG_WAITALL));
        wait(0);
    }
    write(ends[1], "unread", 6);
    write(ends[0], "data", 4);
    close(ends[0]);
    say("closed: poll %x\n", revents(ends[1]));
    say_result("what is left", recv(ends[1], buffer, 4, MSG_DONTWAIT));
    signal(SIGPIPE, SIG_IGN);
    if (kind != SOCK_DGRAM)
        say_result("the end", read(ends[1], buffer, 4));
    say_result("write", write(ends[1], "x", 1));
    close(ends[1]);
    for (int fd = 3; fd < 40; fd++)
        close(fd);
}
static void connections(int kind, const char *path) {
    char buffer[32], c;
    say("connections of kind %d at %s\n", kind, path[0] ? "a path" : "an abstract name");
    int server = socket(AF_UNIX, kind, 0), client = socket(AF_UNIX, kind, 0);
    say("fresh: poll %x\n", revents(client));
    say_result("read", read(client, &c, 1));
    say_result("write", write(client, &c, 1));
    say_result("not there", do_connect(client, path));
    say_result("listen without a name", listen(server, 1));
    say_result("accept without listen", accept(server, 0, 0));
    say_result("bind", do_bind(server, path));
    say_result("bind again", do_bind(server, path[0] ? "/tmp/other" : "\0other12"));
    say_result("taken", do_bind(client, path));
    say_result("nobody listens", do_connect(client, path));
    say_result("listen", listen(server, 1));
    struct stat status;
    if (path[0] && stat(path, &status) == 0)
        say("file %o\n", (unsigned)status.st_mode);
    fcntl(server, F_SETFL, O_NONBLOCK);
    say_result("nobody comes", accept(server, 0, 0));
    int wrong = socket(AF_UNIX, kind == SOCK_STREAM ? SOCK_SEQPACKET : SOCK_STREAM, 0);
    say_result("another kind", do_connect(wrong, path));
    close(wrong);
    say_result("connect", do_connect(client, path));
    say_result("twice", do_connect(client, path));
    say("server poll %x client poll %x\n", revents(server), revents(client));
    write(client, "early", 5);
    int more[3];
    for (int i = 0; i < 3; i++) {
        more[i] = socket(AF_UNIX, kind | SOCK_NONBLOCK, 0);
        say_result("more", do_connect(more[i], path));
    }
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int side = accept4(server, (void *)&address, &length, SOCK_CLOEXEC);
    say("accepted %d cloexec %d length %d\n", side > 0, fcntl(side, F_GETFD), length);
    say_result("early", recv(side, buffer, 32, MSG_DONTWAIT));
    names_of(side);
    names_of(client);
    int value;
    length = 4;
    getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &value, &length);
    say("SO_ACCEPTCONN %d\n", value);
    send_with(side, "file", &server, 1, 0);
    receive_with("a file", client, 30, 100, 0);
    close(server);
    close(received[0]);
    say_result("after the server closed", do_connect(more[2], path));
    say_result("shutdown", shutdown(client, SHUT_WR));
    say_result("its end", read(side, buffer, 1));
    say_result("other way", write(side, "still", 5));
    say_result("reads", recv(client, buffer, 32, MSG_DONTWAIT));
    say("polls %x %x\n", revents(side), revents(client));
    if (path[0])
        say_result("unlink", unlink(path));
    for (int fd = 3; fd < 40; fd++)
        close(fd);
}
static void datagrams(void) {
    char buffer[32];
    struct sockaddr_un address, from;
    socklen_t length;
    say("datagrams\n");
    int server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM, 0);
    say("fresh: poll %x\n", revents(client));
    say_result("bind", do_bind(server, "/tmp/datagrams-of-a-test"));
    address = named("/tmp/datagrams-of-a-test", &length);
    say_result("not connected", send(client, "x", 1, 0));
    say_result("to an address", sendto(client, "one", 3, 0, (void *)&address, length));
    socklen_t size = sizeof from;
    say_result("from nobody", recvfrom(server, buffer, 32, 0, (void *)&from, &size));
    say("length %d\n", size);
    say_result("autobind", bind(client, (void *)&(struct sockaddr_un){AF_UNIX}, 2));
    sendto(client, "two", 3, 0, (void *)&address, length);
    size = sizeof from;
    say_result("from a name", recvfrom(server, buffer, 32, 0, (void *)&from, &size));
    say("length %d family %d first %d\n", size, from.sun_family, from.sun_path[0]);
    say_result("back", sendto(server, "three", 5, 0, (void *)&from, size));
    receive_with("got it", client, 3, 0, 0);
    say_result("connect", connect(client, (void *)&address, length));
    say_result("send", send(client, "", 0, 0));
    say_result("empty", recv(server, buffer, 32, MSG_DONTWAIT));
    say_result("no more", recv(server, buffer, 32, MSG_DONTWAIT));
    say_result("listen", listen(server, 1));
    say_result("accept", accept(server, 0, 0));
    close(server);
    say_result("gone", send(client, "x", 1, 0));
    unlink("/tmp/datagrams-of-a-test");
    close(client);
}
int main(void) {
    int value, fd = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t length = 4;
    say_result("bad family", bind(fd, (void *)&(struct sockaddr_un){7}, 10));
    say_result("short", bind(fd, (void *)&(struct sockaddr_un){AF_UNIX}, 1));
    say_result("long", bind(fd, (void *)&(struct sockaddr_un){AF_UNIX}, 111));
    say_result("no folder", do_bind(fd, "/nowhere-at-all/x"));
    say_result("kind", socket(AF_UNIX, 9, 0));
    say_result("protocol", socket(AF_UNIX, SOCK_STREAM, 7));
    say_result("option", getsockopt(fd, SOL_SOCKET, 999, &value, &length));
    say_result("not a socket", accept(1, 0, 0));
    close(fd);
    pairs(SOCK_STREAM);
    pairs(SOCK_SEQPACKET);
    pairs(SOCK_DGRAM);
    connections(SOCK_STREAM, "/tmp/socket-of-a-test");
    connections(SOCK_STREAM, "\0socket1");
    connections(SOCK_SEQPACKET, "/tmp/socket-of-a-test");
    datagrams();
    return 0;
}
