/* The rows of the bad-input table about user access, information, debugging and all functions, through C. */
#include "check.h"

#include <sys/mman.h>

#define COUNT(array) (sizeof array / sizeof array[0])
#define AREA ((char *)USER)

static uintptr_t user_top;

/* A process with three writable pages at USER, the current one. */
static pid_t process(void)
{
    pid_t pid = coalmm_process_create("user");
    CHECK(pid > 0 && coalmm_process_switch(pid) == 0);
    CHECK(coalmm_process_map(pid, USER, 3 * PAGE, "rw") == (intptr_t)USER);
    user_top = strstr(OPTIONS, "x86_64") ? 1ul << 47 : strstr(OPTIONS, "la57") ? 1ul << 56 : 0xC0000000ul;
    return pid;
}

/* Both copies answer -EFAULT and move nothing. */
static void both_fault(const void *user, size_t n)
{
    unsigned char kernel[64];
    memset(kernel, 5, sizeof kernel);
    CHECK(copy_from_user(kernel, user, n) == -EFAULT && all_are(kernel, sizeof kernel, 5));
    CHECK(copy_to_user((void *)user, kernel, n) == -EFAULT);
    CHECK(reports == 0);
}

TEST(b213_b214_b215_b216_b217_b218_b226_b228_b229_b230_b231_b232_b233_b241_ranges_that_are_not_the_users)
{
    scene();
    process();
    char *kernel = kmalloc(64);
    UNCHANGED(CHECK(copy_from_user(kernel, NULL, 0) == 0 && copy_to_user(NULL, kernel, 0) == 0));
    UNCHANGED(CHECK(copy_from_user(NULL, kernel, 0) == 0 && copy_to_user(kernel, NULL, 0) == 0));
    struct counts before = counts(), after;
    both_fault(NULL, 8);
    both_fault(kernel, 8);
    both_fault((void *)user_top, 8);
    both_fault((void *)(user_top - 8), 16);
    both_fault(coalmm_phys_to_virt(0), 8);
    const size_t wrapping[] = {SIZE_MAX, SIZE_MAX - (uintptr_t)USER + 2, 1ul << 63, 1ul << 31, 1ul << 32, 1ul << 62};
    for (size_t i = 0; i < COUNT(wrapping); i++)
        both_fault(AREA, wrapping[i]);
    both_fault((void *)(1ul << 62), 8);
    both_fault((void *)0x0000800000000000ul, 8);
    both_fault((void *)SIZE_MAX, 1);
    after = counts();
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    works();
}

TEST(b219_b220_b221_b222_b224_b234_b235_b236_b237_b239_pages_that_can_and_cannot_be_reached)
{
    unsigned char out[3 * PAGE], in[3 * PAGE];
    pid_t pid = process();
    CHECK(copy_from_user(in, AREA + 2 * PAGE, 8) == 0 && all_are(in, 8, 0)); /* a demand-zero page */
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (unsigned char)(i * 7);
    CHECK(copy_to_user(AREA + 4095, out, 2 * PAGE) == 0);
    CHECK(copy_from_user(in, AREA + 4095, 2 * PAGE) == 0 && memcmp(in, out, 2 * PAGE) == 0);
    CHECK(coalmm_process_unmap(pid, USER + PAGE, PAGE) == 0);
    memset(in, 1, sizeof in);
    CHECK(copy_from_user(in, AREA + PAGE - 8, 16) == -EFAULT && all_are(in, 16, 1)); /* all or nothing */
    CHECK(copy_to_user(AREA + PAGE - 8, in, 16) == -EFAULT);
    CHECK(copy_from_user(in, AREA + PAGE - 8, 8) == 0 && !all_are(in, 8, 1));
    intptr_t none = coalmm_process_map(pid, 0, PAGE, "");
    CHECK(none > 0);
    both_fault((void *)none, 8);
    CHECK(coalmm_process_switch(0) == 0);
    mapped(USER, PAGE_PRESENT | PAGE_WRITABLE, 3);
    both_fault(AREA, 8);
    paging_unmap_page(USER);
    works();
}

