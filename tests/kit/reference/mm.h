/* A correct and plain implementation of the memory management API, for the tests of the conformance kit.
 * 16 MiB of simulated RAM: frames from the lower half, the buddy heap in the upper one. */
#ifndef MM_H
#define MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE 4096u
#define RAM_SIZE (16u << 20)
#define HEAP_START (8u << 20)
#define HEAP_PAGES (8u << 8)
#define FRAMES (HEAP_START / PAGE)
#define KERNEL_FRAMES 64
#define USER_TOP 0xC0000000u

enum { ENOMEM = 12, EFAULT = 14, EEXIST = 17, EINVAL = 22, ESRCH = 3 };
enum {
    PAGE_PRESENT = 1, PAGE_WRITABLE = 2, PAGE_USER = 4, PAGE_COW = 0x200, PAGE_FLAGS = 0x37F
};

typedef struct { size_t total_frames, free_frames, reserved_frames, user_frames; } frame_stats_t;
typedef struct { size_t total_memory, free_memory, kernel_memory, user_memory, cache_memory, buffer_memory; } meminfo_t;
typedef struct { size_t virt_size, rss, shared, text, data, stack; } proc_meminfo_t;
typedef struct { size_t total_bytes, free_bytes, alloc_count, free_count, failed_alloc_count; } buddy_stats_t;
typedef struct page_directory { uint32_t entry[1024]; } page_directory_t;
typedef struct slab_cache slab_cache_t;

extern unsigned char ram[RAM_SIZE];
extern unsigned long misuses; /* calls that were not allowed, and did nothing */

void mm_init(void);
void report(const char *what);
void fail_nth(unsigned long n);
bool fails_now(void);

uintptr_t frame_alloc(void);
void frame_free(uintptr_t frame);
size_t frame_get_total_memory(void);
size_t frame_get_free_memory(void);
void frame_get_stats(frame_stats_t *stats);
bool frame_hold(uintptr_t frame);    /* one more holder; false if it is no allocated frame */
void frame_mapped(uintptr_t frame, int change);
unsigned frame_mappings(uintptr_t frame);

int paging_map_page(uintptr_t vaddr, uintptr_t paddr, uint32_t flags);
void paging_unmap_page(uintptr_t vaddr);
uintptr_t paging_get_physical(uintptr_t vaddr);
page_directory_t *paging_create_directory(void);
page_directory_t *paging_clone_directory(page_directory_t *src);
void paging_free_directory(page_directory_t *dir);
void paging_switch_directory(page_directory_t *dir);
uint32_t *paging_entry(uintptr_t vaddr); /* in the current directory; NULL without a table */
size_t paging_resident(void);

void buddy_init(void *start, size_t size);
void *buddy_alloc(size_t size);
void buddy_free(void *ptr);
void buddy_get_stats(buddy_stats_t *stats);
size_t buddy_block_size(void *ptr); /* 0 if no block starts there */

slab_cache_t *slab_cache_create(const char *name, size_t size, size_t align, void (*ctor)(void *), void (*dtor)(void *));
void slab_cache_destroy(slab_cache_t *cache);
void *slab_alloc(slab_cache_t *cache);
void slab_free(slab_cache_t *cache, void *ptr);
size_t slab_shrink_caches(void);
slab_cache_t *slab_owner(void *ptr); /* the cache of a live object; NULL if it is none */
bool slab_contains(const void *ptr); /* whether it is in the memory of a slab */
size_t slab_object_size(slab_cache_t *cache);

void kmalloc_init(void);
void *kmalloc(size_t size);
void *kmalloc_aligned(size_t size, size_t align);
void *kzalloc(size_t size);
void *krealloc(void *ptr, size_t size);
void kfree(void *ptr);
size_t kmalloc_size(void *ptr);

int copy_from_user(void *to, const void *from, size_t n);
int copy_to_user(void *to, const void *from, size_t n);
ssize_t strncpy_from_user(char *to, const char *from, size_t n);
ssize_t strnlen_user(const char *str, size_t max_len);
bool validate_user_pointer(const void *ptr, size_t size, bool write);
bool validate_user_buffer(const void *ptr, size_t size, bool write);

void get_meminfo(meminfo_t *info);
int get_proc_meminfo(pid_t pid, proc_meminfo_t *info);
void mem_dump(void *addr, size_t size);
size_t mem_check_leaks(void);
void mem_enable_tracking(void);
void mem_print_stats(void);
void tracking_note(void *ptr, bool live);

#endif
