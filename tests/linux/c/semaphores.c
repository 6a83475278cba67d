// System V semaphores: errors, values, operations that are done all or none and in order, SEM_UNDO, rights. Run by root.
#include "say.h"
#include <sys/sem.h>

union semun { int val; struct semid_ds *buf; unsigned short *array; struct seminfo *info; };
static int set;
static void values(const char *what) {
    unsigned short all[3];
    if (semctl(set, 0, GETALL, (union semun){.array = all})) {
        say_result(what, -1);
        return;
    }
    say("%s: %d %d %d\n", what, all[0], all[1], all[2]);
}
static int doing(int count, ...) {
    struct sembuf operations[8];
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++) {
        operations[i].sem_num = va_arg(list, int);
        operations[i].sem_op = va_arg(list, int);
        operations[i].sem_flg = va_arg(list, int);
    }
    va_end(list);
    return semop(set, operations, count);
}
static void errors(void) {
    struct sembuf one = {0, 1, 0};
    struct timespec bad = {0, -1}, soon = {0, 30000000};
    static struct sembuf many[600];
    say_result("no key", semget(0x1234567, 1, 0));
    say_result("none", semget(IPC_PRIVATE, 0, 0600));
    say_result("less", semget(IPC_PRIVATE, -1, 0600));
    say_result("too many", semget(IPC_PRIVATE, 32001, 0600));
    set = semget(0x1234567, 3, IPC_CREAT | 0640);
    say("made %d\n", set >= 0);
    say_result("again", semget(0x1234567, 3, IPC_CREAT | IPC_EXCL | 0640));
    say_result("larger", semget(0x1234567, 4, 0));
    say("found %d %d\n", semget(0x1234567, 0, 0) == set, semget(0x1234567, 3, IPC_CREAT) == set);
    say_result("no set", semop(set + 1, &one, 1));
    say_result("set -1", semop(-1, &one, 1));
    say_result("no operations", semop(set, &one, 0));
    say_result("500", semop(set, many, 500));
    say_result("501", semop(set, many, 501));
    say_result("bad address", semop(set, (void *)8, 1));
    say_result("no semaphore", doing(1, 3, 1, 0));
    say_result("bad time", semtimedop(set, &one, 1, &bad));
    say_result("IPC_NOWAIT", doing(1, 0, -1, IPC_NOWAIT));
    one.sem_op = -1;
    say_result("time", semtimedop(set, &one, 1, &soon));
    say_result("SETVAL", semctl(set, 1, SETVAL, (union semun){.val = 7}));
    say_result("SETVAL too large", semctl(set, 1, SETVAL, (union semun){.val = 32768}));
    say_result("SETVAL less than 0", semctl(set, 1, SETVAL, (union semun){.val = -1}));
    say_result("SETVAL of none", semctl(set, 3, SETVAL, (union semun){.val = 1}));
    say_result("GETVAL", semctl(set, 1, GETVAL));
    say_result("GETVAL of none", semctl(set, 3, GETVAL));
    say_result("GETPID is mine", semctl(set, 1, GETPID) == getpid());
    say_result("a bad command", semctl(set, 0, 99));
    if (sizeof(long) == 8) /* the C library of 32-bit programs looks at it */
        say_result("a bad buffer", semctl(set, 0, IPC_STAT, (union semun){.buf = (void *)8}));
    say_result("too large", doing(1, 1, 32767, 0));
    say_result("two", doing(3, 0, 1, 0, 1, -2, 0, 2, 0, 0));
    values("after it");
    say_result("all or none", doing(2, 0, 5, 0, 1, -9, IPC_NOWAIT));
    values("as before");
    say_result("one twice", doing(2, 2, 3, 0, 2, -2, 0));
    say_result("SETALL", semctl(set, 0, SETALL, (union semun){.array = (unsigned short[]){3, 2, 1}}));
    say_result("SETALL too large", semctl(set, 0, SETALL, (union semun){.array = (unsigned short[]){3, 40000, 1}}));
    values("set");
}
static void described(void) {
    struct semid_ds found;
    struct seminfo limits;
    say_result("IPC_STAT", semctl(set, 0, IPC_STAT, (union semun){.buf = &found}));
    say("%o %d %d %d %d, %d of them, key %x, times %d %d\n", found.sem_perm.mode, found.sem_perm.uid, found.sem_perm.gid,
        found.sem_perm.cuid, found.sem_perm.cgid, (int)found.sem_nsems, found.sem_perm.__key, found.sem_otime > 0,
        found.sem_ctime >= found.sem_otime);
    found.sem_perm.mode = 0666, found.sem_perm.uid = 77, found.sem_perm.gid = 78;
    say_result("IPC_SET", semctl(set, 0, IPC_SET, (union semun){.buf = &found}));
    semctl(set, 0, IPC_STAT, (union semun){.buf = &found});
    say("%o %d %d %d\n", found.sem_perm.mode, found.sem_perm.uid, found.sem_perm.gid, found.sem_perm.cuid);
    say("IPC_INFO %d\n", semctl(0, 0, IPC_INFO, (union semun){.info = &limits}) >= 0);
    say("%d %d %d %d\n", limits.semmsl, limits.semopm, limits.semvmx, limits.semaem);
}
static int child_doing(int number, int change, int flags, int second) {
    int child = fork();
    if (child == 0) {
        int result = second < 0 ? doing(1, number, change, flags) : doing(2, number, change, flags, second, -1, flags);
        say_result("  a child", result);
        _exit(0);
    }
    until_asleep(child);
    return child;
}
static void end(int child) {
    int status;
    waitpid(child, &status, 0);
}
static void told(int signal, siginfo_t *info, void *context) {}
static void waiting(void) {
    semctl(set, 0, SETALL, (union semun){.array = (unsigned short[]){0, 0, 5}});
    int first = child_doing(0, -3, 0, -1), second = child_doing(0, -1, 0, -1), third = child_doing(2, 0, 0, -1),
        both = child_doing(0, -1, 0, 1);
    say("GETNCNT %d %d, GETZCNT %d\n", semctl(set, 0, GETNCNT), semctl(set, 1, GETNCNT), semctl(set, 2, GETZCNT));
    doing(1, 0, 2, 0); /* the second goes first: the first needs more; then who needs both waits for the other one */
    end(second);
    pause_ms(100);
    say("GETNCNT %d %d\n", semctl(set, 0, GETNCNT), semctl(set, 1, GETNCNT));
    doing(1, 1, 1, 0);
    end(both);
    values("both");
    doing(1, 0, 3, 0), end(first);
    doing(1, 2, -5, 0), end(third);
    values("all went on");
    say("the last one was not me: %d\n", semctl(set, 0, GETPID) != getpid());
    handle(SIGALRM, told, SA_RESTART);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 20000}, {0, 20000}}, 0); /* again: the first may come too soon */
    say_result("a signal", doing(1, 0, -1, 0));
    setitimer(ITIMER_REAL, &(struct itimerval){0}, 0);
    say("GETNCNT %d\n", semctl(set, 0, GETNCNT));
    first = child_doing(0, -1, 0, -1);
    kill(first, SIGKILL), end(first);
    say("one that was killed %d\n", semctl(set, 0, GETNCNT));
    first = child_doing(0, -1, 0, -1);
    int removed = semctl(set, 0, IPC_RMID);
    end(first); /* it speaks first */
    say_result("IPC_RMID", removed);
    say_result("gone", doing(1, 0, 1, 0));
}
static void *in_thread(void *argument) {
    doing(1, 0, -2, SEM_UNDO);
    return 0;
}
static void undone(void) {
    int ready[2];
    set = semget(IPC_PRIVATE, 3, 0600);
    semctl(set, 0, SETALL, (union semun){.array = (unsigned short[]){9, 9, 9}});
    if (fork() == 0) {
        doing(1, 0, -4, SEM_UNDO);
        doing(3, 0, 1, SEM_UNDO, 1, 5, SEM_UNDO, 2, -1, 0);
        values("a child");
        if (fork() == 0)
            _exit(0); /* its child takes nothing back */
        wait(0);
        values("its child has ended");
        _exit(0);
    }
    wait(0);
    values("taken back");
    if (fork() == 0) {
        doing(2, 0, 5, SEM_UNDO, 1, -5, SEM_UNDO);
        semctl(set, 0, SETVAL, (union semun){.val = 2});
        kill(getpid(), SIGKILL);
    }
    wait(0);
    values("SETVAL forgets");
    if (fork() == 0) {
        doing(1, 2, 8, SEM_UNDO);
        doing(1, 2, -16, 0);
        _exit(0);
    }
    wait(0);
    values("not less than 0");
    say_result("too much to undo", doing(2, 0, 32000, SEM_UNDO, 0, -32000, 0));
    say_result("more", doing(2, 0, 32000, SEM_UNDO, 0, -32000, 0));
    int waiter = child_doing(2, -1, 0, -1);
    if (fork() == 0) {
        semctl(set, 2, SETVAL, (union semun){.val = 0});
        doing(1, 1, -4, SEM_UNDO);
        _exit(0);
    }
    wait(0);
    doing(1, 2, 1, 0), end(waiter);
    semctl(set, 0, IPC_RMID);
}
static void rights(void) {
    struct semid_ds found;
    set = semget(0x7654321, 3, IPC_CREAT | 0640);
    if (fork() == 0) {
        syscall(SYS_setgroups, 0, 0);
        syscall(SYS_setresgid, 1000, 1000, 1000);
        syscall(SYS_setresuid, 1000, 1000, 1000);
        say_result("semget", semget(0x7654321, 3, 0600));
        say("with no rights asked for %d\n", semget(0x7654321, 3, 0) == set);
        say_result("read", semctl(set, 0, GETVAL));
        say_result("change", doing(1, 0, 1, 0));
        say_result("wait for zero", doing(1, 0, 0, 0));
        say_result("IPC_STAT", semctl(set, 0, IPC_STAT, (union semun){.buf = &found}));
        say_result("IPC_RMID", semctl(set, 0, IPC_RMID));
        _exit(0);
    }
    wait(0);
    semctl(set, 0, IPC_STAT, (union semun){.buf = &found});
    found.sem_perm.mode = 0444;
    semctl(set, 0, IPC_SET, (union semun){.buf = &found});
    if (fork() == 0) {
        syscall(SYS_setresuid, 1000, 1000, 1000);
        say_result("read", semctl(set, 0, GETVAL));
        say_result("wait for zero", doing(1, 0, 0, 0));
        say_result("change", doing(1, 0, 1, 0));
        _exit(0);
    }
    wait(0);
    semctl(set, 0, IPC_RMID);
}
int main(void) {
    errors();
    described();
    waiting();
    undone();
    rights();
    return 0;
}