TEST(b223_b238_without_memory_for_a_demand_page)
{
    unsigned char byte = 1;
    process();
    size_t count = exhaust();
    CHECK(copy_to_user(AREA, &byte, 1) == -EFAULT && copy_from_user(&byte, AREA, 1) == -EFAULT && byte == 1);
    CHECK(frame_get_free_memory() == 0 && coalmm_validate() == 0);
    give_back(count);
    CHECK(copy_to_user(AREA, &byte, 1) == 0);
    works();
}

TEST(b225_b240_kernel_buffers_that_are_not_there)
{
    scene();
    process();
    CHECK(copy_to_user(AREA, "something", 9) == 0);
    char *hole = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(hole + PAGE, 2 * PAGE);
    void *wrong[] = {NULL, (void *)1, (void *)(1ul << 63), (void *)SIZE_MAX, hole + PAGE, hole + PAGE - 4};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        reports = 0;
        CHECK(copy_from_user(wrong[i], AREA, 8) == -EINVAL && reports == 1);
        CHECK(last_report.kind == COALMM_INVALID_POINTER);
        CHECK(copy_to_user(AREA, wrong[i], 8) == -EINVAL && reports == 2);
    }
    mprotect(hole, PAGE, PROT_READ);
    reports = 0;
    CHECK(copy_from_user(hole, AREA, 8) == -EINVAL && reports == 1);
    CHECK(copy_to_user(AREA, hole, 8) == 0);
    CHECK(strncpy_from_user(hole, AREA, 8) == -EINVAL && reports == 2);
    munmap(hole, PAGE);
    works();
}

TEST(b243_b244_b245_b246_b247_writes_to_pages_that_are_not_just_writable)
{
    unsigned char byte = 7, pages[2 * PAGE] = {0};
    pid_t pid = process();
    intptr_t read_only = coalmm_process_map(pid, USER + 3 * PAGE, PAGE, "r");
    CHECK(read_only == (intptr_t)USER + 3 * PAGE);
    CHECK(copy_to_user((void *)read_only, &byte, 1) == -EFAULT);
    CHECK(copy_to_user(AREA + 3 * PAGE - 8, pages, 16) == -EFAULT); /* writable, then read-only: nothing moves */
    CHECK(copy_from_user(&byte, (void *)read_only, 1) == 0 && byte == 0);
    CHECK(copy_to_user(AREA, "parent", 6) == 0);
    pid_t child = coalmm_process_fork(pid);
    CHECK(coalmm_process_switch(child) == 0 && copy_to_user(AREA, "child!", 6) == 0);
    CHECK(copy_from_user(pages, AREA, 6) == 0 && memcmp(pages, "child!", 6) == 0);
    CHECK(coalmm_process_switch(pid) == 0);
    CHECK(copy_from_user(pages, AREA, 6) == 0 && memcmp(pages, "parent", 6) == 0);
    CHECK(copy_from_user(pages, AREA + PAGE, 8) == 0 && all_are(pages, 8, 0)); /* read first: zero, then its own */
    CHECK(copy_to_user(AREA + PAGE, "own", 3) == 0 && copy_from_user(pages, AREA + 2 * PAGE, 8) == 0 && all_are(pages, 8, 0));
    CHECK(coalmm_process_exit(child) == 0);
    works();
}

