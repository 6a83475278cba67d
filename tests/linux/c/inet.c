// TCP and UDP over the loopback: addresses, connections, ends, options, errors.
#include "say.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

static struct sockaddr_in at(unsigned ip, int port) {
    return (struct sockaddr_in){AF_INET, htons(port), {htonl(ip)}};
}
static const unsigned LOCAL = INADDR_LOOPBACK;
static int revents(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    poll(&one, 1, 20);
    return one.revents;
}
static int bound(int fd, unsigned ip, int port) {
    struct sockaddr_in address = at(ip, port);
    return bind(fd, (void *)&address, sizeof address);
}
static int aim(int fd, unsigned ip, int port) {
    struct sockaddr_in address = at(ip, port);
    return connect(fd, (void *)&address, sizeof address);
}
static int port_of(int fd) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(fd, (void *)&address, &length);
    return ntohs(address.sin_port);
}
static void name_of(const char *what, int fd, int peer) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int result = (peer ? getpeername : getsockname)(fd, (void *)&address, &length);
    if (result)
        say_result(what, result);
    else
        say("%s: %x %s, %d\n", what, ntohl(address.sin_addr.s_addr), address.sin_port ? "with a port" : "no port", length);
}
static int value_of(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) ? -errno : value;
}
static void making(void) {
    struct sockaddr_in address = at(LOCAL, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    say_result("TCP of UDP", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    say_result("UDP of TCP", socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
    say_result("kind", socket(AF_INET, SOCK_SEQPACKET, 0));
    say_result("pair", socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){0}));
    say("type %d protocol %d domain %d\n", value_of(fd, SOL_SOCKET, SO_TYPE), value_of(fd, SOL_SOCKET, SO_PROTOCOL),
        value_of(fd, SOL_SOCKET, SO_DOMAIN));
    name_of("not bound", fd, 0);
    name_of("not connected", fd, 1);
    say_result("read", read(fd, &on, 1));
    say_result("write", send(fd, &on, 1, MSG_NOSIGNAL));
    say_result("shutdown", shutdown(fd, SHUT_RDWR));
    say_result("accept", accept(fd, 0, 0));
    say("poll %x\n", revents(fd));
    say_result("short", bind(fd, (void *)&address, 8));
    address.sin_family = AF_UNIX;
    say_result("family", bind(fd, (void *)&address, sizeof address));
    say_result("not ours", bound(fd, 0x08080808, 0));
    say_result("bind", bound(fd, LOCAL, 0));
    name_of("bound", fd, 0);
    say_result("again", bound(fd, LOCAL, 0));
    int other = socket(AF_INET, SOCK_STREAM, 0);
    say_result("taken", bound(other, LOCAL, port_of(fd)));
    say_result("taken by one of all", bound(other, INADDR_ANY, port_of(fd)));
    say_result("another address", bound(other, LOCAL + 1, port_of(fd)));
    say_result("TCP_NODELAY", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, 4));
    say("%d, SO_REUSEADDR %d, IP_TTL %d, SO_ERROR %d, SO_KEEPALIVE %d\n", value_of(fd, IPPROTO_TCP, TCP_NODELAY),
        value_of(fd, SOL_SOCKET, SO_REUSEADDR), value_of(fd, IPPROTO_IP, 2), value_of(fd, SOL_SOCKET, SO_ERROR),
        value_of(fd, SOL_SOCKET, SO_KEEPALIVE));
    say("no such option %d %d\n", value_of(fd, IPPROTO_TCP, 999), value_of(fd, 77, 1));
    close(fd), close(other);
}
static void connections(void) {
    char buffer[64];
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), side;
    say_result("listen binds", listen(server, 5));
    name_of("server", server, 0);
    int port = port_of(server);
    say_result("connect", aim(client, LOCAL, port));
    say_result("again", aim(client, LOCAL, port));
    name_of("client", client, 0), name_of("its peer", client, 1);
    say("server %x client %x\n", revents(server), revents(client));
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    side = accept4(server, (void *)&from, &length, SOCK_CLOEXEC);
    say("from %x %d, %d\n", ntohl(from.sin_addr.s_addr), from.sin_port == htons(port_of(client)), length);
    name_of("side", side, 0), name_of("its peer", side, 1);
    say("same port %d\n", port_of(side) == port);
    say_result("write", write(client, "hello", 5));
    say_result("peek", recv(side, buffer, 3, MSG_PEEK));
    say_result("read", recv(side, buffer, 64, MSG_WAITALL | MSG_DONTWAIT));
    say_result("nothing", recv(side, buffer, 64, MSG_DONTWAIT));
    write(side, "answer", 6);
    shutdown(client, SHUT_WR);
    say("side %x\n", revents(side));
    say_result("end", read(side, buffer, 64));
    say_result("the other way", read(client, buffer, 64));
    say_result("write after shutdown", send(client, "x", 1, MSG_NOSIGNAL));
    close(side);
    say("client %x\n", revents(client));
    say_result("its end", read(client, buffer, 64));
    close(client);

    client = socket(AF_INET, SOCK_STREAM, 0);
    aim(client, LOCAL + 5, port);
    name_of("to 127.0.0.6", client, 1);
    side = accept(server, 0, 0);
    close(side);
    pause_ms(10);
    say_result("the first write", send(client, "x", 1, MSG_NOSIGNAL));
    pause_ms(10);
    say_result("the second", send(client, "x", 1, MSG_NOSIGNAL));
    say_result("read", read(client, buffer, 64));
    close(client);

    client = socket(AF_INET, SOCK_STREAM, 0);
    aim(client, INADDR_ANY, port);
    side = accept(server, 0, 0);
    write(client, "unread", 6);
    pause_ms(10);
    close(side);
    pause_ms(10);
    say_result("after a reset", read(client, buffer, 64));
    say_result("and", read(client, buffer, 64));
    say_result("write", send(client, "x", 1, MSG_NOSIGNAL));
    close(client);

    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    say_result("not waiting", aim(client, LOCAL, port));
    say("poll %x error %d\n", revents(client), value_of(client, SOL_SOCKET, SO_ERROR));
    say_result("again", aim(client, LOCAL, port));
    say_result("and again", aim(client, LOCAL, port));
    close(client), close(server);
    client = socket(AF_INET, SOCK_STREAM, 0);
    say_result("nobody", aim(client, LOCAL, port));
    close(client);
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    say_result("nobody, not waiting", aim(client, LOCAL, port));
    say("poll %x ", revents(client));
    say("error %d\n", value_of(client, SOL_SOCKET, SO_ERROR));
    close(client);
}
static void datagrams(void) {
    char buffer[64];
    struct sockaddr_in from, address;
    socklen_t length = sizeof from;
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0), c = socket(AF_INET, SOCK_DGRAM, 0);
    say("poll %x\n", revents(a));
    say_result("to nowhere", send(a, "x", 1, 0));
    say_result("bind", bound(a, LOCAL, 0));
    address = at(LOCAL, port_of(a));
    say_result("send", sendto(b, "one", 3, 0, (void *)&address, sizeof address));
    say_result("receive", recvfrom(a, buffer, 64, 0, (void *)&from, &length));
    say("from %x %d, %d\n", ntohl(from.sin_addr.s_addr), from.sin_port == htons(port_of(b)), length);
    say_result("answer", sendto(a, "", 0, 0, (void *)&from, length));
    say_result("empty", recv(b, buffer, 64, 0));
    say_result("connect", connect(a, (void *)&from, length));
    sendto(c, "stranger", 8, 0, (void *)&address, sizeof address);
    say_result("from others", recv(a, buffer, 64, MSG_DONTWAIT));
    sendto(b, "peer", 4, 0, (void *)&address, sizeof address);
    say_result("from its peer", recv(a, buffer, 2, MSG_TRUNC));
    name_of("peer", a, 1);
    static char large[65536];
    say_result("too large", send(a, large, 65508, 0));
    say_result("large", send(a, large, 9000, 0));
    say_result("at the other side", recv(b, large, sizeof large, 0));
    close(b);
    say_result("to nobody", send(a, "x", 1, 0));
    pause_ms(10);
    say_result("it was refused", send(a, "x", 1, 0));
    say_result("listen", listen(a, 1));
    say_result("to nobody from nobody", sendto(c, "x", 1, 0, (void *)&from, sizeof from));
    say_result("to nobody again", sendto(c, "x", 1, 0, (void *)&from, sizeof from));
    close(a), close(c);
}
int main(void) {
    making();
    connections();
    datagrams();
    return 0;
}
