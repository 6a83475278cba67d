"""Numbers of the emulated CPU: what Unicorn's headers call UC_*, and what `Fill` and `Engine` answer."""

# Rights of a TLB entry (UC_PROT_*).
PROT_READ = 1
PROT_WRITE = 2
PROT_EXECUTE = 4

# In Walker.allowed.
USER_WRITE = 1 << 4
USER_FETCH = 1 << 5

# Outcomes of Fill.answer when it gives no rights.
NOTHING = 0
FAULT = 1  # the fault handler refused: a signal for the program
FLUSH = 2  # granted rights must go: flush the TLB, go on
STALE = 3  # code of frame `stale` changed: drop its translation, go on
FAILED = 4  # an exception is in `error`

# Reasons why Engine.run comes back.
TIME = 0  # the slice is over
STOPPED = 1  # a system call wants the scheduler
MEMORY = 2  # a fault that the handler refused: fill.fault_*
EXCEPTION = 3  # of the CPU: `vector`
INVALID = 4  # no instruction
WANDERED = 5  # it went to the address where emulation ends

SEVERAL = (1 << 64) - 1  # addresses, in place of one

MOST_TURNS = 64  # how often Engine.run mends something and goes on, before others have a turn
FIRST_ACCESS = 16  # UC_MEM_READ; writes and fetches follow, as in our ACCESS_*
ERROR_INSTRUCTION = 10  # UC_ERR_INSN_INVALID
SYSTEM_CALL_VECTOR = 0x80
HOOK_MEMORY = 1 << 10 | 1 << 11  # UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE
CODE_FLUSH = 10 | 1 << 30
TLB_FLUSH = 11 | 1 << 30  # uc_ctl: the control, the number of arguments << 26, write << 30
TB_REMOVE_CACHE = 9 | 2 << 26 | 1 << 30