TEST(b248_b249_b250_b251_b252_b253_b254_b255_b256_b257_b258_b259_strings_are_copied)
{
    char to[64], end[16];
    process();
    char *last = AREA + 3 * PAGE - 8; /* the last 8 bytes that are mapped */
    scene();
    memset(to, 'x', sizeof to);
    CHECK(copy_to_user(last, "nonulnon", 8) == 0);
    CHECK(strncpy_from_user(to, last, 9) == -EFAULT && strncpy_from_user(to, last, SIZE_MAX) == -EFAULT);
    CHECK(to[0] == 'x');
    CHECK(strncpy_from_user(to, last, 8) == 8 && to[8] == 'x');
    CHECK(copy_to_user(last, "sevench", 8) == 0);
    CHECK(strncpy_from_user(to, last, 8) == 7 && strcmp(to, "sevench") == 0);
    CHECK(strncpy_from_user(to, last, SIZE_MAX) == 7 && to[8] == 'x');
    CHECK(strncpy_from_user(to, last, 7) == 7 && to[7] == 0 && to[8] == 'x');
    memset(to, 'x', sizeof to);
    CHECK(strncpy_from_user(to, last, 7) == 7 && to[7] == 'x');
    CHECK(strncpy_from_user(to, last, 0) == 0 && strncpy_from_user((char *)1, last, 0) == 0 && reports == 0);
    CHECK(copy_to_user(AREA, "", 1) == 0 && strncpy_from_user(to, AREA, 10) == 0 && to[0] == 0 && to[1] == 'e');
    const char *wrong[] = {NULL, (char *)live.small[1], (char *)(1ul << 62), (char *)user_top, (char *)0x800000000000ul};
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK(strncpy_from_user(to, wrong[i], 10) == -EFAULT && strnlen_user(wrong[i], 10) == -EFAULT);
    CHECK(copy_to_user(AREA + PAGE - 4, "across pages", 13) == 0);
    CHECK(strncpy_from_user(to, AREA + PAGE - 4, sizeof to) == 12 && strcmp(to, "across pages") == 0);
    CHECK(coalmm_process_switch(0) == 0);
    mapped(user_top - PAGE, RW, 'e');
    CHECK(strncpy_from_user(end, (char *)user_top - 8, 16) == -EFAULT); /* it goes on in the kernel */
    CHECK(strncpy_from_user(end, (char *)user_top - 8, 8) == 8);
    paging_unmap_page(user_top - PAGE);
    works();
}

TEST(b260_b261_b262_b263_b264_b265_b266_b267_lengths_of_strings)
{
    process();
    char *last = AREA + 3 * PAGE - 6;
    CHECK(copy_to_user(last, "hello", 6) == 0);
    CHECK(strnlen_user(last, 100) == 5 && strnlen_user(last, 5) == 5 && strnlen_user(last, 3) == 3);
    CHECK(strnlen_user(last, SIZE_MAX) == 5 && strnlen_user(last, 0) == 0 && strnlen_user(NULL, 0) == 0);
    CHECK(strnlen_user(AREA + 3 * PAGE, 4) == -EFAULT && strnlen_user((char *)kmalloc(8), 4) == -EFAULT);
    CHECK(copy_to_user(last + 5, "!", 1) == 0);
    CHECK(strnlen_user(last, 100) == -EFAULT && strnlen_user(last, 6) == 6);
    CHECK(reports == 0);
    works();
}

