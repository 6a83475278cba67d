// inotify: every change of files and directories, in the order that Linux tells.
#include "say.h"
#include <dirent.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
static int fd;
static unsigned cookies[64], cookie_count;
static const char *names[] = {"ACCESS", "MODIFY", "ATTRIB", "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN", "MOVED_FROM",
    "MOVED_TO", "CREATE", "DELETE", "DELETE_SELF", "MOVE_SELF", "", "UNMOUNT", "Q_OVERFLOW", "IGNORED"};
static int cookie_of(unsigned cookie) { /* cookies by the order in which they come */
    if (!cookie)
        return 0;
    for (unsigned i = 0; i < cookie_count; i++)
        if (cookies[i] == cookie)
            return i + 1;
    cookies[cookie_count++] = cookie;
    return cookie_count;
}
static void drain(const char *what) {
    char buffer[8192] __attribute__((aligned(8)));
    int size;
    say("%s:\n", what);
    while ((size = read(fd, buffer, sizeof buffer)) > 0)
        for (char *at = buffer; at < buffer + size;) {
            struct inotify_event *event = (void *)at;
            say("  %d", event->wd);
            for (int bit = 0; bit < 16; bit++)
                if (event->mask >> bit & 1)
                    say(" %s", names[bit]);
            say("%s%s cookie %d len %d %s\n", event->mask & IN_ISDIR ? " ISDIR" : "",
                event->mask & ~(0xffff | IN_ISDIR) ? " and more" : "", cookie_of(event->cookie), event->len,
                event->len ? event->name : "");
            at += sizeof *event + event->len;
        }
}
static void put(const char *path, const char *text, int flags) {
    int file = open(path, O_WRONLY | O_CREAT | flags, 0644);
    write(file, text, strlen(text));
    close(file);
}
int main(int count, char **arguments) {
    char folder[] = "/tmp/watching-XXXXXX", c;
    mkdtemp(folder);
    chdir(folder);
    mkdir("d", 0755);
    put("old", "12345", 0);
    fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    say("flags %d %x\n", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL) & ~0100000);
    say_result("directory", inotify_add_watch(fd, "d", IN_ALL_EVENTS));
    say_result("file", inotify_add_watch(fd, "old", IN_ALL_EVENTS));
    say_result("nothing", read(fd, &c, 1));

    put("d/a", "x", 0);
    drain("create");
    put("d/a", "yy", O_APPEND);
    drain("append");
    put("d/a", "z", O_TRUNC);
    drain("truncate by open");
    truncate("d/a", 10);
    drain("truncate");
    int file = open("d/a", O_RDWR);
    read(file, &c, 1);
    pread(file, &c, 1, 3);
    drain("read");
    pwrite(file, "q", 1, 3);
    write(file, "", 0);
    ftruncate(file, 4);
    fchmod(file, 0600);
    drain("by descriptor");
    close(file);
    drain("close");
    chmod("d/a", 0644);
    struct timespec times[2] = {{1, 0}, {2, 0}};
    utimensat(AT_FDCWD, "d/a", times, 0);
    times[0].tv_nsec = UTIME_OMIT;
    utimensat(AT_FDCWD, "d/a", times, 0);
    chown("d/a", -1, getgid());
    drain("attributes");
    link("d/a", "d/b");
    symlink("a", "d/s");
    mkfifo("d/p", 0600);
    mkdir("d/sub", 0700);
    drain("more names");
    rename("d/b", "d/c");
    drain("rename inside");
    rename("d/c", "c");
    drain("moved away");
    rename("c", "d/c");
    drain("moved here");
    put("d/e", "", 0);
    rename("d/e", "d/s");
    drain("replace");
    unlink("d/c");
    rmdir("d/sub");
    drain("remove");
    DIR *directory = opendir("d");
    while (readdir(directory))
        ;
    closedir(directory);
    drain("list");

    put("old", "67", 0);
    rename("old", "older");
    drain("the file itself");
    say_result("changed", inotify_add_watch(fd, "older", IN_MODIFY | IN_DELETE_SELF));
    put("older", "67", 0);
    drain("only what is asked for");
    say_result("added", inotify_add_watch(fd, "older", IN_OPEN | IN_MASK_ADD));
    put("older", "67", 0);
    drain("more");
    say_result("exists", inotify_add_watch(fd, "older", IN_OPEN | IN_MASK_CREATE));
    file = open("older", O_RDONLY);
    unlink("older");
    drain("removed while open");
    close(file);
    drain("gone");
    say_result("its watch", inotify_rm_watch(fd, 2));

    say_result("one shot", inotify_add_watch(fd, "d/a", IN_OPEN | IN_ONESHOT));
    put("d/a", "1", 0);
    drain("once");
    put("d/a", "1", 0);
    drain("not twice");
    file = open("d/a", O_RDWR);
    write(file, "1", 1), write(file, "2", 1), write(file, "3", 1);
    close(file);
    drain("equal ones are one");
    mkdir("m", 0755);
    say_result("another", inotify_add_watch(fd, "m", IN_ALL_EVENTS));
    rename("m", "n");
    drain("move a directory");
    rmdir("n");
    drain("remove a directory");
    say_result("unlinked children", inotify_add_watch(fd, "d", IN_ALL_EVENTS | IN_EXCL_UNLINK));
    put("d/u", "1", 0);
    file = open("d/u", O_RDWR);
    unlink("d/u");
    write(file, "x", 1);
    close(file);
    drain("excluded");

    put("d/long-name-of-a-file", "1", 0);
    int size = 0;
    ioctl(fd, FIONREAD, &size);
    say("FIONREAD %d\n", size);
    say_result("too small", read(fd, &c, 1));
    char one[48];
    say_result("one event", read(fd, one, 48));
    struct pollfd poller = {fd, POLLIN, 0};
    say_result("poll", poll(&poller, 1, 0));
    drain("rest");
    say_result("poll", poll(&poller, 1, 0));
    say_result("remove", inotify_rm_watch(fd, 1));
    drain("ignored");
    say_result("no watch", inotify_rm_watch(fd, 1));
    say_result("no mask", inotify_add_watch(fd, "d", 0));
    say_result("both", inotify_add_watch(fd, "d", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
    say_result("not there", inotify_add_watch(fd, "nothing", IN_OPEN));
    say_result("only directories", inotify_add_watch(fd, "d/a", IN_OPEN | IN_ONLYDIR));
    say_result("not inotify", inotify_add_watch(1, "d", IN_OPEN));
    say_result("closed", inotify_add_watch(99, "d", IN_OPEN));
    say_result("bad path", inotify_add_watch(fd, (char *)8, IN_OPEN));
    say_result("flags", inotify_init1(1));
    put("/tmp/not-seen", "", 0);
    unlink("/tmp/not-seen");
    drain("nothing");

    say_result("blocks", inotify_add_watch(fd, "d", IN_CREATE));
    fcntl(fd, F_SETFL, 0);
    if (fork() == 0) {
        pause_ms(20);
        put("d/late", "", 0);
        _exit(0);
    }
    size = read(fd, one, sizeof one);
    say("late %d %s\n", size, ((struct inotify_event *)one)->name);
    wait(0);
    directory = opendir("d");
    for (struct dirent *entry; (entry = readdir(directory));)
        unlinkat(dirfd(directory), entry->d_name, 0);
    rmdir("d");
    chdir("/");
    say_result("cleaned", rmdir(folder));
    return 0;
}
