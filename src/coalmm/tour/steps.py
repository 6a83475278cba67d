"""The tour: its steps in order."""

from coalmm.tour.frame_steps import allocate_frame, boot, free_mapped, map_page, store_bytes, unmap_page
from coalmm.tour.heap_steps import buddy_merge, buddy_split, finish, kmalloc, slab_object
from coalmm.tour.process_steps import child_writes, demand_zero, exit_both, fork, parent_writes
from coalmm.tour.scene import Step

STEPS: tuple[Step, ...] = (
    boot,
    allocate_frame,
    map_page,
    store_bytes,
    free_mapped,
    unmap_page,
    demand_zero,
    fork,
    child_writes,
    parent_writes,
    exit_both,
    buddy_split,
    buddy_merge,
    slab_object,
    kmalloc,
    finish,
)
