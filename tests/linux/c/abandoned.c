/* What stays of processes that are killed while they wait, and of connections that nobody accepts: nothing. */
#include "say.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>

static int set, queue, *word;
static struct sembuf take = {0, -1, 0};
static char fifo[] = "/tmp/coalmm-abandoned";

static void wait_for(char what)
{
    struct { long kind; char text[1]; } message;

    switch (what) {
    case 's': semop(set, &take, 1); break;
    case 'q': msgrcv(queue, &message, 1, 0, 0); break;
    case 'f': syscall(SYS_futex, word, FUTEX_WAIT, 0, 0, 0, 0); break;
    case 'r': open(fifo, O_RDONLY); break;
    case 'w': open(fifo, O_WRONLY); break;
    }
}

static void nothing(int number) { (void)number; }

static void abandon(char what)
{
    struct sigaction action = {.sa_handler = nothing};
    int status, pid = fork();

    if (!pid) {
        sigaction(SIGALRM, &action, 0);
        ualarm(10000, 0);
        wait_for(what);  /* a signal ends the first wait, and SIGKILL the second one */
        wait_for(what);
        _exit(1);
    }
    usleep(60000);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    say("%c ", what);
    say_status("ends", status);
}

static void connections(void)
{
    struct sockaddr_un name = {AF_UNIX, "\0coalmm-abandoned"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    struct pollfd look = {client, POLLIN | POLLOUT, 0};
    char byte;

    bind(listener, (void *)&name, sizeof name);
    listen(listener, 1);
    connect(client, (void *)&name, sizeof name);
    close(listener);
    poll(&look, 1, 0);
    say("poll: %x\n", look.revents);
    say_result("read", read(client, &byte, 1));
    say_result("again", read(client, &byte, 1));
}

int main(void)
{
    char byte;
    int reader;

    set = semget(IPC_PRIVATE, 1, 0600);
    queue = msgget(IPC_PRIVATE, 0600);
    word = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unlink(fifo);
    mkfifo(fifo, 0600);
    abandon('s');
    abandon('q');
    abandon('f');
    abandon('r');
    say_result("no reader", open(fifo, O_WRONLY | O_NONBLOCK));
    abandon('w');
    reader = open(fifo, O_RDONLY | O_NONBLOCK);
    say_result("no writer", read(reader, &byte, 1));
    unlink(fifo);
    connections();
    semctl(set, 0, IPC_RMID);
    msgctl(queue, IPC_RMID, 0);
    return 0;
}
