// System V message queues: errors, kinds, order, what does not fit, waiting at both ends, rights. Run by root.
#include "say.h"
#include <sys/msg.h>
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static int queue;
static struct { long kind; char text[9000]; } message;
static int put(long kind, const char *text, int flags) {
    message.kind = kind;
    strcpy(message.text, text);
    return msgsnd(queue, &message, strlen(text), flags);
}
static void get(const char *what, int room, long kind, int flags) {
    message.kind = -7;
    int size = msgrcv(queue, &message, room, kind, flags);
    if (size < 0)
        say_result(what, size);
    else
        say("%s: %d of kind %ld '%.*s'\n", what, size, message.kind, size < 20 ? size : 20, message.text);
}
static void errors(void) {
    say_result("no key", msgget(0x2345678, 0));
    queue = msgget(0x2345678, IPC_CREAT | 0640);
    say("made %d\n", queue >= 0);
    say_result("again", msgget(0x2345678, IPC_CREAT | IPC_EXCL | 0640));
    say("found %d\n", msgget(0x2345678, 0) == queue);
    say_result("kind 0", put(0, "x", 0));
    say_result("kind -1", put(-1, "x", 0));
    say_result("too long", msgsnd(queue, &message, 8193, 0));
    say_result("a bad size", msgsnd(queue, &message, -1, 0));
    say_result("a bad address", msgsnd(queue, (void *)8, 1, 0));
    message.kind = 1;
    say_result("no queue", msgsnd(queue + 1, &message, 1, 0));
    say_result("queue -1", msgsnd(-1, &message, 1, 0));
    get("nothing", 10, 0, IPC_NOWAIT);
    get("a bad room", -1, 0, IPC_NOWAIT);
    say_result("a bad command", msgctl(queue, 99, 0));
    if (sizeof(long) == 8) /* the C library of 32-bit programs looks at it */
        say_result("a bad buffer", msgctl(queue, IPC_STAT, (void *)8));
}
static void kinds(void) {
    for (int i = 0; i < 6; i++)
        say_result("send", put((int[]){3, 1, 2, 1, 5, 2}[i], (const char *[]){"a3", "b1", "", "d1", "long text 5", "f2"}[i], 0));
    get("kind 2", 100, 2, 0);
    get("the first", 100, 0, 0);
    get("up to 4", 100, -4, 0);
    get("but 1", 3, 1, MSG_EXCEPT);
    get("but 1, a part", 3, 1, MSG_EXCEPT | MSG_NOERROR);
    get("none of kind 9", 100, 9, IPC_NOWAIT);
    get("a copy", 100, 1, MSG_COPY | IPC_NOWAIT);
    get("no copy", 100, 2, MSG_COPY | IPC_NOWAIT);
    get("a copy that waits", 100, 0, MSG_COPY);
    get("too small", 1, 0, 0);
    get("a bad address first", 100, 0, 0);
    put(4, "lost", 0);
    say_result("a bad address", msgrcv(queue, (void *)8, 100, 4, 0));
    get("is lost", 100, 4, IPC_NOWAIT);
    get("the last", 100, 0, IPC_NOWAIT);
}
static void described(void) {
    struct msqid_ds found;
    struct msginfo limits;
    put(1, "12345", 0);
    say_result("IPC_STAT", msgctl(queue, IPC_STAT, &found));
    say("%o %d %d %d, %d messages, %d bytes of %d, me %d %d, times %d %d %d\n", found.msg_perm.mode, found.msg_perm.uid,
        found.msg_perm.gid, found.msg_perm.cuid, (int)found.msg_qnum, (int)found.__msg_cbytes, (int)found.msg_qbytes,
        found.msg_lspid == getpid(), found.msg_lrpid == getpid(), found.msg_stime > 0, found.msg_rtime > 0, found.msg_ctime > 0);
    found.msg_qbytes = 100, found.msg_perm.mode = 0666, found.msg_perm.uid = 77;
    say_result("IPC_SET", msgctl(queue, IPC_SET, &found));
    msgctl(queue, IPC_STAT, &found);
    say("%o %d, %d bytes\n", found.msg_perm.mode, found.msg_perm.uid, (int)found.msg_qbytes);
    say("IPC_INFO %d:", msgctl(0, IPC_INFO, (void *)&limits) >= 0);
    say(" %d %d\n", limits.msgmax, limits.msgssz);
}
static void told(int signal, siginfo_t *info, void *context) {}
static int child(void (*function)(void)) {
    int pid = fork();
    if (pid == 0) {
        function();
        _exit(0);
    }
    until_asleep(pid);
    return pid;
}
static void end(int pid) {
    int status;
    waitpid(pid, &status, 0);
}
/* who has waited says so later than who let it go on */
static void gets_2(void) {
    int size = msgrcv(queue, &message, 100, 2, 0), error = errno;
    pause_ms(400);
    errno = error;
    say_result("  kind 2 comes", size);
}
static void gets_any(void) { get("  any comes", 100, 0, 0); }
static void gets_little(void) { get("  too large comes", 2, 0, 0); }
static void gets_later(void) {
    int size = msgrcv(queue, &message, 100, 0, 0);
    pause_ms(200);
    say("  any comes: %d of kind %ld\n", size, message.kind);
}
static void puts_long(void) {
    int result = put(3, "a long text that does not fit", 0), error = errno;
    pause_ms(200);
    errno = error;
    say_result("  there is room", result);
}
static void waiting(void) {
    char text[90];
    int first = child(gets_any);
    memset(text, 't', 89), text[89] = 0;
    end(first);
    first = child(gets_2);
    int second = child(gets_little), third = child(gets_later);
    put(1, "for any", 0);
    end(second), end(third);
    put(1, "kept", 0), put(2, "for 2", 0);
    end(first);
    say_result("fills it", put(1, text, IPC_NOWAIT));
    say_result("full", put(1, "more than fits", IPC_NOWAIT));
    first = child(puts_long);
    get("kept", 100, 0, 0);
    pause_ms(100);
    get("filled", 100, 0, 0);
    end(first);
    get("the long one", 100, 0, 0);
    handle(SIGALRM, told, SA_RESTART);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 20000}, {0, 20000}}, 0); /* again: the first may come too soon */
    get("a signal", 100, 0, 0);
    put(1, text, IPC_NOWAIT);
    say_result("a signal", put(1, text, 0));
    setitimer(ITIMER_REAL, &(struct itimerval){0}, 0);
    first = child(puts_long), second = child(gets_2);
    say_result("IPC_RMID", msgctl(queue, IPC_RMID, 0));
    end(first), end(second);
    say_result("gone", put(1, "x", 0));
}
static void rights(void) {
    struct msqid_ds found;
    queue = msgget(IPC_PRIVATE, 0420);
    if (fork() == 0) {
        syscall(SYS_setgroups, 0, 0);
        syscall(SYS_setresgid, 1000, 1000, 1000);
        syscall(SYS_setresuid, 1000, 1000, 1000);
        get("receive", 100, 0, IPC_NOWAIT);
        say_result("send", put(1, "x", 0));
        say_result("IPC_STAT", msgctl(queue, IPC_STAT, &found));
        say_result("IPC_RMID", msgctl(queue, IPC_RMID, 0));
        _exit(0);
    }
    wait(0);
    if (fork() == 0) {
        syscall(SYS_setresuid, 1000, 1000, 1000);
        say_result("the group sends", put(1, "x", 0));
        get("and receives", 100, 0, IPC_NOWAIT);
        _exit(0);
    }
    wait(0);
    msgctl(queue, IPC_RMID, 0);
}
int main(void) {
    errors();
    kinds();
    described();
    waiting();
    rights();
    return 0;
}
