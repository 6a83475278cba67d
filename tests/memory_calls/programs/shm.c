/* System V shared memory between a parent and a child, read-only, in parts, removed while it is attached. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };
static void say(const char *what, long result) {
    printf("%s: %ld%s%s\n", what, result < 0 ? -1 : result, result < 0 ? " " : "", result < 0 ? strerror(errno) : "");
    fflush(stdout);
}

static void state(const char *what, int id) {
    struct shmid_ds now;
    if (shmctl(id, IPC_STAT, &now)) say(what, -1);
    else printf("%s: %lu bytes, %lu attached, mode %o, dead %d\n", what, (long)now.shm_segsz, (long)now.shm_nattch,
                now.shm_perm.mode, (now.shm_perm.mode & SHM_DEST) != 0);
}

int main(void) {
    key_t key = 0x434f414c;
    int old = shmget(key, 0, 0);
    if (old >= 0) shmctl(old, IPC_RMID, 0);
    say("nothing yet", shmget(key, PAGE, 0600));
    say("no bytes", shmget(key, 0, IPC_CREAT | 0600));
    int id = shmget(key, 3 * PAGE + 5, IPC_CREAT | IPC_EXCL | 0640);
    say("made", id < 0 ? -1 : 0);
    say("again", shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600));
    say("found", shmget(key, 3 * PAGE, 0) == id);
    say("larger", shmget(key, 9 * PAGE, 0));
    char *one = shmat(id, 0, 0), *two = shmat(id, 0, SHM_RDONLY);
    strcpy(one + 3 * PAGE, "hello");
    printf("%s\n", two + 3 * PAGE);
    state("two attached", id);
    say("read-only stays so", mprotect(two, PAGE, PROT_READ | PROT_WRITE));
    say("in the way", (long)shmat(id, one, 0));
    say("put over", shmat(id, two, SHM_REMAP) == two);
    say("not aligned", (long)shmat(id, two + 1, 0));
    say("rounded", shmat(id, two + 1, SHM_RND | SHM_REMAP) == two);
    if (fork() == 0) {
        state("a child has them too", id);
        strcpy(one, "from the child");
        say("child detaches", shmdt(two));
        state("one less", id);
        return 0;
    }
    wait(0);
    printf("%s\n", one);
    munmap(one + PAGE, PAGE);
    state("a hole makes two of it", id);
    say("removed", shmctl(id, IPC_RMID, 0));
    state("still there", id);
    say("no key", shmget(key, PAGE, 0));
    printf("%s\n", two);
    say("the parts go", shmdt(one));
    say("twice", shmdt(one));
    say("the last", shmdt(two));
    state("gone", id);
    say("attach it", (long)shmat(id, 0, 0));
    int private = shmget(IPC_PRIVATE, PAGE, 0600), other = shmget(IPC_PRIVATE, PAGE, 0600);
    say("private ones differ", private != other);
    say("unknown command", shmctl(private, 99, 0));
    shmctl(private, IPC_RMID, 0);
    shmctl(other, IPC_RMID, 0);
    return 0;
}
