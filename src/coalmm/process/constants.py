"""How processes are laid out in RAM; units are words of 8 bytes."""

PROCESS_SIZE = 64
P_PID = 0
P_PARENT = 1  # pid; 0 when there is nobody who could wait for it
P_STATE = 2
P_STATUS = 3  # what exit was called with
P_SPACE = 4  # paddr of its address space, 0 for a zombie
P_SERIAL = 5  # tells it from a later process with the same pid
P_NAME = 6  # 16 bytes, NUL-padded, as comm

PROCESS_LIVE = 1
PROCESS_ZOMBIE = 2
NAME_SIZE = 16

# Words of the superblock, from SB_PROCESS.
SB_PROCESS_TABLE = 272  # kernel address of the pid table: the paddr of each process's record, by pid
SB_PROCESS_LIMIT = 273  # how many pids there are
SB_PROCESS_COUNT = 274
SB_PROCESS_LAST = 275  # pid that was given last
SB_PROCESS_SLAB = 276
SB_PROCESS_SERIAL = 277

PIDS_LEAST = 64
PIDS_MOST = 32768
FRAMES_PER_PID = 8
