// Extended attributes, chroot, and the limit on a file's size.
#include "say.h"
#include <sys/xattr.h>
static void attributes(void) {
    char value[200], name[300];
    int file = open("f", O_RDWR | O_CREAT, 0644);
    symlink("f", "l");
    mkdir("d", 0755);
    mkfifo("p", 0600);
    say_result("list nothing", listxattr("f", value, sizeof value));
    say_result("none", getxattr("f", "user.a", value, sizeof value));
    say_result("set", setxattr("f", "user.a", "12345", 5, 0));
    say_result("get", getxattr("f", "user.a", value, sizeof value));
    say("%.5s\n", value);
    say_result("size", getxattr("f", "user.a", 0, 0));
    say_result("small", getxattr("f", "user.a", value, 4));
    say_result("by link", getxattr("l", "user.a", value, sizeof value));
    say_result("of the link", lgetxattr("l", "user.a", value, sizeof value));
    say_result("on the link", lsetxattr("l", "user.a", "1", 1, 0));
    say_result("by descriptor", fsetxattr(file, "user.b", "", 0, 0));
    say_result("list", flistxattr(file, value, sizeof value));
    say_result("list size", listxattr("f", 0, 0));
    say_result("list small", listxattr("f", value, 3));
    say_result("create", setxattr("f", "user.a", "x", 1, XATTR_CREATE));
    say_result("replace", setxattr("f", "user.a", "xy", 2, XATTR_REPLACE));
    say_result("replace nothing", setxattr("f", "user.z", "xy", 2, XATTR_REPLACE));
    say_result("get", getxattr("f", "user.a", value, sizeof value));
    say_result("remove", removexattr("f", "user.a"));
    say_result("again", removexattr("f", "user.a"));
    say_result("list", listxattr("f", value, sizeof value));
    say_result("directory", setxattr("d", "user.d", "1", 1, 0));
    say_result("directory", getxattr("d", "user.d", value, sizeof value));
    say_result("fifo", setxattr("p", "user.d", "1", 1, 0));
    say_result("fifo", getxattr("p", "user.d", value, sizeof value));
    say_result("no space", setxattr("f", "nothing", "1", 1, 0));
    say_result("other space", setxattr("f", "other.x", "1", 1, 0));
    say_result("only a space", setxattr("f", "user.", "1", 1, 0));
    say_result("get of no space", getxattr("f", "nothing", value, sizeof value));
    say_result("empty name", setxattr("f", "", "1", 1, 0));
    memset(name, 'x', sizeof name), memcpy(name, "user.", 5), name[299] = 0;
    say_result("long name", setxattr("f", name, "1", 1, 0));
    say_result("large", setxattr("f", "user.large", value, 65537, 0));
    say_result("flags", setxattr("f", "user.x", "1", 1, 4));
    say_result("bad value", setxattr("f", "user.x", (void *)8, 1, 0));
    say_result("bad name", setxattr("f", (void *)8, "1", 1, 0));
    say_result("not there", getxattr("nothing", "user.x", value, sizeof value));
    say_result("closed", fgetxattr(99, "user.x", value, sizeof value));
    rename("f", "g");
    say_result("after rename", getxattr("g", "user.b", value, sizeof value));
    int pipes[2];
    pipe(pipes);
    say_result("pipe", fsetxattr(pipes[0], "user.x", "1", 1, 0));
    unlink("g"), unlink("l"), unlink("p"), rmdir("d");
}
static void sizes(void) {
    struct rlimit limit = {100, 100};
    int file = open("big", O_RDWR | O_CREAT, 0644);
    char data[200] = "";
    setrlimit(RLIMIT_FSIZE, &limit);
    say_result("cut", write(file, data, 150));
    signal(SIGXFSZ, SIG_IGN);
    say_result("no more", write(file, data, 1));
    say_result("pwrite", pwrite(file, data, 50, 80));
    say_result("past it", pwrite(file, data, 1, 100));
    say_result("truncate", ftruncate(file, 101));
    say_result("truncate", truncate("big", 100));
    unlink("big");
    if (fork() == 0) {
        signal(SIGXFSZ, SIG_DFL);
        write(file, data, 10);
        _exit(0);
    }
    int status;
    wait(&status);
    say_status("killed", status & ~0x80);
}
static void roots(void) {
    char path[200];
    mkdir("root", 0755), mkdir("root/sub", 0755);
    close(open("root/file", O_CREAT | O_RDWR, 0600));
    say_result("not a directory", chroot("root/file"));
    say_result("not there", chroot("nothing"));
    if (fork() == 0) {
        int result = chroot("root");
        say_result("chroot", result);
        if (result == 0) {
            say_result("open", open("/file", O_RDONLY));
            say_result("outside", open("/etc/passwd", O_RDONLY));
            chdir("/sub");
            say("cwd %s\n", getcwd(path, sizeof path));
            say_result("up", chdir("../../.."));
            say("cwd %s\n", getcwd(path, sizeof path));
            int size = readlink("/proc/self/exe", path, sizeof path);
            say_result("no proc", size);
        }
        _exit(0);
    }
    wait(0);
    unlink("root/file"), rmdir("root/sub"), rmdir("root");
}
int main(void) {
    char folder[] = "/tmp/extended-XXXXXX";
    mkdtemp(folder);
    chdir(folder);
    attributes();
    roots();
    sizes();
    chdir("/");
    say_result("cleaned", rmdir(folder));
    return 0;
}