#define ROWS(check)                                                                                              \
    do {                                                                                                         \
        pid_t pid = process();                                                                                   \
        CHECK(!check(NULL, 8, false) && !check(live.small[2], 8, false) && !check((void *)user_top, 1, false));   \
        CHECK(!check((void *)(user_top - 8), 16, false) && !check(AREA, SIZE_MAX, false));                        \
        CHECK(!check(AREA, SIZE_MAX - USER + 2, false) && !check((void *)(1ul << 62), 8, false));                 \
        CHECK(check(AREA, 3 * PAGE, true) && check(AREA, 3 * PAGE, false) && !check(AREA, 3 * PAGE + 1, false));  \
        CHECK(check(AREA, 0, true) && !check(NULL, 0, false) && !check(live.small[2], 0, false));                 \
        CHECK(copy_to_user(AREA, "x", 1) == 0);                                                                  \
        pid_t child = coalmm_process_fork(pid);                                                                  \
        CHECK(child > 0 && check(AREA, 1, true)); /* copy-on-write */                                            \
        CHECK(coalmm_process_exit(child) == 0);                                                                  \
        CHECK(coalmm_process_unmap(pid, USER + PAGE, PAGE) == 0);                                                \
        CHECK(!check(AREA, 3 * PAGE, false) && check(AREA, PAGE, true));                                          \
        CHECK(coalmm_process_map(pid, USER + PAGE, PAGE, "r") == (intptr_t)USER + PAGE);                          \
        CHECK(check(AREA, 3 * PAGE, false) && !check(AREA, 3 * PAGE, true));                                      \
        CHECK(coalmm_process_unmap(pid, USER, PAGE) == 0);                                                       \
        CHECK(copy_to_user(AREA, "x", 1) == -EFAULT); /* what was valid before is no promise */                  \
        CHECK(coalmm_process_switch(0) == 0);                                                                    \
        mapped(USER, PAGE_PRESENT | PAGE_WRITABLE, 1);                                                           \
        CHECK(!check(AREA, 1, false) && reports == 0);                                                           \
        paging_unmap_page(USER);                                                                                 \
        CHECK(coalmm_process_exit(pid) == 0);                                                                    \
    } while (0)

TEST(b268_b269_b270_b271_b272_b273_b274_b275_b276_b277_b278_b280_validation_of_pointers)
{
    scene();
    ROWS(validate_user_pointer);
    pid_t pid = process();
    UNCHANGED(CHECK(validate_user_pointer(AREA, 3 * PAGE, true) && !validate_user_pointer(NULL, 8, true))); /* B279 */
    CHECK(coalmm_process_exit(pid) == 0);
    works();
}

TEST(b281_b282_b283_b284_b285_b286_b287_b288_b289_b290_b291_b293_validation_of_buffers)
{
    scene();
    ROWS(validate_user_buffer);
    works();
}

TEST(b294_b295_b296_information)
{
    meminfo_t info;
    UNCHANGED(get_meminfo(NULL));
    for (int round = 0; round < 2; round++) {
        size_t count = exhaust();
        get_meminfo(&info);
        CHECK(info.free_memory == 0 && info.total_memory == frame_get_total_memory());
        CHECK(info.total_memory ==
              info.kernel_memory + info.user_memory + info.cache_memory + info.buffer_memory + info.free_memory);
        give_back(count);
        get_meminfo(&info);
        CHECK(info.free_memory == frame_get_free_memory());
    }
    REPORTED(COALMM_INVALID_POINTER, get_meminfo((meminfo_t *)1));
    REPORTED(COALMM_INVALID_POINTER, frame_get_stats((frame_stats_t *)(1ul << 63)));
    REPORTED(COALMM_INVALID_POINTER, buddy_get_stats((buddy_stats_t *)SIZE_MAX));
    works();
}

TEST(b297_b298_b299_b300_b301_b302_information_about_processes)
{
    proc_meminfo_t info;
    pid_t pid = process();
    CHECK(get_proc_meminfo(-1, &info) == -EINVAL && get_proc_meminfo(0, &info) == -EINVAL);
    CHECK(get_proc_meminfo(12345, &info) == -ESRCH && get_proc_meminfo(0x7fffffff, &info) == -ESRCH);
    CHECK(get_proc_meminfo(pid, NULL) == -EFAULT && reports == 0);
    REPORTED(COALMM_INVALID_POINTER, CHECK(get_proc_meminfo(pid, (proc_meminfo_t *)1) == -EINVAL));
    CHECK(copy_to_user(AREA, "x", 1) == 0 && get_proc_meminfo(pid, &info) == 0);
    CHECK(info.virt_size == 3 * PAGE && info.rss == PAGE && info.text + info.data + info.stack <= info.virt_size);
    pid_t child = coalmm_process_fork(pid);
    CHECK(get_proc_meminfo(child, &info) == 0 && info.rss == PAGE);
    CHECK(coalmm_process_exit(child) == 0 && get_proc_meminfo(child, &info) == 0 && info.virt_size == 0);
    CHECK(coalmm_process_unmap(pid, USER, 3 * PAGE) == 0 && get_proc_meminfo(pid, &info) == 0 && info.rss == 0);
    works();
}

