/* coalmm.h: the Coal OS memory management API, for C.
 *
 * Part 1 is the document: its types, constants and functions. Part 2 is what a C program needs besides.
 *
 * - The first call boots a machine of 64 MiB, if coalmm_boot has not. One process has one machine.
 * - Pointers are real. RAM is mapped into this process, and the machine's kernel addresses are where it is
 *   mapped: what kmalloc returns can be written at once. In the 32-bit paging modes that is 0xC0000000, the
 *   kernel half that the page tables have; in the 64-bit modes it is 0x100000000000, where the page tables of
 *   the machine map RAM in the upper half. If something else is mapped there, it is another place.
 *   A user address is not a pointer: only the copy functions reach what is there.
 * - What the document says can fail returns NULL or a negative errno. What would be undefined behaviour
 *   (a double free, a pointer that was never handed out) changes nothing and is reported to a hook;
 *   without one it is printed, and the process aborts.
 * - Every function may be called from any thread; one lock is around them. Not from a signal handler. After
 *   fork(), the child has no machine: a call there is reported.
 */
#ifndef COALMM_H
#define COALMM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef __user
#define __user /* marks a user address, which must not be dereferenced */
#endif

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- Part 1: the document ---- */

/* Physical Memory Management */

typedef struct {
    size_t total_frames;    /* of 4096 bytes; total == free + reserved + user */
    size_t free_frames;
    size_t reserved_frames; /* the kernel's */
    size_t user_frames;     /* those that a user mapping holds */
} frame_stats_t;

uintptr_t frame_alloc(void);            /* physical address, contents undefined; 0 if there is no frame */
void frame_free(uintptr_t frame);       /* while it is mapped, it is handed to nobody */
size_t frame_get_total_memory(void);    /* bytes */
size_t frame_get_free_memory(void);
void frame_get_stats(frame_stats_t *stats);

/* Virtual Memory Management. The flags are the bits of an x86 page-table entry (Intel SDM 3A 4.3). */

#define PAGE_PRESENT       0x001
#define PAGE_WRITABLE      0x002
#define PAGE_USER          0x004
#define PAGE_WRITE_THROUGH 0x008
#define PAGE_CACHE_DISABLE 0x010
#define PAGE_ACCESSED      0x020
#define PAGE_DIRTY         0x040
#define PAGE_HUGE          0x080 /* 4 MiB in i386 paging, 2 MiB in the others */
#define PAGE_GLOBAL        0x100
#define PAGE_COW           0x200 /* copy-on-write, for software */
#define PAGE_NX            0x8000000000000000ULL /* only with paging_map_page64 */

typedef struct page_directory page_directory_t; /* its root table, in RAM; coalmm_virt_to_phys is its CR3 */

/* 0, -EINVAL, -EEXIST (another frame is mapped there), -ENOMEM; a failure changes nothing. `flags` of
 * 32 bits cannot hold PAGE_NX: a compiler cuts it off. paging_map_page64 is the one to ask for it. */
int paging_map_page(uintptr_t vaddr, uintptr_t paddr, uint32_t flags);
void paging_unmap_page(uintptr_t vaddr);
uintptr_t paging_get_physical(uintptr_t vaddr); /* with the offset in the page; 0 if not mapped */
page_directory_t *paging_create_directory(void);
page_directory_t *paging_clone_directory(page_directory_t *src); /* user pages shared copy-on-write */
void paging_free_directory(page_directory_t *dir);
void paging_switch_directory(page_directory_t *dir);

/* Heap Management */

#define COALMM_BUDDY_ORDERS 13

typedef struct {
    size_t total_bytes;
    size_t free_bytes;
    size_t alloc_count;
    size_t free_count;
    size_t failed_alloc_count;
    size_t free_blocks[COALMM_BUDDY_ORDERS]; /* [k]: free blocks of 4096 << k bytes */
    size_t largest_free_block;               /* bytes */
} buddy_stats_t;

void buddy_init(void *start, size_t size); /* more kernel memory for the heap; the boot gave it a first region */
void *buddy_alloc(size_t size);            /* a power of two from 4 KiB to 16 MiB, aligned to itself */
void buddy_free(void *ptr);
void buddy_get_stats(buddy_stats_t *stats);

typedef struct slab_cache slab_cache_t;

/* `ctor` runs once for each object when its slab is made, `dtor` when the slab is given back. They may use
 * other caches, and must return. `align` 0 is what C needs for the size. NULL for what cannot be had. */
slab_cache_t *slab_cache_create(const char *name, size_t size, size_t align, void (*ctor)(void *),
                                void (*dtor)(void *));
void slab_cache_destroy(slab_cache_t *cache);
void *slab_alloc(slab_cache_t *cache);
void slab_free(slab_cache_t *cache, void *ptr);
size_t slab_shrink_caches(void); /* pages given back */

void *kmalloc(size_t size); /* NULL for 0 bytes */
void *kmalloc_aligned(size_t size, size_t align);
void *kzalloc(size_t size);
void *krealloc(void *ptr, size_t size); /* NULL, n allocates; ptr, 0 frees; a failure leaves ptr as it was */
void kfree(void *ptr);
size_t kmalloc_size(void *ptr); /* bytes that may be written */

/* User Memory Access: to and from the current directory. A copy moves all of its bytes or none. The kernel's
 * side may be any memory of this process. */

