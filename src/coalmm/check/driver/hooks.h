/* Constructors and destructors that write a pattern. Also part of every reproducer. */
#include <stddef.h>

static size_t object_size[4];  /* what constructor k is called for */

#ifndef HOOK_EVENT
#define HOOK_EVENT(object, kind) ((void)0)
#endif
#define HOOK(k) \
    static void ctor##k(void *object) { HOOK_EVENT(object, k * 2); fill(object, object_size[k], 1000 + k); } \
    static void dtor##k(void *object) { HOOK_EVENT(object, k * 2 + 1); (void)object; }
HOOK(0)
HOOK(1)
HOOK(2)
HOOK(3)
