/* User memory through the page tables: all of a range or -EFAULT. */
#include <string.h>

#include "mm.h"

static bool allowed(uintptr_t vaddr, bool write)
{
    uint32_t *entry = paging_entry(vaddr);
    if (entry == NULL || !(*entry & PAGE_PRESENT) || !(*entry & PAGE_USER))
        return false;
    return !write || *entry & (PAGE_WRITABLE | PAGE_COW);
}

static bool range_allowed(uintptr_t vaddr, size_t n, bool write)
{
    if (n == 0)
        return vaddr < USER_TOP;
    if (vaddr >= USER_TOP || n > USER_TOP - vaddr)
        return false;
    for (uintptr_t page = vaddr & ~(uintptr_t)(PAGE - 1); page <= vaddr + n - 1; page += PAGE)
        if (!allowed(page, write))
            return false;
    return true;
}

/* The last mapping of a frame gets the right to write back; others get a copy. */
static bool own(uint32_t *entry)
{
    uintptr_t old = *entry & ~0xFFFu;
    uint32_t flags = (*entry & 0xFFF & ~PAGE_COW) | PAGE_WRITABLE;
    if (frame_mappings(old) == 1) {
        *entry = (uint32_t)old | flags;
        return true;
    }
    uintptr_t frame = frame_alloc();
    if (frame == 0)
        return false;
    memcpy(ram + frame, ram + old, PAGE);
    *entry = (uint32_t)frame | flags;
    frame_mapped(frame, 1);
    frame_mapped(old, -1);
    frame_free(old);
    return true;
}

static bool make_writable(uintptr_t vaddr, size_t n)
{
    for (uintptr_t page = vaddr & ~(uintptr_t)(PAGE - 1); n && page <= vaddr + n - 1; page += PAGE) {
        uint32_t *entry = paging_entry(page);
        if (*entry & PAGE_COW && !own(entry))
            return false;
    }
    return true;
}

static unsigned char *at(uintptr_t vaddr)
{
    return ram + (*paging_entry(vaddr) & ~0xFFFu) + vaddr % PAGE;
}

static size_t piece(uintptr_t vaddr, size_t left)
{
    size_t rest = PAGE - vaddr % PAGE;
    return left < rest ? left : rest;
}

int copy_from_user(void *to, const void *from, size_t n)
{
    uintptr_t vaddr = (uintptr_t)from;
    if (n == 0)
        return 0;
    if (!range_allowed(vaddr, n, false))
        return -EFAULT;
    for (size_t done = 0; done < n;) {
        size_t length = piece(vaddr + done, n - done);
        memcpy((char *)to + done, at(vaddr + done), length);
        done += length;
    }
    return 0;
}

int copy_to_user(void *to, const void *from, size_t n)
{
    uintptr_t vaddr = (uintptr_t)to;
    if (n == 0)
        return 0;
    if (!range_allowed(vaddr, n, true) || !make_writable(vaddr, n))
        return -EFAULT;
    for (size_t done = 0; done < n;) {
        size_t length = piece(vaddr + done, n - done);
        memcpy(at(vaddr + done), (const char *)from + done, length);
        done += length;
    }
    return 0;
}

ssize_t strncpy_from_user(char *to, const char *from, size_t n)
{
    uintptr_t vaddr = (uintptr_t)from;
    for (size_t i = 0; i < n; i++) {
        if (vaddr + i >= USER_TOP || !allowed(vaddr + i, false))
            return -EFAULT;
        to[i] = (char)*at(vaddr + i);
        if (to[i] == 0)
            return (ssize_t)i;
    }
    return (ssize_t)n;
}

ssize_t strnlen_user(const char *str, size_t max_len)
{
    uintptr_t vaddr = (uintptr_t)str;
    for (size_t i = 0; i < max_len; i++) {
        if (vaddr + i >= USER_TOP || !allowed(vaddr + i, false))
            return -EFAULT;
        if (*at(vaddr + i) == 0)
            return (ssize_t)i;
    }
    return (ssize_t)max_len;
}

bool validate_user_pointer(const void *ptr, size_t size, bool write)
{
    return ptr && range_allowed((uintptr_t)ptr, size, write);
}

bool validate_user_buffer(const void *ptr, size_t size, bool write)
{
    return ptr && range_allowed((uintptr_t)ptr, size, write) && (!write || make_writable((uintptr_t)ptr, size));
}
