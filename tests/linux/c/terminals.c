// Pseudo terminals: lines, echo, erasing, raw reads, window sizes, signals, sessions and job control, hanging up.
#include "say.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char text[5000];
static void show(const char *what, const char *bytes, int size) {
    char line[900];
    int used = 0;
    for (int i = 0; i < size && used < 800; i++)
        used += sprintf(line + used, bytes[i] >= 32 && bytes[i] < 127 ? "%c" : "\\x%02x", (unsigned char)bytes[i]);
    say("%s: %d '%.*s'\n", what, size, used, line);
}
static int is_readable(int fd) {
    struct pollfd one = {fd, POLLIN};
    return poll(&one, 1, 25) == 1 && one.revents & POLLIN;
}
static void screen(void) {
    int size = 0;
    while (size < sizeof text && is_readable(master)) {
        int got = read(master, text + size, sizeof text - size);
        if (got <= 0)
            break;
        size += got;
    }
    show("  screen", text, size);
}
static void reads(const char *what, int most) {
    if (!is_readable(slave)) {
        say("  %s: nothing\n", what);
        return;
    }
    int size = read(slave, text, most);
    if (size < 0)
        say_result(what, size);
    else
        show(what, text, size);
}
static void type(const char *keys) {
    show("type", keys, strlen(keys));
    write(master, keys, strlen(keys));
    screen();
}
static void flags(tcflag_t input, tcflag_t output, tcflag_t local, int least, int tenths) {
    struct termios now;
    tcgetattr(slave, &now);
    now.c_iflag = input, now.c_oflag = output, now.c_lflag = local;
    now.c_cc[VMIN] = least, now.c_cc[VTIME] = tenths;
    say_result("set", tcsetattr(slave, TCSANOW, &now));
}
static void open_pair(void) {
    char name[40];
    unsigned number;
    int lock = 0;
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    ioctl(master, TIOCGPTN, &number);
    sprintf(name, "/dev/pts/%u", number);
    say_result("locked", open(name, O_RDWR | O_NOCTTY));
    ioctl(master, TIOCSPTLCK, &lock);
    slave = open(name, O_RDWR | O_NOCTTY);
    say("tty %d %d, name %d\n", isatty(master), isatty(slave), !strcmp(ttyname(slave), name));
    struct stat found;
    fstat(slave, &found);
    say("device %d, kind %o\n", (int)(found.st_rdev >> 8), found.st_mode >> 12);
}
static const tcflag_t input = ICRNL | IXON, output = OPOST | ONLCR,
                      local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