TEST(b303_b304_b305_b306_b307_dumps)
{
    int here = 5;
    UNCHANGED(mem_dump(&here, 0));
    REPORTED(COALMM_INVALID_POINTER, mem_dump(NULL, 16));
    char *object = kmalloc(64);
    memset(object, 0xFF, 64);
    UNCHANGED(mem_dump(object, 64); mem_dump(object, SIZE_MAX); mem_dump((void *)16, 64); mem_dump(&here, 4);
              mem_dump((void *)SIZE_MAX, 64); mem_dump((void *)(1ul << 63), 64); mem_dump((void *)1, 1));
    kfree(object);
    works();
}

TEST(b308_b309_b310_b311_b312_b313_b315_tracking)
{
    void *before = kmalloc(10), *other = kmalloc(10);
    CHECK(mem_check_leaks() == 0);
    mem_enable_tracking();
    mem_enable_tracking();
    CHECK(mem_check_leaks() == 0);
    void *counted = kmalloc(10);
    kfree(before);
    CHECK(mem_check_leaks() == 1);
    reports = 0;
    kfree(before);
    CHECK(reports == 1 && mem_check_leaks() == 1);
    kfree(counted);
    kfree(other);
    CHECK(mem_check_leaks() == 0);
    coalmm_shutdown();
    mem_print_stats(); /* before initialisation: it boots a machine */
    works();
}

/* every function */

TEST(b317_random_calls_against_a_model)
{
    /* What is live, by kind; every return value is what the model says. */
    enum { OBJECT, BLOCK, FRAME, KINDS };
    static struct { int kind; unsigned char *memory; size_t size; } model[400];
    static uintptr_t pages[64]; /* what the page at USER + i * PAGE is mapped to */
    unsigned state = 12345;
    int count = 0;
    size_t frames_live = 0;
    memset(pages, 0, sizeof pages);
    size_t start = free_memory();
    for (int step = 0; step < 20000; step++) {
        state = state * 1664525u + 1013904223u;
        unsigned choice = state >> 28, value = state >> 8 & 0xFFFF;
        if (choice < 6 && count < 400) {
            int kind = choice < 4 ? OBJECT : choice == 4 ? BLOCK : FRAME;
            size_t size = kind == OBJECT ? value % 3000 + 1 : PAGE;
            uintptr_t frame = kind == FRAME ? frame_alloc() : 0;
            unsigned char *memory = kind == OBJECT ? kmalloc(size) : kind == BLOCK ? buddy_alloc(size)
                                                                                   : coalmm_phys_to_virt(frame);
            if (memory == NULL || (kind == FRAME && frame == 0))
                continue;
            CHECK(kind != OBJECT || kmalloc_size(memory) >= size);
            memset(memory, count & 0xFF, size);
            model[count].kind = kind;
            model[count].memory = memory;
            model[count++].size = size;
            frames_live += kind == FRAME;
        } else if (choice < 12 && count > 0) {
            int at = (int)(value % (unsigned)count);
            CHECK(all_are(model[at].memory, model[at].size, model[at].memory[0]));
            switch (model[at].kind) {
            case OBJECT: kfree(model[at].memory); break;
            case BLOCK: buddy_free(model[at].memory); break;
            default: frame_free(coalmm_virt_to_phys(model[at].memory)); frames_live--;
            }
            model[at] = model[--count];
        } else if (choice < 14) {
            int page = value % 64;
            uintptr_t frame = frame_alloc();
            if (frame == 0)
                continue;
            int result = paging_map_page(USER + page * PAGE, frame, RW);
            CHECK(result == (pages[page] ? -EEXIST : 0) || result == -ENOMEM);
            if (result == 0)
                pages[page] = frame;
            frame_free(frame);
        } else {
            int page = value % 64;
            CHECK(paging_get_physical(USER + page * PAGE + 5) == (pages[page] ? pages[page] + 5 : 0));
            paging_unmap_page(USER + page * PAGE);
            pages[page] = 0;
        }
        if (step % 1000 == 0)
            CHECK(coalmm_validate() == 0);
    }
    while (count-- > 0)
        switch (model[count].kind) {
        case OBJECT: kfree(model[count].memory); break;
        case BLOCK: buddy_free(model[count].memory); break;
        default: frame_free(coalmm_virt_to_phys(model[count].memory));
        }
    for (int page = 0; page < 64; page++)
        paging_unmap_page(USER + page * PAGE);
    CHECK(reports == 0 && free_memory() == start);
    works();
}

