// inotify of files with several names: which directory is told, and with which name.
#include "say.h"
#include <sys/inotify.h>

static int notes;
static void told(const char *what) {
    char buffer[4096] __attribute__((aligned(8)));
    say("%s:", what);
    int size = read(notes, buffer, sizeof buffer);
    for (int at = 0; at < size;) {
        struct inotify_event *event = (void *)(buffer + at);
        say(" %d %x '%s'", event->wd, event->mask, event->len ? event->name : "");
        at += sizeof *event + event->len;
    }
    say("\n");
}
int main(int count, char **arguments) {
    struct stat found;
    chdir(arguments[1]);
    mkdir("d", 0755), mkdir("e", 0755);
    int fd = open("d/a", O_CREAT | O_RDWR, 0644);
    link("d/a", "e/b");
    link("d/a", "d/c");
    notes = inotify_init1(IN_NONBLOCK);
    inotify_add_watch(notes, "d", IN_ALL_EVENTS), inotify_add_watch(notes, "e", IN_ALL_EVENTS);
    told("nothing");
    write(fd, "x", 1), told("write by a");
    int other = open("e/b", O_RDWR);
    told("open b");
    stat("d/c", &found);
    write(fd, "x", 1), told("write by a");
    write(other, "x", 1), told("write by b");
    fchmod(fd, 0600), told("fchmod of a");
    fchmod(other, 0640), told("fchmod of b");
    chmod("d/c", 0644), told("chmod of c");
    truncate("e/b", 0), told("truncate b");
    ftruncate(fd, 1), told("ftruncate a");
    utimensat(AT_FDCWD, "d/a", 0, 0), told("times of a");
    futimens(other, 0), told("times of b");
    close(other), told("close b");
    unlink("d/c"), told("unlink c");
    write(fd, "x", 1), told("write by a");
    rename("d/a", "e/z"), told("a is z");
    write(fd, "x", 1), told("write by z");
    link("e/z", "d/new"), told("link");
    unlink("e/z"), told("unlink z");
    write(fd, "x", 1), told("write by a name that is gone");
    close(fd), told("close it");
    fd = open("d/new", O_RDONLY), told("open new");
    stat("e/b", &found);
    read(fd, &found, 1), told("read new");
    close(fd), told("close new");
    unlink("d/new"), unlink("e/b"), told("unlink");
    rmdir("d"), rmdir("e");
    return 0;
}
