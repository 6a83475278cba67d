/* Slabs: a buddy block cut into objects. Which are free is a stack of numbers outside of the objects. */
#include <string.h>

#include "mm.h"

#define CACHES 64
#define OBJECTS 512

struct slab {
    slab_cache_t *cache;
    struct slab *next, *previous;
    unsigned char *objects;
    size_t count, free;
    uint16_t stack[OBJECTS];
    bool used[OBJECTS];
};

struct slab_cache {
    bool live;
    char name[32];
    size_t size, stride, block, per_slab, slabs;
    void (*ctor)(void *), (*dtor)(void *);
    struct slab *partial, *full; /* partial: with a free object */
};

static slab_cache_t caches[CACHES];
static struct slab slabs[HEAP_PAGES]; /* by the first page of the block */
static uint16_t first_page[HEAP_PAGES]; /* of the slab that a page is in, plus 1 */

static size_t page_of(const void *ptr)
{
    return ((uintptr_t)ptr - (uintptr_t)ram - HEAP_START) / PAGE;
}

static void link_to(struct slab **list, struct slab *slab)
{
    slab->previous = NULL;
    slab->next = *list;
    if (*list)
        (*list)->previous = slab;
    *list = slab;
}

static void unlink_from(struct slab **list, struct slab *slab)
{
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        *list = slab->next;
    if (slab->next)
        slab->next->previous = slab->previous;
}

slab_cache_t *slab_cache_create(const char *name, size_t size, size_t align, void (*ctor)(void *), void (*dtor)(void *))
{
    if (align == 0)
        align = sizeof(void *);
    if (size == 0 || align & (align - 1) || align > PAGE || size > 64 * PAGE)
        return NULL;
    slab_cache_t *cache = caches;
    while (cache < caches + CACHES && cache->live)
        cache++;
    if (cache == caches + CACHES)
        return NULL;
    memset(cache, 0, sizeof *cache);
    cache->live = true;
    for (size_t i = 0; name && name[i] && i < sizeof cache->name - 1; i++)
        cache->name[i] = name[i];
    cache->size = size;
    cache->stride = (size + align - 1) & ~(align - 1);
    cache->block = PAGE;
    while (cache->block < 4 * cache->stride)
        cache->block *= 2;
    cache->per_slab = cache->block / cache->stride < OBJECTS ? cache->block / cache->stride : OBJECTS;
    cache->ctor = ctor;
    cache->dtor = dtor;
    return cache;
}

static struct slab *grow(slab_cache_t *cache)
{
    unsigned char *block = buddy_alloc(cache->block);
    if (block == NULL)
        return NULL;
    struct slab *slab = &slabs[page_of(block)];
    memset(slab, 0, sizeof *slab);
    slab->cache = cache;
    slab->objects = block;
    slab->count = slab->free = cache->per_slab;
    for (size_t i = 0; i < slab->count; i++) {
        slab->stack[i] = (uint16_t)(slab->count - 1 - i);
        if (cache->ctor)
            cache->ctor(block + i * cache->stride);
    }
    for (size_t i = 0; i < cache->block / PAGE; i++)
        first_page[page_of(block) + i] = (uint16_t)(page_of(block) + 1);
    cache->slabs++;
    link_to(&cache->partial, slab);
    return slab;
}

static void give_back(struct slab *slab)
{
    slab_cache_t *cache = slab->cache;
    unlink_from(&cache->partial, slab);
    for (size_t i = 0; cache->dtor && i < slab->count; i++)
        cache->dtor(slab->objects + i * cache->stride);
    for (size_t i = 0; i < cache->block / PAGE; i++)
        first_page[page_of(slab->objects) + i] = 0;
    cache->slabs--;
    slab->cache = NULL;
    buddy_free(slab->objects);
}

static bool known(slab_cache_t *cache)
{
    return cache >= caches && cache < caches + CACHES && cache->live;
}

void *slab_alloc(slab_cache_t *cache)
{
    if (!known(cache)) {
        report("slab_alloc from what is no cache");
        return NULL;
    }
    struct slab *slab = cache->partial ? cache->partial : grow(cache);
    if (slab == NULL)
        return NULL;
    size_t number = slab->stack[--slab->free];
    slab->used[number] = true;
    if (slab->free == 0) {
        unlink_from(&cache->partial, slab);
        link_to(&cache->full, slab);
    }
    return slab->objects + number * cache->stride;
}

bool slab_contains(const void *ptr)
{
    uintptr_t offset = (uintptr_t)ptr - (uintptr_t)ram - HEAP_START;
    return offset < HEAP_PAGES * PAGE && first_page[offset / PAGE] != 0;
}

static struct slab *slab_of(const void *ptr)
{
    if (!slab_contains(ptr))
        return NULL;
    struct slab *slab = &slabs[first_page[page_of(ptr)] - 1];
    size_t distance = (size_t)((const unsigned char *)ptr - slab->objects), number = distance / slab->cache->stride;
    return distance % slab->cache->stride == 0 && number < slab->count && slab->used[number] ? slab : NULL;
}

slab_cache_t *slab_owner(void *ptr)
{
    struct slab *slab = slab_of(ptr);
    return slab ? slab->cache : NULL;
}

size_t slab_object_size(slab_cache_t *cache)
{
    return cache->size;
}

void slab_free(slab_cache_t *cache, void *ptr)
{
    struct slab *slab = slab_of(ptr);
    if (slab == NULL || slab->cache != cache) {
        report("slab_free of what is no object of the cache");
        return;
    }
    size_t number = (size_t)((unsigned char *)ptr - slab->objects) / cache->stride;
    slab->used[number] = false;
    slab->stack[slab->free++] = (uint16_t)number;
    if (slab->free == 1) {
        unlink_from(&cache->full, slab);
        link_to(&cache->partial, slab);
    }
    if (slab->free == slab->count && cache->slabs > 1)
        give_back(slab);
}

static size_t shrink(slab_cache_t *cache)
{
    size_t pages = 0;
    for (struct slab *slab = cache->partial, *next; slab; slab = next) {
        next = slab->next;
        if (slab->free == slab->count) {
            pages += cache->block / PAGE;
            give_back(slab);
        }
    }
    return pages;
}

void slab_cache_destroy(slab_cache_t *cache)
{
    if (cache == NULL)
        return;
    if (!known(cache)) {
        report("slab_cache_destroy of what is no cache");
        return;
    }
    shrink(cache);
    if (cache->slabs) {
        report("slab_cache_destroy with live objects");
        return;
    }
    cache->live = false;
}

size_t slab_shrink_caches(void)
{
    size_t pages = 0;
    for (slab_cache_t *cache = caches; cache < caches + CACHES; cache++)
        if (cache->live)
            pages += shrink(cache);
    return pages;
}
