/* Pages, in a free list that runs through them. */
#include "defs.h"

void *memset(void *, int, unsigned long);

extern char end[]; /* first address after the kernel, from the linker script */

struct run { struct run *next; };
static struct run *freelist;
uint free_pages;

void kinit(void *start, void *stop)
{
    for (char *page = start; page + PGSIZE <= (char *)stop; page += PGSIZE)
        kfree(page);
}

void kfree(char *page)
{
    if ((addr)page % PGSIZE || page < end || V2P(page) >= PHYSTOP)
        panic("kfree");
    memset(page, 1, PGSIZE); /* junk, to catch who still uses it */
    struct run *run = (struct run *)page;
    acquire(0);
    run->next = freelist;
    freelist = run;
    free_pages++;
    release(0);
}

char *kalloc(void)
{
    acquire(0);
    struct run *run = freelist;
    if (run) {
        freelist = run->next;
        free_pages--;
    } else
        cprintf("kalloc: out of memory\n");
    release(0);
    return (char *)run;
}