TEST(b322_every_function_works_before_a_boot)
{
    frame_stats_t frame_stats;
    buddy_stats_t buddy_stats;
    meminfo_t info;
    proc_meminfo_t usage;
    char text[8];
#define FIRST(statement) do { coalmm_shutdown(); statement; CHECK(reports == 0); } while (0)
    FIRST(CHECK(frame_alloc() != 0));
    FIRST(CHECK(frame_get_total_memory() > 0));
    FIRST(CHECK(frame_get_free_memory() > 0));
    FIRST(frame_get_stats(&frame_stats));
    FIRST(CHECK(paging_map_page(USER, 0, RW) == -EINVAL));
    FIRST(CHECK(paging_map_page64(USER, 0, RW) == -EINVAL));
    FIRST(paging_unmap_page(USER));
    FIRST(CHECK(paging_get_physical(USER) == 0));
    FIRST(CHECK(paging_create_directory() != NULL));
    FIRST(CHECK(paging_clone_directory(NULL) == NULL));
    FIRST(paging_free_directory(NULL));
    FIRST(CHECK(buddy_alloc(1) != NULL));
    FIRST(buddy_free(NULL));
    FIRST(buddy_get_stats(&buddy_stats));
    FIRST(CHECK(slab_cache_create("x", 8, 0, NULL, NULL) != NULL));
    FIRST(slab_cache_destroy(NULL));
    FIRST(CHECK(slab_alloc(NULL) == NULL));
    FIRST(CHECK(slab_shrink_caches() < 100));
    FIRST(CHECK(kmalloc(1) != NULL));
    FIRST(CHECK(kmalloc_aligned(1, 64) != NULL));
    FIRST(CHECK(kzalloc(1) != NULL));
    FIRST(CHECK(krealloc(NULL, 1) != NULL));
    FIRST(kfree(NULL));
    FIRST(CHECK(kmalloc_size(NULL) == 0));
    FIRST(CHECK(copy_from_user(text, AREA, 1) == -EFAULT));
    FIRST(CHECK(copy_to_user(AREA, text, 1) == -EFAULT));
    FIRST(CHECK(strncpy_from_user(text, AREA, 8) == -EFAULT));
    FIRST(CHECK(strnlen_user(AREA, 8) == -EFAULT));
    FIRST(CHECK(!validate_user_pointer(AREA, 1, false)));
    FIRST(CHECK(!validate_user_buffer(AREA, 1, false)));
    FIRST(get_meminfo(&info));
    FIRST(CHECK(get_proc_meminfo(1, &usage) == -ESRCH));
    FIRST(mem_dump(text, 8));
    FIRST(CHECK(mem_check_leaks() == 0));
    FIRST(mem_enable_tracking());
    FIRST(mem_print_stats());
    FIRST(CHECK(coalmm_validate() == 0 && coalmm_process_create("first") == 1));
    coalmm_shutdown();
    kfree((void *)0xC0405000ul); /* of a machine that is gone */
    CHECK(reports == 1);
}