static void lines(void) {
    struct termios now;
    tcgetattr(slave, &now);
    say("settings %x %x %x %x;", now.c_iflag, now.c_oflag, now.c_cflag, now.c_lflag);
    for (int i = 0; i < 17; i++)
        say(" %d", now.c_cc[i]);
    say("\n");
    type("hello\r");
    reads("line", 100);
    type("two\nlines\n");
    reads("some of it", 2);
    reads("the rest", 100);
    reads("the next", 100);
    type("abc\x7f\x7fX\n"), reads("erased", 100);
    type("one two  three\x17\x17Y\n"), reads("words", 100);
    type("all of it\x15" "new\n"), reads("killed", 100);
    type("a\tb\x7f\x7f\x7f\x7f!\n"), reads("tabs", 100);
    type("\x01\x7f" "c\n"), reads("control", 100);
    type("\x16\x03\x16\x7fq\n"), reads("literal", 100);
    type("re\x12print\n"), reads("reprinted", 100);
    type("part\x04"), reads("without an end", 100);
    type("\x04"), reads("end of file", 100);
    type("x\x04"), reads("exactly", 1);
    reads("nothing behind it", 10);
    type("stop"), type("\x13"), type("ped"), say_result("is stopped", poll(&(struct pollfd){slave, POLLOUT}, 1, 0));
    type("\x11\n"), reads("goes on", 100);
    write(slave, "a\nb\tc\rd\b\n", 9), screen();
    flags(input, OPOST | ONLCR | XTABS | OCRNL, local, 1, 0);
    write(slave, "a\tbc\td\n\re\n", 10), screen();
    flags(input | IUTF8, output, local, 1, 0);
    type("\xc3\xa4\xe2\x82\xac\x7f!\n"), reads("utf-8", 100);
    flags(input, output, local & ~ECHOE, 1, 0);
    type("ab\x7f" "c\n"), reads("no ECHOE", 100);
    flags(input, output, local & ~ECHOKE, 1, 0);
    type("ab\x15" "c\n"), reads("no ECHOKE", 100);
    flags(input, output, ICANON | ECHONL, 1, 0);
    type("secret\x03\x7f\n"), reads("no echo", 100);
    flags(IGNCR, output, ICANON | ECHO, 1, 0);
    type("a\rb\n"), reads("IGNCR", 100);
    flags(INLCR | ISTRIP, output, ICANON | ECHO, 1, 0);
    type("a\xe1\nb\x04"), reads("INLCR ISTRIP", 100);
    flags(input, output, local, 1, 0);
    memset(text, 'l', 4200);
    write(master, text, 4200);
    screen();
    write(master, "\n", 1);
    screen();
    is_readable(slave);
    say_result("the longest line", read(slave, text, sizeof text));
}
static void raw(void) {
    int waiting = -1;
    flags(0, 0, 0, 1, 0);
    type("abc\x03\r\n\x04");
    ioctl(slave, FIONREAD, &waiting);
    say("FIONREAD %d\n", waiting);
    reads("raw", 4);
    reads("raw", 100);
    write(slave, "x\ny", 3), screen();
    flags(0, 0, 0, 4, 0);
    type("12");
    say("readable %d\n", is_readable(slave));
    if (fork() == 0) {
        pause_ms(20);
        write(master, "34567", 5);
        _exit(0);
    }
    show("VMIN 4", text, read(slave, text, 100));
    wait(0);
    flags(0, 0, 0, 0, 0);
    say_result("VMIN 0", read(slave, text, 100));
    flags(0, 0, 0, 0, 1);
    say_result("VTIME 1", read(slave, text, 100));
    flags(0, 0, 0, 100, 1);
    write(master, "ab", 2);
    say_result("between bytes", read(slave, text, 100));
    flags(0, 0, 0, 1, 0);
    write(master, "pending", 7);
    is_readable(slave);
    flags(input, output, local, 1, 0);
    reads("now a line", 100);
    type("lines\nmore\nopen");
    flags(0, 0, 0, 1, 0);
    reads("now bytes", 100);
    write(master, "flushed", 7);
    is_readable(slave);
    tcflush(slave, TCIFLUSH);
    fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
    say_result("flushed", read(slave, text, 100));
    fcntl(slave, F_SETFL, O_RDWR);
    flags(input, output, local, 1, 0);
    say_result("a bad request", ioctl(slave, 0x5499, 0));
    say_result("not a session's", tcgetpgrp(slave));
    say_result("TIOCGSID", ioctl(slave, TIOCGSID, &waiting));
    say_result("the master's", ioctl(master, TIOCGPGRP, &waiting));
    say("%d\n", waiting);
}
static void windows(void) {
    struct winsize size = {24, 80, 5, 6}, got = {9, 9, 9, 9};
    ioctl(slave, TIOCGWINSZ, &got);
    say("window %d %d\n", got.ws_row, got.ws_col);
    say_result("set it", ioctl(master, TIOCSWINSZ, &size));
    ioctl(slave, TIOCGWINSZ, &got);
    say("window %d %d %d %d\n", got.ws_row, got.ws_col, got.ws_xpixel, got.ws_ypixel);
}
static void told(int signal, siginfo_t *info, void *context) { say("signal %d code %d\n", signal, info->si_code); }
static void background(void) {
    char c;
    struct termios now;
    tcgetattr(slave, &now);
    setpgid(0, 0);
    pause_ms(20);
    handle(SIGTTIN, told, SA_RESTART);
    handle(SIGTTOU, told, 0);
    say_result("change in the background", tcsetpgrp(slave, getpgrp()));
    say_result("write is allowed", write(slave, "w", 1));
    signal(SIGTTOU, SIG_IGN);
    say_result("when it is ignored", tcsetattr(slave, TCSANOW, &now));
    signal(SIGTTIN, SIG_IGN);
    say_result("read with SIGTTIN ignored", read(slave, &c, 1));
    signal(SIGTTIN, SIG_DFL);
    say_result("read", read(slave, &c, 1)); /* stops, until it is in the foreground */
    say("got %c\n", c);
}
static void session(void) {
    int number = 0, status;
    say("session %d\n", setsid() == getpid());
    say_result("/dev/tty", open("/dev/tty", O_RDWR));
    say_result("take it", ioctl(slave, TIOCSCTTY, 0));
    say_result("again", ioctl(slave, TIOCSCTTY, 0));
    int tty = open("/dev/tty", O_RDWR);
    say("/dev/tty %d, foreground %d\n", tty >= 0, tcgetpgrp(tty) == getpgrp());
    ioctl(slave, TIOCGSID, &number);
    say("its session %d\n", number == getpid());
    struct stat found;
    fstat(tty, &found);
    say("/dev/tty is %d %d\n", (int)(found.st_rdev >> 8), (int)(found.st_rdev & 255));
    close(tty);
    handle(SIGINT, told, 0), handle(SIGQUIT, told, 0), handle(SIGTSTP, told, 0), handle(SIGWINCH, told, 0);
    type("lost\x03"), type("\x1c"), type("\x1a");
    reads("what was typed before is lost", 100);
    ioctl(master, TIOCSWINSZ, &(struct winsize){1, 2});
    ioctl(master, TIOCSWINSZ, &(struct winsize){1, 2});
    int child = fork();
    if (child == 0) {
        background();
        _exit(0);
    }
    waitpid(child, &status, WUNTRACED);
    say_status("the background job", status);
    signal(SIGTTOU, SIG_IGN);
    say_result("nobody's group", tcsetpgrp(slave, 99999));
    say_result("to the foreground", tcsetpgrp(slave, child));
    kill(child, SIGCONT);
    write(master, "k\n", 2);
    waitpid(child, &status, 0);
    say_status("the job", status);
    tcsetpgrp(slave, getpgrp());
    screen();
    signal(SIGINT, SIG_IGN);
    child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        pause();
    }
    pause_ms(20);
    write(master, "\x03", 1);
    waitpid(child, &status, 0);
    say_status("^C ends a child", status);
    child = fork();
    if (child == 0) {
        signal(SIGHUP, SIG_DFL);
        pause_ms(3000);
        say("still here\n");
        _exit(0);
    }
    /* the leader ends: the foreground is hung up */
}
static void hang_up(void) {
    char c;
    handle(SIGHUP, told, 0);
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    int copy = dup(slave);
    close(master);
    pause_ms(20);
    say_result("read", read(copy, &c, 1));
    say_result("write", write(copy, "x", 1));
    say_result("ioctl", tcgetpgrp(copy));
    struct pollfd one = {copy, POLLIN | POLLOUT};
    poll(&one, 1, 0);
    say("poll %x\n", one.revents);
}
static void left(void) {
    char c;
    struct pollfd one = {master, POLLIN | POLLOUT};
    write(slave, "last", 4);
    close(slave);
    pause_ms(20);
    poll(&one, 1, 0);
    say("poll %x\n", one.revents);
    say_result("what is left", read(master, text, 100));
    say_result("then", read(master, text, 100));
    poll(&one, 1, 0);
    say("poll %x\n", one.revents);
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    say("opened again %d\n", slave >= 0);
    poll(&one, 1, 0);
    say("poll %x\n", one.revents);
}
int main(void) {
    open_pair();
    lines();
    raw();
    windows();
    in_child("session", session);
    pause_ms(50);
    close(slave);
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    left();
    int child = fork();
    if (child == 0) {
        hang_up();
        _exit(0);
    }
    close(master);
    int status;
    waitpid(child, &status, 0);
    say_status("hung up", status);
    return 0;
}
