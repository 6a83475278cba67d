"""Which family has which system calls, so that only those are imported that a program asks for.

Written by scripts/write_calls.py.
"""

FAMILIES = {
    "areas": "arch_prctl get_thread_area set_thread_area",
    "attributes": (
        "fgetxattr flistxattr fremovexattr fsetxattr getxattr lgetxattr listxattr llistxattr lremovexattr lsetxattr "
        "removexattr setxattr"
    ),
    "changes": "link linkat mkdir mkdirat mknod mknodat rmdir symlink symlinkat unlink unlinkat",
    "clocks": (
        "adjtimex clock_adjtime clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
        "clock_nanosleep_time64 clock_settime clock_settime64 gettimeofday nanosleep pause settimeofday stime time"
    ),
    "clone": "clone clone3 fork vfork",
    "descriptors": "close_range dup dup2 dup3 fcntl fcntl64 ioctl",
    "directories": "chdir chroot fchdir getcwd getdents getdents64 umask",
    "events": (
        "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 memfd_create "
        "timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64"
    ),
    "execve": "execve execveat",
    "exit": "exit exit_group",
    "files": (
        "_llseek close creat lseek open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv "
        "write writev"
    ),
    "futex": "futex futex_time64",
    "identity": "capget capset getpgid getpgrp getpid getppid getsid gettid setpgid setsid",
    "ids": (
        "getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid "
        "getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 "
        "setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32"
    ),
    "inotify": "inotify_add_watch inotify_init inotify_init1 inotify_rm_watch",
    "locks": "flock",
    "machine": (
        "delete_module getcpu getpriority getrandom getrlimit init_module ioperm iopl ioprio_get ioprio_set "
        "kexec_load nice personality prctl prlimit64 ptrace reboot rseq sched_get_priority_max sched_get_priority_min "
        "sched_getaffinity sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr "
        "sched_setparam sched_setscheduler sched_yield setdomainname sethostname setpriority setrlimit swapoff swapon "
        "sysinfo syslog ugetrlimit uname vhangup"
    ),
    "many_messages": "recvmmsg recvmmsg_time64 sendmmsg",
    "mapping": "mmap mmap2 remap_file_pages",
    "memory": (
        "brk get_mempolicy madvise mbind membarrier migrate_pages mincore mlock mlock2 mlockall move_pages mprotect "
        "mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect set_mempolicy "
        "set_mempolicy_home_node"
    ),
    "message_queues": "msgctl msgget msgrcv msgsnd",
    "messages": "recvmsg sendmsg",
    "names": "access faccessat faccessat2 readlink readlinkat",
    "old_ipc": "ipc",
    "owners": "chmod chown chown32 fchmod fchmodat fchown fchown32 fchownat lchown lchown32",
    "pidfds": "pidfd_getfd pidfd_open pidfd_send_signal",
    "pipes": "copy_file_range pipe pipe2 sendfile sendfile64 splice tee vmsplice",
    "poll": "_newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 select",
    "renames": "rename renameat renameat2",
    "robust": "get_robust_list set_robust_list set_tid_address",
    "semaphores": "semctl semget semop semtimedop semtimedop_time64",
    "shared_memory": "shmat shmctl shmdt shmget",
    "signalfd": "signalfd signalfd4",
    "signals": (
        "kill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
        "rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack signal sigprocmask sigreturn sigsuspend "
        "tgkill tkill"
    ),
    "sizes": (
        "fadvise64 fadvise64_64 fallocate fdatasync fsync ftruncate ftruncate64 readahead sync sync_file_range syncfs "
        "truncate truncate64"
    ),
    "socket_options": "getsockopt setsockopt",
    "sockets": (
        "accept accept4 bind connect getpeername getsockname listen recvfrom sendto shutdown socket socketcall "
        "socketpair"
    ),
    "stamps": "futimesat utime utimensat utimensat_time64 utimes",
    "status": "fstat fstat64 fstatat64 fstatfs fstatfs64 lstat lstat64 newfstatat stat stat64 statfs statfs64 statx",
    "timers": (
        "alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 "
        "timer_settime timer_settime64"
    ),
    "usage": "getrusage times",
    "wait": "wait4 waitid waitpid",
}
