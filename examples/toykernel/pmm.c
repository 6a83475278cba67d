/* Frames: a count of holders for each; 0 is free. */
#include "mm.h"

unsigned char ram[RAM_SIZE];

static uint8_t holders[FRAMES];
static size_t free_count, next;
static spinlock_t lock;

void pmm_init(void)
{
    holders[0] = 1; /* 0 says that there is none */
    free_count = FRAMES - 1;
}

uint32_t pmm_alloc(void)
{
    uint32_t found = 0;
    spin_lock(&lock);
    for (size_t i = 0; i < FRAMES && !found; i++, next = (next + 1) % FRAMES)
        if (holders[next] == 0)
            found = (uint32_t)next;
    if (found) {
        holders[found] = 1;
        free_count--;
    } else
        kprintf("out of frames\n");
    spin_unlock(&lock);
    return found;
}

void pmm_get(uint32_t frame)
{
    holders[frame]++;
}

void pmm_put(uint32_t frame)
{
    if (frame == 0 || frame >= FRAMES || holders[frame] == 0)
        panic("pmm_put of a free frame");
    if (--holders[frame] == 0)
        free_count++;
}

int pmm_count(uint32_t frame)
{
    return holders[frame];
}

size_t pmm_free_count(void)
{
    return free_count;
}
