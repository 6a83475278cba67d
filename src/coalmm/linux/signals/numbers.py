"""Signals by number, what they do by default, and the codes that say why (Linux's signal(7), siginfo.h)."""

SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1 = range(1, 11)
SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP = range(11, 21)
SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS = range(21, 32)
FIRST_QUEUED = 32  # real-time signals: each one is kept
MOST = 64

IGNORED = frozenset((SIGCHLD, SIGURG, SIGWINCH, SIGCONT))
STOPPING = frozenset((SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU))
NEVER_CAUGHT = frozenset((SIGKILL, SIGSTOP))
CORE = frozenset((SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS))

SIG_DFL, SIG_IGN = 0, 1
SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO = 0x1, 0x2, 0x4
SA_RESTORER, SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_RESETHAND = (
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x4000_0000,
    0x8000_0000,
)
SS_ONSTACK, SS_DISABLE, SS_AUTODISARM = 1, 2, 1 << 31

SI_USER, SI_KERNEL, SI_QUEUE, SI_TIMER, SI_TKILL = 0, 0x80, -1, -2, -6
SEGV_MAPERR, SEGV_ACCERR = 1, 2
BUS_ADRERR, BUS_ADRALN = 2, 1
ILL_ILLOPN, FPE_INTDIV, FPE_FLTINV, TRAP_BRKPT, TRAP_TRACE = 2, 1, 7, 1, 2
CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_STOPPED, CLD_CONTINUED = 1, 2, 3, 5, 6


def bit(signal: int) -> int:
    """The bit of a signal in a mask."""
    return 1 << (signal - 1)


def name(signal: int) -> str:
    """SIGSEGV and the like."""
    known = {value: key for key, value in globals().items() if key.startswith("SIG") and key[3:4] != "_"}
    return known.get(signal, f"SIGRTMIN+{signal - FIRST_QUEUED}")


UNBLOCKABLE = bit(SIGKILL) | bit(SIGSTOP)
