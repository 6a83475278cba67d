/* Copies between the kernel and the current user space. */
#include "mm.h"

void *memcpy(void *, const void *, size_t);

/* The entry of a page that a user program may access in this way, or NULL. */
static uint32_t *user_page(uintptr_t vaddr, uint32_t right)
{
    uint32_t *entry = vaddr < USER_END ? vmm_entry(current_space, (uint32_t)vaddr) : NULL;
    if (entry == NULL || !(*entry & PTE_PRESENT) || !(*entry & PTE_USER))
        return NULL;
    return right == 0 || *entry & right ? entry : NULL;
}

static bool range_ok(uintptr_t vaddr, size_t n, uint32_t right)
{
    if (vaddr >= USER_END || n > USER_END - vaddr)
        return false;
    for (uintptr_t page = vaddr / PAGE_SIZE; n && page <= (vaddr + n - 1) / PAGE_SIZE; page++)
        if (user_page(page * PAGE_SIZE, right) == NULL)
            return false;
    return true;
}

static unsigned char *byte_at(uintptr_t vaddr)
{
    uint32_t *entry = vmm_entry(current_space, (uint32_t)vaddr);
    return ram + (size_t)(*entry >> 12) * PAGE_SIZE + vaddr % PAGE_SIZE;
}

/* Gives a shared page a frame of its own; the last one that has it keeps it. */
static bool __attribute__((unused)) break_cow(uintptr_t vaddr)
{
    uint32_t *entry = vmm_entry(current_space, (uint32_t)vaddr), old = *entry >> 12;
    if (pmm_count(old) > 1) {
        uint32_t frame = pmm_alloc();
        if (frame == 0)
            return false;
        memcpy(ram + (size_t)frame * PAGE_SIZE, ram + (size_t)old * PAGE_SIZE, PAGE_SIZE);
        pmm_put(old);
        *entry = frame << 12 | (*entry & 0xFFF);
    }
    *entry = (*entry & ~PTE_COW) | PTE_WRITABLE;
    return true;
}

static size_t part(uintptr_t vaddr, size_t n)
{
    size_t rest = PAGE_SIZE - vaddr % PAGE_SIZE;
    return n < rest ? n : rest;
}

int copy_from_user(void *to, const void *from, size_t n)
{
    uintptr_t vaddr = (uintptr_t)from;
    if (!range_ok(vaddr, n, 0))
        return -EFAULT;
    for (size_t done = 0, size; done < n; done += size) {
        size = part(vaddr + done, n - done);
        memcpy((char *)to + done, byte_at(vaddr + done), size);
    }
    return 0;
}

int copy_to_user(void *to, const void *from, size_t n)
{
    uintptr_t vaddr = (uintptr_t)to;
    if (!range_ok(vaddr, n, PTE_WRITABLE | PTE_COW))
        return -EFAULT;
    for (size_t done = 0, size; done < n; done += size) {
        size = part(vaddr + done, n - done);
        memcpy(byte_at(vaddr + done), (const char *)from + done, size);
    }
    return 0;
}
