/* Makes calls that fill structures and writes the structures out, byte for byte: run natively and on ours.
   Built without a C library, as 64-bit and as 32-bit program: gcc [-m32] -nostdlib -static -ffreestanding */
#include <asm/unistd.h>

#ifdef __x86_64__
static long call(long n, long a, long b, long c, long d, long e)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
}
#else
static long call(long n, long a, long b, long c, long d, long e)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
    return result;
}
#endif

static char buffer[512];

static void show(long result, int size)
{
    call(__NR_write, 1, (long)&result, sizeof result, 0, 0);
    call(__NR_write, 1, (long)buffer, size, 0, 0);
    for (int i = 0; i < 512; i++)
        ((volatile char *)buffer)[i] = (char)0xAA;
}

#define PATHS 3
static const char *const paths[PATHS] = {"file", "link", "directory"};

void _start(void)
{
    show(0, 0);
    for (int i = 0; i < PATHS; i++) {
        long path = (long)paths[i];
        show(call(__NR_stat, path, (long)buffer, 0, 0, 0), 160);
        show(call(__NR_lstat, path, (long)buffer, 0, 0, 0), 160);
        long fd = call(__NR_open, path, 0, 0, 0, 0);
        show(call(__NR_fstat, fd, (long)buffer, 0, 0, 0), 160);
        show(call(__NR_statx, -100, path, 0x100, 0x7ff, (long)buffer), 280);
#ifdef __x86_64__
        show(call(__NR_newfstatat, -100, path, (long)buffer, 0x100, 0), 160);
        show(call(__NR_lseek, fd, 2, 1, 0, 0), 0);
#else
        show(call(__NR_stat64, path, (long)buffer, 0, 0, 0), 160);
        show(call(__NR_lstat64, path, (long)buffer, 0, 0, 0), 160);
        show(call(__NR_fstat64, fd, (long)buffer, 0, 0, 0), 160);
        show(call(__NR_fstatat64, -100, path, (long)buffer, 0x100, 0), 160);
        show(call(__NR__llseek, fd, 0, 2, (long)buffer, 1), 16);
        show(call(__NR_pread64, fd, (long)buffer, 10, 3, 0), 16);
#endif
        call(__NR_close, fd, 0, 0, 0, 0);
    }
    long fd = call(__NR_open, (long)"directory", 0200000, 0, 0, 0);
    show(call(__NR_getdents, fd, (long)buffer, 400, 0, 0), 400);
    call(__NR_lseek, fd, 0, 0, 0, 0);
    show(call(__NR_getdents64, fd, (long)buffer, 400, 0, 0), 400);
    fd = call(__NR_open, (long)"file", 0, 0, 0, 0);
    show(call(__NR_fcntl, fd, 3, 0, 0, 0), 0);
    struct { short type, whence; long start, length; int pid; } lock = {0, 0, 1, 2, 0};
    show(call(__NR_fcntl, fd, 6, (long)&lock, 0, 0), 0);
    lock.type = 1;
    show(call(__NR_fcntl, fd, 5, (long)&lock, 0, 0), 0);
    call(__NR_write, 1, (long)&lock, sizeof lock, 0, 0);
    show(call(__NR_readlink, (long)"link", (long)buffer, 100, 0, 0), 100);
    call(__NR_exit, 0, 0, 0, 0, 0);
}