TEST(b323_every_pointer_argument)
{
    scene();
    void *wrong[] = {(void *)1, (void *)(1ul << 63), (void *)SIZE_MAX};
    for (int i = 0; i < 3; i++) {
        void *p = wrong[i];
        REPORTED(COALMM_INVALID_POINTER, kfree(p));
        REPORTED(COALMM_INVALID_POINTER, buddy_free(p));
        REPORTED(COALMM_INVALID_POINTER, slab_free(live.cache, p));
        REPORTED(COALMM_INVALID_POINTER, slab_free(p, live.objects[0]));
        REPORTED(COALMM_INVALID_POINTER, slab_alloc(p));
        REPORTED(COALMM_INVALID_POINTER, slab_cache_destroy(p));
        REPORTED(COALMM_INVALID_POINTER, CHECK(krealloc(p, 10) == NULL));
        REPORTED(COALMM_INVALID_POINTER, CHECK(krealloc(p, 0) == NULL));
        REPORTED(COALMM_INVALID_POINTER, CHECK(kmalloc_size(p) == 0));
        REPORTED(COALMM_INVALID_POINTER, buddy_init(p, 1 << 20));
        REPORTED(COALMM_INVALID_POINTER, CHECK(paging_clone_directory(p) == NULL));
        REPORTED(COALMM_INVALID_POINTER, paging_free_directory(p));
        REPORTED(COALMM_INVALID_POINTER, paging_switch_directory(p));
        REPORTED(COALMM_INVALID_POINTER, frame_free((uintptr_t)p));
        REPORTED(COALMM_INVALID_POINTER, frame_get_stats(p));
        REPORTED(COALMM_INVALID_POINTER, buddy_get_stats(p));
        REPORTED(COALMM_INVALID_POINTER, get_meminfo(p));
        REPORTED(COALMM_INVALID_POINTER, CHECK(slab_cache_create(p, 8, 0, NULL, NULL) == NULL));
        REPORTED(COALMM_INVALID_POINTER, CHECK(coalmm_process_create(p) == -EINVAL));
        REPORTED(COALMM_INVALID_POINTER, CHECK(coalmm_save(p) == -EINVAL));
        UNCHANGED(CHECK(!validate_user_pointer(p, 1, false) && !validate_user_buffer(p, 1, true)));
        UNCHANGED(CHECK(strnlen_user(p, 10) == -EFAULT));
    }
    works();
}

TEST(b324_each_allocation_failing_in_turn)
{
    scene();
    slab_cache_t *cache = NULL;
    void *object = NULL, *large = NULL;
    page_directory_t *clone = NULL;
    pid_t pid = 0, child = 0;
    bool done = false;
    size_t nth = 0, before = free_memory();
    for (; !done; nth++) {
        CHECK(nth < 200);
        coalmm_fail_nth(nth + 1);
        done = (cache = slab_cache_create("nth", 200, 0, NULL, NULL)) != NULL && (object = slab_alloc(cache)) != NULL &&
               (large = kmalloc(70000)) != NULL && (pid = coalmm_process_create("nth")) > 0 &&
               coalmm_process_map(pid, USER, 2 * PAGE, "rw") > 0 && coalmm_process_switch(pid) == 0 &&
               copy_to_user(AREA, "text", 5) == 0 && (child = coalmm_process_fork(pid)) > 0 &&
               (clone = paging_clone_directory(coalmm_current_directory())) != NULL;
        coalmm_fail_nth(0);
        CHECK(reports == 0 && coalmm_validate() == 0);
        coalmm_process_switch(0);
        if (child > 0)
            coalmm_process_exit(child);
        if (pid > 0)
            coalmm_process_exit(pid);
        paging_free_directory(clone);
        kfree(large);
        slab_free(cache ? cache : live.cache, object);
        slab_cache_destroy(cache);
        cache = NULL, object = large = NULL, clone = NULL, pid = child = 0;
        intact();
    }
    CHECK(nth > 8);
    works();
    CHECK(free_memory() + 4 * PAGE >= before); /* caches of the machine's own records stay */
}
