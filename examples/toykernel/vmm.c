/* Page tables, and fork: both sides share their frames until one writes. */
#include "mm.h"

void *memset(void *, int, size_t);

static struct space spaces[64];
struct space *current_space;

static uint32_t *table_at(uint32_t frame)
{
    return (uint32_t *)(ram + (size_t)frame * PAGE_SIZE);
}

static uint32_t *new_table(void)
{
    uint32_t frame = pmm_alloc();
    return frame ? memset(table_at(frame), 0, PAGE_SIZE) : NULL;
}

static uint32_t frame_of(uint32_t *table)
{
    return (uint32_t)(((unsigned char *)table - ram) / PAGE_SIZE);
}

struct space *space_create(void)
{
    for (struct space *space = spaces; space < spaces + 64; space++)
        if (space->directory == NULL) {
            space->directory = new_table();
            return space->directory ? space : NULL;
        }
    return NULL;
}

uint32_t *vmm_entry(struct space *space, uint32_t vaddr)
{
    uint32_t entry = space->directory[vaddr >> 22];
    return entry & PTE_PRESENT ? &table_at(entry >> 12)[vaddr >> 12 & 1023] : NULL;
}

int vmm_map(struct space *space, uint32_t vaddr, uint32_t frame, uint32_t flags)
{
    if (vmm_entry(space, vaddr) == NULL) {
        uint32_t *table = new_table();
        if (table == NULL)
            return -ENOMEM;
        space->directory[vaddr >> 22] = frame_of(table) << 12 | PTE_PRESENT | PTE_WRITABLE | PTE_USER;
    }
    if (*vmm_entry(space, vaddr) & PTE_PRESENT)
        return -EEXIST;
    *vmm_entry(space, vaddr) = frame << 12 | flags;
    return 0;
}

void vmm_unmap(struct space *space, uint32_t vaddr)
{
    uint32_t *entry = vmm_entry(space, vaddr);
    if (entry && *entry & PTE_PRESENT) {
        pmm_put(*entry >> 12);
        *entry = 0;
    }
}

void space_destroy(struct space *space)
{
    if (space == current_space)
        panic("the current space");
    for (uint32_t i = 0; i < 1024; i++) {
        if (!(space->directory[i] & PTE_PRESENT))
            continue;
        for (uint32_t k = 0; k < 1024; k++)
            vmm_unmap(space, i << 22 | k << 12);
        pmm_put(space->directory[i] >> 12);
    }
    pmm_put(frame_of(space->directory));
    space->directory = NULL;
}

struct space *space_fork(struct space *parent)
{
    struct space *child = space_create();
    for (uint32_t i = 0; child && i < 1024; i++)
        for (uint32_t k = 0; parent->directory[i] & PTE_PRESENT && k < 1024; k++) {
            uint32_t *entry = &table_at(parent->directory[i] >> 12)[k];
            if (!(*entry & PTE_PRESENT))
                continue;
            if (*entry & PTE_WRITABLE)
                *entry = (*entry & ~PTE_WRITABLE) | PTE_COW;
            if (vmm_map(child, i << 22 | k << 12, *entry >> 12, *entry & 0xFFF) != 0) {
                space_destroy(child);
                return NULL;
            }
            pmm_get(*entry >> 12);
        }
    return child;
}
