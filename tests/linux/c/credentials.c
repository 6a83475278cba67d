// Ids of users and groups, and what they allow: files, directories, signals, programs. Run by root it takes other ids.
// credentials FOLDER: a folder that all may enter, empty.
#include "say.h"
#include <grp.h>
#include <sys/fsuid.h>

static const char *folder;
static const char *self;

static void ids(const char *what) {
    uid_t r, e, s;
    gid_t gr, ge, gs, list[64];
    getresuid(&r, &e, &s);
    getresgid(&gr, &ge, &gs);
    int count = getgroups(64, list);
    say("%s: users %d %d %d %d groups %d %d %d %d and", what, r, e, s, setfsuid(-1), gr, ge, gs, setfsgid(-1));
    for (int i = 0; i < count; i++)
        say(" %d", list[i]);
    say("\n");
}

static void become(int user, int group) {
    say_result("setgroups", setgroups(0, 0));
    say_result("setresgid", setresgid(group, group, group));
    say_result("setresuid", setresuid(user, user, user));
}

static void dropped(void) {
    become(1000, 1000);
    ids("dropped");
    say_result("setuid 0", setuid(0));
    say_result("seteuid 0", seteuid(0));
    say_result("setuid 1000", setuid(1000));
    say_result("setreuid 0", setreuid(-1, 0));
    say_result("setresuid 1000 1001", setresuid(1000, 1001, -1));
    say_result("setgid 0", setgid(0));
    say_result("setregid", setregid(1000, 0));
    say_result("setgroups", setgroups(0, 0));
    say_result("setfsuid", setfsuid(0));
    ids("still");
}

static void swapped(void) {
    say_result("setresuid 1 2 3", setresuid(1, 2, 3));
    ids("three");
    say_result("setuid 3", setuid(3));
    ids("saved");
    say_result("setreuid 3 1", setreuid(3, 1));
    ids("two");
    say_result("setreuid 2", setreuid(2, -1));
    say_result("setresuid 1 1 1", setresuid(1, 1, 1));
    say_result("setresuid 3", setresuid(3, -1, -1));
    ids("end");
}

static void temporary(void) {
    gid_t list[] = {7, 9};
    say_result("setgroups", setgroups(2, list));
    say_result("setegid", setegid(1000));
    say_result("seteuid", seteuid(1000));
    ids("lowered");
    say_result("open", open("/etc/shadow", O_RDONLY));
    say_result("seteuid 0", seteuid(0));
    say_result("setegid 0", setegid(0));
    ids("back");
    say_result("setgid", setgid(5));
    say_result("setreuid", setreuid(1000, 1000));
    say_result("seteuid 0", seteuid(0));
    ids("gone");
}

static void file_ids(void) {
    say_result("setfsuid 1000", setfsuid(1000));
    ids("file ids");
    say_result("open", open("/etc/shadow", O_RDONLY));
    say_result("make", close(open("sticky/made", O_CREAT | O_RDWR, 0666)));
    struct stat found;
    if (stat("sticky/made", &found) == 0)
        say("owner %d %d\n", found.st_uid, found.st_gid);
    say_result("setfsuid 0", setfsuid(0));
}

static void look(const char *name) {
    struct stat found;
    if (lstat(name, &found))
        say_result(name, -1);
    else
        say("%s: %o %d %d\n", name, found.st_mode, found.st_uid, found.st_gid);
}

static void tries(const char *name) {
    say("%s:", name);
    for (int mode = 1; mode < 8; mode++)
        say(" %d%d%d", !access(name, mode), !faccessat(AT_FDCWD, name, mode, AT_EACCESS), !eaccess(name, mode));
    int reading = open(name, O_RDONLY), writing = open(name, O_WRONLY);
    say(" read %s", reading < 0 ? strerrorname_np(errno) : "ok");
    say(" write %s\n", writing < 0 ? strerrorname_np(errno) : "ok");
    close(reading), close(writing);
}

static const char *names[] = {"root-600", "root-644", "root-666", "mine-400", "mine-000", "mine-077",
                              "group-640", "group-604", "group-660", "root-711", "mine-111"};

static void make_files(void) {
    for (int i = 0; i < sizeof names / sizeof *names; i++) {
        int fd = open(names[i], O_CREAT | O_RDWR, 0600);
        if (names[i][0] != 'r')
            fchown(fd, names[i][0] == 'm' ? 1000 : 0, names[i][0] == 'm' ? 5 : 1000);
        fchmod(fd, strtol(strchr(names[i], '-') + 1, 0, 8));
        close(fd);
    }
    mkdir("sticky", 0), chmod("sticky", 01777);
    mkdir("shared", 0), chown("shared", 0, 1000), chmod("shared", 02775);
    mkdir("closed", 0700), mkdir("listed", 0744), mkdir("entered", 0711);
    for (int i = 0; i < 5; i++) {
        static const char *more[] = {"closed/x", "listed/x", "entered/x", "sticky/roots", "shared/roots"};
        close(open(more[i], O_CREAT | O_RDWR, 0644));
    }
}

