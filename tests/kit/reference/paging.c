/* Two-level page tables as an i386 has them, in the simulated RAM; clones share pages until they are written. */
#include <string.h>

#include "mm.h"

#define ADDRESS(entry) ((uintptr_t)((entry) & ~0xFFFu))
#define DIRECTORY_INDEX(vaddr) ((vaddr) >> 22)
#define TABLE_INDEX(vaddr) ((vaddr) >> 12 & 1023)

static page_directory_t *current;
static bool is_directory[FRAMES];

static uint32_t *table_of(uint32_t entry)
{
    return (uint32_t *)(ram + ADDRESS(entry));
}

static bool known(page_directory_t *dir)
{
    uintptr_t frame = (uintptr_t)dir - (uintptr_t)ram;
    return dir && frame < HEAP_START && frame % PAGE == 0 && is_directory[frame / PAGE];
}

uint32_t *paging_entry(uintptr_t vaddr)
{
    uint32_t entry = current->entry[DIRECTORY_INDEX(vaddr)];
    return entry & PAGE_PRESENT ? &table_of(entry)[TABLE_INDEX(vaddr)] : NULL;
}

static uintptr_t zeroed_frame(void)
{
    uintptr_t frame = frame_alloc();
    if (frame)
        memset(ram + frame, 0, PAGE);
    return frame;
}

static uint32_t *entry_for(page_directory_t *dir, uintptr_t vaddr)
{
    uint32_t *entry = &dir->entry[DIRECTORY_INDEX(vaddr)];
    if (!(*entry & PAGE_PRESENT)) {
        uintptr_t frame = zeroed_frame();
        if (frame == 0)
            return NULL;
        *entry = (uint32_t)frame | PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER;
    }
    return &table_of(*entry)[TABLE_INDEX(vaddr)];
}

int paging_map_page(uintptr_t vaddr, uintptr_t paddr, uint32_t flags)
{
    if (vaddr % PAGE || paddr % PAGE || vaddr >= USER_TOP || flags & ~PAGE_FLAGS || !(flags & PAGE_PRESENT))
        return -EINVAL;
    uint32_t *old = paging_entry(vaddr);
    if (old && *old & PAGE_PRESENT)
        return -EEXIST;
    if (!frame_hold(paddr))
        return -EINVAL;
    uint32_t *entry = entry_for(current, vaddr);
    if (entry == NULL) {
        frame_free(paddr);
        return -ENOMEM;
    }
    *entry = (uint32_t)paddr | flags;
    frame_mapped(paddr, 1);
    return 0;
}

static void drop(uint32_t *entry)
{
    uintptr_t frame = ADDRESS(*entry);
    *entry = 0;
    frame_mapped(frame, -1);
    frame_free(frame);
}

void paging_unmap_page(uintptr_t vaddr)
{
    uint32_t *entry = vaddr < USER_TOP ? paging_entry(vaddr) : NULL;
    if (entry && *entry & PAGE_PRESENT)
        drop(entry);
}

uintptr_t paging_get_physical(uintptr_t vaddr)
{
    uint32_t *entry = vaddr < USER_TOP ? paging_entry(vaddr) : NULL;
    return entry && *entry & PAGE_PRESENT ? ADDRESS(*entry) + vaddr % PAGE : 0;
}

page_directory_t *paging_create_directory(void)
{
    uintptr_t frame = zeroed_frame();
    if (frame == 0)
        return NULL;
    is_directory[frame / PAGE] = true;
    return (page_directory_t *)(ram + frame);
}

/* Both sides lose the right to write, and keep a mark that it comes back with a copy. */
static void share(uint32_t *from, uint32_t *to)
{
    if (*from & PAGE_WRITABLE)
        *from = (*from & ~PAGE_WRITABLE) | PAGE_COW;
    *to = *from;
    frame_hold(ADDRESS(*from));
    frame_mapped(ADDRESS(*from), 1);
}

static bool copy_table(page_directory_t *from, page_directory_t *to, size_t index)
{
    uint32_t *pages = table_of(from->entry[index]);
    for (size_t i = 0; i < 1024; i++) {
        if (!(pages[i] & PAGE_PRESENT))
            continue;
        uint32_t *entry = entry_for(to, index << 22 | i << 12);
        if (entry == NULL)
            return false;
        share(&pages[i], entry);
    }
    return true;
}

static void release(page_directory_t *dir)
{
    for (size_t i = 0; i < 1024; i++) {
        if (!(dir->entry[i] & PAGE_PRESENT))
            continue;
        uint32_t *pages = table_of(dir->entry[i]);
        for (size_t k = 0; k < 1024; k++)
            if (pages[k] & PAGE_PRESENT)
                drop(&pages[k]);
        frame_free(ADDRESS(dir->entry[i]));
    }
    uintptr_t frame = (uintptr_t)dir - (uintptr_t)ram;
    is_directory[frame / PAGE] = false;
    frame_free(frame);
}

page_directory_t *paging_clone_directory(page_directory_t *src)
{
    if (!known(src)) {
        report("paging_clone_directory of what is no directory");
        return NULL;
    }
    page_directory_t *dir = paging_create_directory();
    for (size_t i = 0; dir && i < 1024; i++)
        if (src->entry[i] & PAGE_PRESENT && !copy_table(src, dir, i)) {
            release(dir);
            return NULL;
        }
    return dir;
}

void paging_free_directory(page_directory_t *dir)
{
    if (dir == NULL)
        return;
    if (!known(dir) || dir == current) {
        report("paging_free_directory of no directory, or of the current one");
        return;
    }
    release(dir);
}

void paging_switch_directory(page_directory_t *dir)
{
    if (!known(dir)) {
        report("paging_switch_directory to what is no directory");
        return;
    }
    current = dir;
}

size_t paging_resident(void)
{
    size_t pages = 0;
    for (uintptr_t vaddr = 0; vaddr < USER_TOP; vaddr += 4u << 20)
        for (size_t i = 0; paging_entry(vaddr) && i < 1024; i++)
            pages += paging_entry(vaddr)[i] & PAGE_PRESENT;
    return pages;
}
