/* Numbers and texts about memory. */
#include <stdio.h>
#include <string.h>

#include "mm.h"

static bool tracking;
static size_t tracked_count;
static unsigned char tracked[HEAP_PAGES * PAGE / 64]; /* a bit for each 8 bytes of the heap */

void get_meminfo(meminfo_t *info)
{
    if (info == NULL) {
        report("get_meminfo of NULL");
        return;
    }
    frame_stats_t stats;
    frame_get_stats(&stats);
    memset(info, 0, sizeof *info);
    info->total_memory = frame_get_total_memory();
    info->free_memory = stats.free_frames * PAGE;
    info->kernel_memory = stats.reserved_frames * PAGE;
    info->user_memory = stats.user_frames * PAGE;
}

int get_proc_meminfo(pid_t pid, proc_meminfo_t *info)
{
    if (info == NULL)
        return -EINVAL;
    if (pid != 1)
        return -ESRCH;
    memset(info, 0, sizeof *info);
    info->virt_size = info->rss = paging_resident() * PAGE;
    return 0;
}

void mem_dump(void *addr, size_t size)
{
    const unsigned char *byte = addr;
    for (size_t i = 0; i < size && i < 65536; i++)
        printf("%02x%c", byte[i], i % 16 == 15 || i == size - 1 ? '\n' : ' ');
}

void tracking_note(void *ptr, bool live)
{
    if (!tracking || ptr == NULL)
        return;
    size_t place = (size_t)((unsigned char *)ptr - ram - HEAP_START) / 8;
    bool was = tracked[place / 8] >> place % 8 & 1;
    if (was == live)
        return;
    tracked[place / 8] ^= (unsigned char)(1u << place % 8);
    tracked_count += live ? 1 : (size_t)-1;
}

size_t mem_check_leaks(void)
{
    return tracked_count;
}

void mem_enable_tracking(void)
{
    tracking = true;
}

void mem_print_stats(void)
{
    buddy_stats_t heap;
    buddy_get_stats(&heap);
    printf("frames: %zu bytes free of %zu\n", frame_get_free_memory(), frame_get_total_memory());
    printf("heap: %zu bytes free of %zu, %zu allocations\n", heap.free_bytes, heap.total_bytes, heap.alloc_count);
}
