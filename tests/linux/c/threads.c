// Threads of the C library: locks, conditions, barriers, their own data, cancelling, ends of every kind.
#include "say.h"
#include <pthread.h>
#include <semaphore.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static __thread int own = 5;
static long total, turns;
static int turn;
static pthread_key_t key;
static int destroyed;
static void destroy(void *value) { __atomic_add_fetch(&destroyed, (long)value, __ATOMIC_SEQ_CST); }
static void *add(void *argument) {
    own += (long)argument;
    pthread_setspecific(key, (void *)1);
    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&lock);
        total++;
        pthread_mutex_unlock(&lock);
        if (i % 100 == 0)
            sched_yield();
    }
    pthread_barrier_wait(&barrier);
    return (void *)(long)own;
}
static void *ping(void *argument) {
    int mine = (long)argument;
    for (int i = 0; i < 150; i++) {
        pthread_mutex_lock(&lock);
        while (turn != mine)
            pthread_cond_wait(&changed, &lock);
        turn = !mine;
        turns++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    return 0;
}
static int cleaned;
static void clean(void *argument) { cleaned++; }
static void *forever(void *argument) {
    pthread_cleanup_push(clean, 0);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
}
static void *spin(void *argument) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
    for (;;)
        ;
}
static pthread_mutex_t robust;
static void *leave_locked(void *argument) {
    pthread_mutex_lock(&robust);
    return 0;
}
static volatile int got;
static void note(int signal) { got = gettid() == getpid() ? 1 : 2; }
static void *wait_signal(void *argument) {
    while (!got)
        pause_ms(2);
    return 0;
}
static void *quick(void *argument) { return argument; }
static void *exits(void *argument) { exit(6); }
static void *executes(void *argument) {
    execl("/bin/sh", "sh", "-c", "echo executed in $(( $$ == $PPID ))", (char *)0);
    return 0;
}
static void exit_from_thread(void) {
    pthread_t thread;
    pthread_create(&thread, 0, exits, 0);
    for (;;)
        pause();
}
static void exec_from_thread(void) {
    pthread_t thread, other;
    pthread_create(&other, 0, forever, 0);
    pthread_create(&thread, 0, executes, 0);
    for (;;)
        pause();
}
static void *late(void *argument) {
    pause_ms(30);
    say("  the last thread ends\n");
    return 0;
}
static void leader_leaves(void) {
    pthread_t thread;
    pthread_create(&thread, 0, late, 0);
    pthread_exit(0);
}
static void thread_faults(void) {
    pthread_t thread;
    pthread_create(&thread, 0, (void *(*)(void *))8, 0);
    for (;;)
        pause();
}
int main(void) {
    pthread_t threads[8];
    void *result;
    pthread_key_create(&key, destroy);
    pthread_barrier_init(&barrier, 0, 8);
    for (long i = 0; i < 8; i++)
        pthread_create(&threads[i], 0, add, (void *)i);
    long sum = 0;
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    say("total %ld, own %ld and %d, destroyed %d\n", total, sum, own, destroyed);
    pthread_create(&threads[0], 0, ping, (void *)0);
    pthread_create(&threads[1], 0, ping, (void *)1);
    pthread_join(threads[0], 0);
    pthread_join(threads[1], 0);
    say("turns %ld\n", turns);
    pthread_create(&threads[0], 0, forever, 0);
    pause_ms(5);
    pthread_cancel(threads[0]);
    pthread_join(threads[0], &result);
    say("cancelled %d, cleaned %d\n", result == PTHREAD_CANCELED, cleaned);
    pthread_create(&threads[0], 0, spin, 0);
    pause_ms(5);
    pthread_cancel(threads[0]);
    pthread_join(threads[0], &result);
    say("cancelled while spinning %d\n", result == PTHREAD_CANCELED);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_create(&threads[0], 0, leave_locked, 0);
    pthread_join(threads[0], 0);
    int error = pthread_mutex_lock(&robust);
    say("robust: %s\n", error == EOWNERDEAD ? "owner dead" : "other");
    say("consistent %d, unlock %d\n", pthread_mutex_consistent(&robust), pthread_mutex_unlock(&robust));
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000)
        soon.tv_nsec -= 1000000000, soon.tv_sec++;
    pthread_mutex_lock(&lock);
    say("timed wait %s\n", strerrorname_np(pthread_cond_timedwait(&changed, &lock, &soon)));
    say("timed lock %s\n", strerrorname_np(pthread_mutex_timedlock(&lock, &soon)));
    pthread_mutex_unlock(&lock);
    sem_t semaphore;
    sem_init(&semaphore, 0, 2);
    sem_wait(&semaphore);
    sem_wait(&semaphore);
    say("trywait %d\n", sem_trywait(&semaphore));
    signal(SIGUSR1, note);
    pthread_create(&threads[0], 0, wait_signal, 0);
    pthread_kill(threads[0], SIGUSR1);
    pthread_join(threads[0], 0);
    say("signal to a thread came to %d\n", got);
    for (long i = 0; i < 60; i++) {
        pthread_create(&threads[0], 0, quick, (void *)i);
        pthread_join(threads[0], &result);
        if ((long)result != i)
            say("wrong %ld\n", i);
    }
    in_child("exit in a thread", exit_from_thread);
#ifdef __x86_64__ /* a machine runs programs of one word size */
    in_child("exec in a thread", exec_from_thread);
#endif
    in_child("the first thread leaves", leader_leaves);
    in_child("a thread faults", thread_faults);
    unsigned word = 1;
    struct timespec now = {0, 1000000}, bad = {0, -1};
    say_result("futex other value", syscall(SYS_futex, &word, 0, 2, 0, 0, 0));
    say_result("futex timeout", syscall(SYS_futex, &word, 0, 1, &now, 0, 0));
    say_result("futex bad timeout", syscall(SYS_futex, &word, 0, 1, &bad, 0, 0));
    say_result("futex unaligned", syscall(SYS_futex, (char *)&word + 1, 0, 1, 0, 0, 0));
    say_result("futex bad address", syscall(SYS_futex, 8, 0, 1, 0, 0, 0));
    say_result("futex no bits", syscall(SYS_futex, &word, 9, 1, 0, 0, 0));
    say_result("futex wake nobody", syscall(SYS_futex, &word, 1, 1, 0, 0, 0));
    say_result("futex unknown", syscall(SYS_futex, &word, 99, 1, 0, 0, 0));
    say_result("futex cmp_requeue other", syscall(SYS_futex, &word, 4, 1, 1, &word, 5));
    say_result("robust list size", syscall(SYS_set_robust_list, &word, 1));
    return 0;
}