static void files(void) {
    become(1000, 1000);
    for (int i = 0; i < sizeof names / sizeof *names; i++)
        tries(names[i]);
    tries("closed/x"), tries("listed/x"), tries("entered/x");
    say_result("list closed", open("closed", O_RDONLY | O_DIRECTORY));
    say_result("list listed", open("listed", O_RDONLY | O_DIRECTORY) < 0 ? -1 : 0);
    say_result("list entered", open("entered", O_RDONLY | O_DIRECTORY));
    say_result("chdir listed", chdir("listed"));
    say_result("make", open("new", O_CREAT | O_RDWR, 0600));
    say_result("mkdir", mkdir("entered/new", 0700));
    say_result("chmod root's", chmod("root-666", 0600));
    say_result("chmod mine", chmod("mine-000", 06640));
    look("mine-000");
    say_result("chown to 1001", chown("mine-000", 1001, -1));
    say_result("chown to group 5", chown("mine-000", -1, 5));
    say_result("chown to group 1000", chown("mine-000", -1, 1000));
    look("mine-000");
    say_result("chmod set-id", chmod("mine-000", 06755));
    look("mine-000");
    say_result("chown to itself", chown("mine-000", 1000, 1000));
    look("mine-000");
    say_result("chown nothing", chown("root-644", -1, -1));
    say_result("utimes of root's", utimes("root-644", 0));
    say_result("utimes that may be written", utimes("root-666", 0));
    struct timeval times[2] = {{1, 0}, {1, 0}};
    say_result("utimes to a time", utimes("root-666", times));
    say_result("truncate", truncate("root-644", 0));
    say_result("exec", execl("./root-644", "x", (char *)0));
}

static void directories(void) {
    become(1000, 1000);
    say_result("make", close(open("sticky/mine", O_CREAT | O_RDWR, 0666)));
    look("sticky/mine");
    say_result("unlink root's", unlink("sticky/roots"));
    say_result("rename root's", rename("sticky/roots", "sticky/other"));
    say_result("rename over root's", rename("sticky/mine", "sticky/roots"));
    say_result("rename mine", rename("sticky/mine", "sticky/renamed"));
    say_result("link root's", link("sticky/roots", "sticky/linked"));
    say_result("unlink mine", unlink("sticky/renamed"));
    say_result("make", close(open("shared/mine", O_CREAT | O_RDWR, 02755)));
    look("shared/mine");
    say_result("mkdir", mkdir("shared/inner", 0755));
    look("shared/inner");
    say_result("unlink root's", unlink("shared/roots"));
    say_result("symlink", symlink("x", "shared/link"));
    look("shared/link");
}

static void others(void) {
    become(1001, 1001);
    say_result("open", open("sticky/mine", O_RDWR));
    say_result("make", close(open("sticky/third", O_CREAT | O_RDWR, 0600)));
    say_result("inner", open("shared/inner/x", O_CREAT | O_RDWR, 0600));
}

static int ready[2], end[2];

/* A child with other ids, until its parent ends or it gets a signal. */
static pid_t with_ids(int real, int effective, int saved) {
    char one;
    pid_t child = fork();
    if (child == 0) {
        setresuid(real, effective, saved);
        close(end[1]);
        write(ready[1], "x", 1);
        read(end[0], &one, 1);
        _exit(0);
    }
    read(ready[0], &one, 1);
    return child;
}

static void signals(void) {
    int status;
    pipe(ready), pipe(end);
    pid_t root = getppid(), same, other;
    setsid();
    other = with_ids(1001, 1001, 1001), same = with_ids(0, 1000, 1000);
    become(1000, 1000);
    say_result("kill root", kill(root, 0));
    say_result("kill root CONT of another session", kill(root, SIGCONT));
    say_result("kill another", kill(other, SIGTERM));
    say_result("CONT in the session", kill(other, SIGCONT));
    say_result("tkill another", syscall(SYS_tkill, other, SIGTERM));
    union sigval value = {.sival_int = 1};
    say_result("queue for another", sigqueue(other, SIGTERM, value));
    say_result("kill same saved id", kill(same, SIGTERM));
    waitpid(same, &status, 0);
    say_status("same", status);
    say_result("kill none", kill(99999, 0));
}

static void set_id(void) {
    int status;
    become(1000, 1000);
    if (fork() == 0) {
        execl("./set-user", "set-user", "", "ids", (char *)0);
        _exit(1);
    }
    wait(&status);
    say_status("set-user", status);
    if (fork() == 0) {
        execl("./set-group", "set-group", "", "ids", (char *)0);
        _exit(1);
    }
    wait(&status);
    say_status("set-group", status);
}

static void copy(const char *name, int user, int group, int mode) {
    static char data[1 << 16];
    int from = open("/proc/self/exe", O_RDONLY), to = open(name, O_CREAT | O_WRONLY, 0700);
    for (int size; (size = read(from, data, sizeof data)) > 0;)
        write(to, data, size);
    fchown(to, user, group), fchmod(to, mode);
    close(from), close(to);
}

int main(int argc, char **argv) {
    if (argc > 2)
        return ids(argv[0]), 0;
    umask(022);
    if (chdir(argv[1]) || getuid())
        return say("not root\n"), 1;
    make_files();
    copy("set-user", 2000, 2000, 04755), copy("set-group", 2000, 2000, 02755);
    ids("start");
    in_child("dropped", dropped);
    in_child("swapped", swapped);
    in_child("temporary", temporary);
    in_child("file ids", file_ids);
    in_child("files", files);
    in_child("directories", directories);
    in_child("others", others);
    in_child("signals", signals);
    in_child("set-id programs", set_id);
    return 0;
}
