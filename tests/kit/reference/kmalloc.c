/* kmalloc: a slab cache for each class up to 2 KiB, a buddy block for what is larger. */
#include <string.h>

#include "mm.h"

static const size_t classes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048 };
enum { CLASSES = sizeof classes / sizeof *classes };
static slab_cache_t *class_cache[CLASSES];

void kmalloc_init(void)
{
    for (int i = 0; i < CLASSES; i++)
        class_cache[i] = slab_cache_create("kmalloc", classes[i], 8, NULL, NULL);
}

static void *allocate(size_t size, size_t align)
{
    for (int i = 0; i < CLASSES && size; i++)
        if (classes[i] >= size && classes[i] % align == 0)
            return slab_alloc(class_cache[i]);
    return buddy_alloc(size > align || size == 0 ? size : align);
}

void *kmalloc(size_t size)
{
    void *ptr = allocate(size, 1);
    tracking_note(ptr, true);
    return ptr;
}

void *kmalloc_aligned(size_t size, size_t align)
{
    if (align == 0 || align & (align - 1))
        return NULL;
    void *ptr = allocate(size, align);
    tracking_note(ptr, true);
    return ptr;
}

void *kzalloc(size_t size)
{
    void *ptr = kmalloc(size);
    if (ptr)
        memset(ptr, 0, size);
    return ptr;
}

/* The bytes of a live object; 0 for any other pointer. A slab's own block is no object. */
static size_t live_size(void *ptr)
{
    slab_cache_t *cache = slab_owner(ptr);
    return cache ? slab_object_size(cache) : slab_contains(ptr) ? 0 : buddy_block_size(ptr);
}

size_t kmalloc_size(void *ptr)
{
    if (ptr == NULL)
        return 0;
    size_t size = live_size(ptr);
    if (size == 0)
        report("kmalloc_size of what is no object");
    return size;
}

void *krealloc(void *ptr, size_t size)
{
    if (ptr == NULL)
        return kmalloc(size);
    if (size == 0) {
        kfree(ptr);
        return NULL;
    }
    size_t old = kmalloc_size(ptr);
    if (old == 0)
        return NULL;
    if (size <= old && size > old / 2)
        return ptr;
    void *new = kmalloc(size);
    if (new == NULL)
        return NULL;
    memcpy(new, ptr, old < size ? old : size);
    kfree(ptr);
    return new;
}

void kfree(void *ptr)
{
    if (ptr == NULL)
        return;
    if (live_size(ptr) == 0) {
        report("kfree of what is no object");
        return;
    }
    tracking_note(ptr, false);
    if (slab_owner(ptr))
        slab_free(slab_owner(ptr), ptr);
    else
        buddy_free(ptr);
}
