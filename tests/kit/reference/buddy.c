/* Blocks of 2^order pages. The state of each page that starts a block is outside of it; free blocks are listed. */
#include "mm.h"

#define ORDERS 12

enum { INSIDE, FREE, USED };
struct page { unsigned char state, order; };
struct free_block { struct free_block *next, *previous; };

static unsigned char *base;
static size_t pages;
static struct page page[HEAP_PAGES];
static struct free_block *lists[ORDERS];
static buddy_stats_t statistics;

static void list_add(size_t number, unsigned order)
{
    struct free_block *block = (struct free_block *)(base + number * PAGE);
    block->previous = NULL;
    block->next = lists[order];
    if (block->next)
        block->next->previous = block;
    lists[order] = block;
    page[number].state = FREE;
    page[number].order = (unsigned char)order;
}

static void list_remove(size_t number)
{
    struct free_block *block = (struct free_block *)(base + number * PAGE);
    if (block->previous)
        block->previous->next = block->next;
    else
        lists[page[number].order] = block->next;
    if (block->next)
        block->next->previous = block->previous;
    page[number].state = INSIDE;
}

void buddy_init(void *start, size_t size)
{
    uintptr_t first = ((uintptr_t)start + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    if (base || start == NULL || size > SIZE_MAX - PAGE || (uintptr_t)start > UINTPTR_MAX - size
        || first - (uintptr_t)start > size) {
        report("buddy_init of no memory, or again");
        return;
    }
    base = (unsigned char *)first;
    pages = (size - (first - (uintptr_t)start)) / PAGE;
    if (pages > HEAP_PAGES)
        pages = HEAP_PAGES;
    statistics.total_bytes = statistics.free_bytes = pages * PAGE;
    for (size_t number = 0; number < pages;) {
        unsigned order = ORDERS - 1;
        while (number % ((size_t)1 << order) || number + ((size_t)1 << order) > pages)
            order--;
        list_add(number, order);
        number += (size_t)1 << order;
    }
}

static unsigned order_for(size_t size)
{
    unsigned order = 0;
    while (order < ORDERS && (size_t)PAGE << order < size)
        order++;
    return order;
}

void *buddy_alloc(size_t size)
{
    unsigned wanted = order_for(size), order = wanted;
    while (order < ORDERS && lists[order] == NULL)
        order++;
    if (size == 0 || order >= ORDERS || fails_now()) {
        statistics.failed_alloc_count++;
        return NULL;
    }
    size_t number = (size_t)((unsigned char *)lists[order] - base) / PAGE;
    list_remove(number);
    while (order > wanted) {
        order--;
        list_add(number + ((size_t)1 << order), order);
    }
    page[number].state = USED;
    page[number].order = (unsigned char)wanted;
    statistics.free_bytes -= (size_t)PAGE << wanted;
    statistics.alloc_count++;
    return base + number * PAGE;
}

size_t buddy_block_size(void *ptr)
{
    uintptr_t offset = (uintptr_t)ptr - (uintptr_t)base;
    if (base == NULL || offset >= pages * PAGE || offset % PAGE || page[offset / PAGE].state != USED)
        return 0;
    return (size_t)PAGE << page[offset / PAGE].order;
}

void buddy_free(void *ptr)
{
    if (ptr == NULL)
        return;
    size_t size = buddy_block_size(ptr);
    if (size == 0) {
        report("buddy_free of what is no block");
        return;
    }
    size_t number = (size_t)((unsigned char *)ptr - base) / PAGE;
    unsigned order = page[number].order;
    statistics.free_bytes += size;
    statistics.free_count++;
    page[number].state = INSIDE;
    while (order < ORDERS - 1) {
        size_t buddy = number ^ (size_t)1 << order;
        if (buddy >= pages || page[buddy].state != FREE || page[buddy].order != order)
            break;
        list_remove(buddy);
        number &= ~((size_t)1 << order);
        order++;
    }
    list_add(number, order);
}

void buddy_get_stats(buddy_stats_t *stats)
{
    if (stats)
        *stats = statistics;
    else
        report("buddy_get_stats of NULL");
}
