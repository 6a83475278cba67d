/* Frames: a stack of free ones, and for each how many hold it and how many user pages map it. */
#include "mm.h"

_Alignas(16 << 20) unsigned char ram[RAM_SIZE];
unsigned long misuses;

static uint32_t stack[FRAMES];
static size_t free_frames;
static uint16_t holders[FRAMES];
static uint16_t mappings[FRAMES];
static size_t user_frames;
static unsigned long fail_in;

void report(const char *what)
{
    (void)what;
    misuses++;
}

void fail_nth(unsigned long n)
{
    fail_in = n;
}

bool fails_now(void)
{
    return fail_in && --fail_in == 0;
}

void mm_init(void)
{
    for (uint32_t number = FRAMES - 1; number >= KERNEL_FRAMES; number--)
        stack[free_frames++] = number;
    buddy_init(ram + HEAP_START, HEAP_PAGES * PAGE);
    kmalloc_init();
    paging_switch_directory(paging_create_directory());
}

static bool allocated(uintptr_t frame)
{
    return frame % PAGE == 0 && frame / PAGE >= KERNEL_FRAMES && frame / PAGE < FRAMES && holders[frame / PAGE];
}

uintptr_t frame_alloc(void)
{
    if (free_frames == 0 || fails_now())
        return 0;
    uint32_t number = stack[--free_frames];
    holders[number] = 1;
    return (uintptr_t)number * PAGE;
}

void frame_free(uintptr_t frame)
{
    if (!allocated(frame)) {
        report("frame_free of what is no allocated frame");
        return;
    }
    if (--holders[frame / PAGE] == 0)
        stack[free_frames++] = (uint32_t)(frame / PAGE);
}

bool frame_hold(uintptr_t frame)
{
    if (!allocated(frame))
        return false;
    holders[frame / PAGE]++;
    return true;
}

void frame_mapped(uintptr_t frame, int change)
{
    uint16_t *count = &mappings[frame / PAGE];
    user_frames -= *count > 0;
    *count = (uint16_t)(*count + change);
    user_frames += *count > 0;
}

unsigned frame_mappings(uintptr_t frame)
{
    return mappings[frame / PAGE];
}

size_t frame_get_total_memory(void)
{
    return FRAMES * PAGE;
}

size_t frame_get_free_memory(void)
{
    return free_frames * PAGE;
}

void frame_get_stats(frame_stats_t *stats)
{
    if (stats == NULL) {
        report("frame_get_stats of NULL");
        return;
    }
    stats->total_frames = FRAMES;
    stats->free_frames = free_frames;
    stats->user_frames = user_frames;
    stats->reserved_frames = FRAMES - free_frames - user_frames;
}
