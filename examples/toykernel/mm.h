/* Memory of a toy kernel: what its other parts include. */
#ifndef MM_H
#define MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096
#define RAM_SIZE (8 << 20)
#define FRAMES (RAM_SIZE / PAGE_SIZE)
#define USER_END 0xC0000000

#define PTE_PRESENT 1
#define PTE_WRITABLE 2
#define PTE_USER 4
#define PTE_COW 0x200
#define EFAULT 14
#define ENOMEM 12
#define EEXIST 17

typedef struct { int locked; } spinlock_t;
void spin_lock(spinlock_t *lock); /* kernel/lock.c */
void spin_unlock(spinlock_t *lock);
void kprintf(const char *format, ...); /* drivers/console.c */
void panic(const char *why);

/* pmm.c: frames, by number. Each has a count of who holds it. */
extern unsigned char ram[RAM_SIZE];
void pmm_init(void);
uint32_t pmm_alloc(void);
void pmm_get(uint32_t frame);
void pmm_put(uint32_t frame);
int pmm_count(uint32_t frame);
size_t pmm_free_count(void);

/* vmm.c: two-level page tables. A mapping owns its frame: it goes with the mapping. */
struct space { uint32_t *directory; };
extern struct space *current_space;
struct space *space_create(void);
struct space *space_fork(struct space *parent);
void space_destroy(struct space *space);
int vmm_map(struct space *space, uint32_t vaddr, uint32_t frame, uint32_t flags);
void vmm_unmap(struct space *space, uint32_t vaddr);
uint32_t *vmm_entry(struct space *space, uint32_t vaddr); /* NULL without a table */

/* usercopy.c */
int copy_from_user(void *to, const void *from, size_t n);
int copy_to_user(void *to, const void *from, size_t n);

/* buddy.c: blocks of 4 KiB to 4 MiB */
void buddy_init(void *start, size_t size);
void *buddy_alloc(size_t size);
void buddy_free(void *block);

/* slab.c: objects of one size */
typedef struct kmem_cache kmem_cache_t;
kmem_cache_t *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags, void (*ctor)(void *));
void *kmem_cache_alloc(kmem_cache_t *cache, unsigned flags);
void kmem_cache_free(kmem_cache_t *cache, void *object);

#endif
