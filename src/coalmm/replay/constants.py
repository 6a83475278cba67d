"""Numbers of the replay. constants.pxd has the same for compiled code (scripts/write_constants.py)."""

# What lives in a slot.
NOTHING = 0
HEAP_BLOCK = 1
BUDDY_BLOCK = 2

BUCKETS = 192  # of the histogram of sizes: kmalloc's classes, then powers of two
SAMPLES = 2048  # room for samples; when it is full every second one goes