int copy_from_user(void *to, const void __user *from, size_t n);
int copy_to_user(void __user *to, const void *from, size_t n);
ssize_t strncpy_from_user(char *to, const char __user *from, size_t n); /* bytes without the NUL; n: no NUL */
ssize_t strnlen_user(const char __user *str, size_t max_len);           /* without the NUL, at most max_len */
bool validate_user_pointer(const void __user *ptr, size_t size, bool write);
bool validate_user_buffer(const void __user *ptr, size_t size, bool write); /* and makes the pages present */

/* Memory Information */

typedef struct {
    size_t total_memory; /* bytes; the sum of the others */
    size_t free_memory;
    size_t kernel_memory;
    size_t user_memory;
    size_t cache_memory;
    size_t buffer_memory;
} meminfo_t;

void get_meminfo(meminfo_t *info);

typedef struct {
    size_t virt_size; /* bytes */
    size_t rss;
    size_t shared;
    size_t text;
    size_t data;
    size_t stack;
} proc_meminfo_t;

int get_proc_meminfo(pid_t pid, proc_meminfo_t *info); /* 0, -EINVAL, -ESRCH, -EFAULT */

/* Memory Debugging: what prints, prints to stdout. */

void mem_dump(void *addr, size_t size); /* hex and text; ?? where nothing can be read */
size_t mem_check_leaks(void);           /* live allocations since tracking began; coalmm_print_leaks lists them */
void mem_enable_tracking(void);
void mem_print_stats(void);

/* Memory Barriers */

static inline void mb(void) { __asm__ volatile("mfence" ::: "memory"); }
static inline void rmb(void) { __asm__ volatile("lfence" ::: "memory"); }
static inline void wmb(void) { __asm__ volatile("sfence" ::: "memory"); }

/* ---- Part 2: what a C program needs besides ---- */

/* Boot a machine. Options are words, separated by spaces or commas: ram=64M, paging=i386|pae|x86_64|la57, debug
 * (red zones and poison), noheap (none until buddy_init), track (as mem_enable_tracking). NULL or "" is
 * "ram=64M paging=i386". 0; -EINVAL for any other word, -EBUSY if there is a machine, -ENOMEM, -ENOEXEC without a
 * Python that can run it; then nothing is booted, and coalmm_error says why. The first boot of a process starts a
 * Python interpreter, unless there is one. */
int coalmm_boot(const char *options);
void coalmm_shutdown(void);        /* the machine and all of its memory are gone */
const char *coalmm_error(void);    /* why the last call of this thread that failed did, NULL and
                                    * negative answers included; "" if none has */

/* Reports of misuse. The hook runs in the thread that made the call, after it was refused, with no lock held;
 * when it returns, the call returns NULL, 0, false or -EINVAL. NULL is the default: print and abort. */
enum coalmm_kind {
    COALMM_INVALID_POINTER = 1, /* never handed out, or inside an object */
    COALMM_DOUBLE_FREE = 2,
    COALMM_IN_USE = 3,     /* a cache with live objects, the current directory, frames of others */
    COALMM_CORRUPTION = 4, /* a structure in RAM or a red zone was written to */
    COALMM_INTERNAL = 5    /* an error of the manager itself */
};
typedef struct {
    enum coalmm_kind kind;
    uintptr_t address;    /* what was passed, or where the damage is */
    const char *function; /* that was called */
    const char *message;  /* what is there; with tracking on, who allocated and who freed it */
} coalmm_report_t;
typedef void (*coalmm_hook_t)(const coalmm_report_t *report, void *context);
void coalmm_set_hook(coalmm_hook_t hook, void *context);

/* The lock that is around every function, for several calls that belong together. It may be taken again by
 * the thread that has it. */
void coalmm_lock(void);
void coalmm_unlock(void);

/* Where a physical address is mapped, NULL if it is not in RAM; and back, 0 for what is not in RAM. */
void *coalmm_phys_to_virt(uintptr_t paddr);
uintptr_t coalmm_virt_to_phys(const void *ptr);

page_directory_t *coalmm_current_directory(void);

/* paging_map_page with all 64 bits of an entry's flags: PAGE_NX can be asked for, in the modes that have it. */
int paging_map_page64(uintptr_t vaddr, uintptr_t paddr, uint64_t flags);

/* Processes: an address space with areas, whose faults are handled. A pid, 0, or a negative errno. */
pid_t coalmm_process_create(const char *name);
pid_t coalmm_process_fork(pid_t pid);  /* memory shared copy-on-write */
int coalmm_process_switch(pid_t pid);  /* the user copies go to this one now; 0 is the kernel's directory */
int coalmm_process_exit(pid_t pid);    /* every frame of its own goes back */
/* As mmap and munmap, anonymous and private; `vaddr` 0 is anywhere, `rights` letters of "rwx". */
intptr_t coalmm_process_map(pid_t pid, uintptr_t vaddr, size_t size, const char *rights);
int coalmm_process_unmap(pid_t pid, uintptr_t vaddr, size_t size);

int coalmm_validate(void);           /* check every structure; 0, or -EIO and coalmm_error names what is broken */
void coalmm_fail_nth(size_t nth);    /* the nth allocation from now on fails, whatever it is; 0: none does */
void coalmm_print_leaks(void);       /* by call site, with function and line, sizes and ages */
int coalmm_save(const char *path);   /* an image for `coalmm info` and coalmm.attach; 0 or a negative errno */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
