/* Slabs: a page of objects each, its header at the start, its free objects in a list. */
#include "mm.h"

struct slab {
    struct slab *next;
    kmem_cache_t *cache;
    void *free; /* the first word of a free object is the next one */
    unsigned in_use;
};

struct kmem_cache {
    size_t size, first; /* of an object; where the first one is in a slab */
    void (*ctor)(void *);
    struct slab *partial; /* slabs with a free object */
};

static kmem_cache_t caches[32];
static unsigned cache_count;
static spinlock_t lock;

kmem_cache_t *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags, void (*ctor)(void *))
{
    (void)flags;
    if (align < sizeof(void *))
        align = sizeof(void *);
    size = (size + align - 1) & ~(align - 1);
    size_t first = (sizeof(struct slab) + align - 1) & ~(align - 1);
    if (align & (align - 1) || size == 0 || size > PAGE_SIZE || first > PAGE_SIZE - size || cache_count == 32) {
        kprintf("no cache for %s\n", name);
        return NULL;
    }
    kmem_cache_t *cache = &caches[cache_count++];
    cache->size = size;
    cache->first = first;
    cache->ctor = ctor;
    return cache;
}

static struct slab *slab_of(void *object)
{
    return (struct slab *)((uintptr_t)object & ~(uintptr_t)(PAGE_SIZE - 1));
}

static struct slab *grow(kmem_cache_t *cache)
{
    struct slab *slab = buddy_alloc(PAGE_SIZE);
    if (slab == NULL)
        return NULL;
    *slab = (struct slab){ .cache = cache };
    for (size_t at = cache->first; at + cache->size <= PAGE_SIZE; at += cache->size) {
        void **object = (void **)((char *)slab + at);
        *object = slab->free;
        slab->free = object;
    }
    slab->next = cache->partial;
    cache->partial = slab;
    return slab;
}

void *kmem_cache_alloc(kmem_cache_t *cache, unsigned flags)
{
    (void)flags;
    spin_lock(&lock);
    struct slab *slab = cache->partial ? cache->partial : grow(cache);
    void **object = slab ? slab->free : NULL;
    if (object) {
        slab->free = *object;
        slab->in_use++;
        if (slab->free == NULL)
            cache->partial = slab->next;
    }
    spin_unlock(&lock);
    if (object && cache->ctor)
        cache->ctor(object);
    return object;
}

/* Takes a slab out of the list of those with free objects. */
static void unlink_slab(kmem_cache_t *cache, struct slab *slab)
{
    struct slab **link = &cache->partial;
    while (*link != slab)
        link = &(*link)->next;
    *link = slab->next;
}

void kmem_cache_free(kmem_cache_t *cache, void *object)
{
    struct slab *slab = slab_of(object);
    if (slab->cache != cache)
        panic("an object of another cache");
    spin_lock(&lock);
    if (slab->free == NULL) {
        slab->next = cache->partial;
        cache->partial = slab;
    }
    *(void **)object = slab->free;
    slab->free = object;
    if (--slab->in_use == 0) {
        unlink_slab(cache, slab);
        cache->partial = NULL;
        buddy_free(slab);
    }
    spin_unlock(&lock);
}
