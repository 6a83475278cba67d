/* The buddy allocator: blocks of 2^order pages, one free list for each order. */
#include "mm.h"

#define ORDERS 11
#define PAGES (16 << 20 >> 12)

struct block { struct block *next, **link; };

static unsigned char *heap;
static size_t pages;
static struct block *free_list[ORDERS];
static int8_t free_order[PAGES]; /* of the free block that starts at a page; -1: none does */
static int8_t used_order[PAGES];
static spinlock_t lock;

static void push(size_t page, int order)
{
    struct block *block = (struct block *)(heap + page * PAGE_SIZE);
    block->next = free_list[order];
    block->link = &free_list[order];
    if (block->next)
        block->next->link = &block->next;
    free_list[order] = block;
    free_order[page] = (int8_t)order;
}

static void take(size_t page)
{
    struct block *block = (struct block *)(heap + page * PAGE_SIZE);
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    free_order[page] = -1;
}

void buddy_init(void *start, size_t size)
{
    heap = start;
    pages = size / PAGE_SIZE < PAGES ? size / PAGE_SIZE : PAGES;
    for (size_t page = 0; page < PAGES; page++)
        free_order[page] = used_order[page] = -1;
    for (size_t page = 0; page < pages;) {
        int order = ORDERS - 1;
        while (page + ((size_t)1 << order) > pages)
            order--;
        push(page, order);
        page += (size_t)1 << order;
    }
}

void *buddy_alloc(size_t size)
{
    int wanted = 0;
    while (wanted < ORDERS && (size_t)PAGE_SIZE << wanted < size)
        wanted++;
    spin_lock(&lock);
    int order = wanted;
    while (order < ORDERS && free_list[order] == NULL)
        order++;
    if (order >= ORDERS) {
        spin_unlock(&lock);
        return NULL;
    }
    size_t page = (size_t)((unsigned char *)free_list[order] - heap) / PAGE_SIZE;
    take(page);
    while (order > wanted)
        push(page + ((size_t)1 << --order), order);
    used_order[page] = (int8_t)wanted;
    spin_unlock(&lock);
    return heap + page * PAGE_SIZE;
}

void buddy_free(void *block)
{
    if (block == NULL)
        return;
    size_t page = (size_t)((unsigned char *)block - heap) / PAGE_SIZE;
    if (page >= pages || used_order[page] < 0 || (uintptr_t)block % PAGE_SIZE)
        panic("buddy_free of no block");
    spin_lock(&lock);
    int order = used_order[page];
    used_order[page] = -1;
    for (; order < ORDERS - 1; order++) {
        size_t buddy = page + ((size_t)1 << order);
        if (buddy >= pages || free_order[buddy] != order)
            break;
        take(buddy);
    }
    push(page, order);
    spin_unlock(&lock);
}
