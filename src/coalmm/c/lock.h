/* The lock that is around every function: a futex that its owner may take again.
 *
 * One rule keeps it from deadlocks with Python's own lock, the GIL: nobody waits for this lock while holding
 * the GIL. So the one who has this lock can always get the GIL. A waiter that holds the GIL lets go of it and
 * takes it again when it has this lock.
 *
 * While the process has one thread the fast paths do without the lock, as malloc does; what may call back
 * into the program never does, since a callback may start a thread.
 */
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int lock_word;          /* 0 free, 1 taken, 2 taken and somebody may be waiting */
static _Atomic(void *) lock_owner;    /* the thread that has it */
static unsigned lock_depth;           /* how often the owner took it again */
static struct { int (*held)(void); void *(*leave)(void); void (*come_back)(void *); } gil; /* once there is one */

static void lock_wait(void)
{
    void *python = gil.held != NULL && gil.held() ? gil.leave() : NULL;
    while (atomic_exchange_explicit(&lock_word, 2, memory_order_acquire) != 0)
        syscall(SYS_futex, &lock_word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
    if (python != NULL)
        gil.come_back(python);
}

static inline void lock(void)
{
    void *me = __builtin_thread_pointer();
    int unlocked = 0;
    if (atomic_load_explicit(&lock_owner, memory_order_relaxed) == me) {
        lock_depth++;
        return;
    }
    if (!atomic_compare_exchange_strong_explicit(&lock_word, &unlocked, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        lock_wait();
    atomic_store_explicit(&lock_owner, me, memory_order_relaxed);
}

static inline void unlock(void)
{
    if (lock_depth != 0) {
        lock_depth--;
        return;
    }
    atomic_store_explicit(&lock_owner, NULL, memory_order_relaxed);
    if (atomic_exchange_explicit(&lock_word, 0, memory_order_release) == 2)
        syscall(SYS_futex, &lock_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

