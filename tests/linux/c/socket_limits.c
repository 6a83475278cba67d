// What sockets refuse and lose, so that what waits in them stays bounded.
#include "say.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { PART = 1 << 20 };

static void large_datagrams(char *bytes) {
    static const int sizes[] = {1 << 20, 4263616, 4263617, 8 << 20, 64 << 20};
    int pair[2], limit = 1 << 29;
    struct iovec parts[65];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    say_result("SO_SNDBUFFORCE", setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &limit, sizeof limit));
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct msghdr message = {.msg_iov = parts};
        for (int left = sizes[i]; left; left -= parts[message.msg_iovlen++].iov_len)
            parts[message.msg_iovlen] = (struct iovec){bytes, left < PART ? left : PART};
        say_result("sendmsg", sendmsg(pair[0], &message, MSG_DONTWAIT));
        recv(pair[1], bytes, 1, MSG_DONTWAIT);
    }
}

static void small_datagrams(void) {
    int from = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0), count = 0;
    struct sockaddr_in name = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof name;
    bind(to, (void *)&name, size);
    getsockname(to, (void *)&name, &size);
    for (int i = 0; i < 2000; i++)
        sendto(from, "", 0, 0, (void *)&name, size);
    while (recv(to, &size, sizeof size, MSG_DONTWAIT) == 0)
        count++;
    say("empty datagrams that wait: %s\n", 200 < count && count < 400 ? "some hundreds" : count ? "others" : "none");
}

int main(void) {
    char *bytes = mmap(0, PART, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    small_datagrams();
    large_datagrams(bytes);
    return 0;
}
