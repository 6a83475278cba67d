// The calls of i386 that have 16-bit ids: their numbers, what does not fit, -1. Run by root, in an empty folder.
#include "say.h"

enum { SETUID = 23, GETUID, SETGID = 46, GETGID, GETEUID = 49, GETEGID, LCHOWN = 16, SETREUID = 70, SETREGID,
       GETGROUPS = 80, SETGROUPS, FCHOWN = 95, SETFSUID = 138, SETFSGID, SETRESUID = 164, GETRESUID,
       SETRESGID = 170, GETRESGID, CHOWN = 182 };
static void ids(const char *what) {
    uint16_t user[3], group[3], list[10];
    syscall(GETRESUID, &user[0], &user[1], &user[2]);
    syscall(GETRESGID, &group[0], &group[1], &group[2]);
    say("%s: %d %d %d, %d %d %d; %ld %ld %ld %ld; file %ld %ld;", what, user[0], user[1], user[2], group[0], group[1],
        group[2], syscall(GETUID), syscall(GETEUID), syscall(GETGID), syscall(GETEGID), syscall(SETFSUID, 0xFFFF),
        syscall(SETFSGID, 0xFFFF));
    int count = syscall(GETGROUPS, 10, list);
    for (int i = 0; i < count; i++)
        say(" %d", list[i]);
    say(" (%d of them)\n", count);
}
static void changes(void) {
    say_result("setgroups", syscall(SETGROUPS, 3, (uint16_t[]){5, 65535, 7}));
    ids("a bad group");
    say_result("setgroups", syscall(SETGROUPS, 3, (uint16_t[]){7, 5, 6}));
    say_result("setregid", syscall(SETREGID, 0xFFFF, 4));
    say_result("setresgid", syscall(SETRESGID, 3, 0xFFFF, 5));
    say_result("setfsuid", syscall(SETFSUID, 9));
    say_result("setfsgid", syscall(SETFSGID, 8));
    ids("groups");
    say_result("getgroups with no room", syscall(GETGROUPS, 2, (uint16_t[2]){0}));
    say_result("getgroups of a bad address", syscall(GETGROUPS, 10, 8));
    say_result("setgroups of a bad address", syscall(SETGROUPS, 2, 8));
    say_result("setgroups of too many", syscall(SETGROUPS, 65537, 8));
    say_result("setresuid", syscall(SETRESUID, 1, 0xFFFF, 0));
    ids("users");
    say_result("setreuid", syscall(SETREUID, 2, 3));
    ids("two");
    say_result("setuid", syscall(SETUID, 2));
    say_result("setgid", syscall(SETGID, 5));
    say_result("back", syscall(SETUID, 0));
    say_result("high bits", syscall(SETUID, 0x10003));
    ids("last");
}
static void large(void) {
    syscall(206, 2, (int[]){70000, 6}); /* setgroups32 */
    syscall(210, 70001, 70002, 70003);  /* setresgid32 */
    syscall(208, 70004, 70005, 70006);  /* setresuid32 */
    ids("too large for 16 bits");
}
static void files(void) {
    struct stat found;
    int fd = open("owned", O_CREAT | O_RDWR, 0644);
    say_result("chown", syscall(CHOWN, "owned", 12, 0xFFFF));
    stat("owned", &found);
    say("%d %d\n", found.st_uid, found.st_gid);
    say_result("fchown", syscall(FCHOWN, fd, 0xFFFF, 13));
    stat("owned", &found);
    say("%d %d\n", found.st_uid, found.st_gid);
    symlink("owned", "link");
    say_result("lchown", syscall(LCHOWN, "link", 14, 0x1000F));
    lstat("link", &found);
    say("%d %d\n", found.st_uid, found.st_gid);
    unlink("owned");
    unlink("link");
}
int main(int count, char **arguments) {
    chdir(arguments[1]);
    files();
    in_child("changes", changes);
    in_child("large", large);
    return 0;
}
