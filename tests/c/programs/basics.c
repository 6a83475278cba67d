/* What C does with a machine, function by function, as coalmm.h says. */
#include "check.h"

TEST(memory_of_kmalloc_can_be_written_at_once)
{
    char *text = kmalloc(1000);
    CHECK(text != NULL && kmalloc_size(text) >= 1000);
    memset(text, 'x', kmalloc_size(text));
    char *longer = krealloc(text, 5000);
    CHECK(longer != NULL && longer[0] == 'x' && longer[999] == 'x');
    kfree(longer);
    const char *zeros = kzalloc(300);
    for (int i = 0; i < 300; i++)
        CHECK(zeros[i] == 0);
    kfree((void *)zeros);
    for (size_t align = 1; align <= 1 << 16; align *= 2) {
        char *aligned = kmalloc_aligned(24, align);
        CHECK(aligned != NULL && (uintptr_t)aligned % align == 0);
        memset(aligned, 3, 24);
        kfree(aligned);
    }
}

TEST(frames_are_counted)
{
    frame_stats_t before, after;
    frame_get_stats(&before);
    CHECK(before.total_frames == before.free_frames + before.reserved_frames + before.user_frames);
    CHECK(frame_get_total_memory() == before.total_frames * PAGE);
    CHECK(frame_get_free_memory() == before.free_frames * PAGE);
    uintptr_t frame = frame_alloc();
    CHECK(frame != 0 && frame % PAGE == 0);
    memset(coalmm_phys_to_virt(frame), 7, PAGE);
    CHECK(coalmm_virt_to_phys(coalmm_phys_to_virt(frame)) == frame);
    frame_get_stats(&after);
    CHECK(after.free_frames == before.free_frames - 1 && after.reserved_frames == before.reserved_frames + 1);
    frame_free(frame);
    char unaligned[sizeof after + 1]; /* B020 */
    frame_get_stats((frame_stats_t *)(unaligned + 1));
    CHECK(memcmp(unaligned + 1, &before, sizeof before) == 0);
}

static int built, taken_down;
static void build(void *object) { built++; memset(object, 0xC0, 48); }
static void take_down(void *object) { taken_down += *(unsigned char *)object == 0xC0; }

TEST(constructors_and_destructors_are_c_functions)
{
    built = taken_down = 0;
    slab_cache_t *cache = slab_cache_create("built", 48, 0, build, take_down);
    unsigned char *object = slab_alloc(cache);
    CHECK(object != NULL && built > 1 && object[0] == 0xC0 && object[47] == 0xC0);
    slab_free(cache, object);
    slab_cache_destroy(cache);
    CHECK(taken_down == built);
}

static slab_cache_t *outer;
static void *inner[64];
static int inner_count;
static void build_with_memory(void *object) { inner[inner_count++ % 64] = *(void **)object = kmalloc(16); }

TEST(a_constructor_may_allocate_from_elsewhere)
{
    inner_count = 0;
    outer = slab_cache_create("outer", 256, 0, build_with_memory, NULL);
    void **object = slab_alloc(outer);
    CHECK(object != NULL && *object != NULL && inner_count > 0 && inner_count <= 64);
    slab_free(outer, object);
    slab_cache_destroy(outer);
    for (int i = 0; i < inner_count; i++)
        kfree(inner[i]);
}

TEST(pages_are_mapped_in_the_current_directory)
{
    uintptr_t frame = frame_alloc();
    CHECK(paging_map_page(USER, frame, RW) == 0);
    CHECK(paging_get_physical(USER + 0x123) == frame + 0x123);
    CHECK(paging_map_page(USER, frame, RW) == 0 && paging_map_page(USER, frame, 0) == -EINVAL);
    page_directory_t *kernel = NULL, *copy = paging_create_directory();
    CHECK(copy != NULL && coalmm_virt_to_phys(copy) % PAGE == 0 && kernel == NULL);
    paging_switch_directory(copy);
    CHECK(paging_get_physical(USER) == 0);
    CHECK(coalmm_process_switch(0) == 0);
    CHECK(paging_get_physical(USER) == frame);
    paging_free_directory(copy);
    paging_unmap_page(USER);
    CHECK(paging_get_physical(USER) == 0);
    frame_free(frame);
}

TEST(a_kernel_pointer_has_the_physical_address_that_it_is_mapped_to)
{
    char *object = kmalloc(64);
    CHECK(paging_get_physical((uintptr_t)object) == coalmm_virt_to_phys(object));
    CHECK(paging_map_page((uintptr_t)object & ~0xffful, frame_alloc(), RW) == -EINVAL);
    CHECK(!validate_user_pointer(object, 1, false));
    kfree(object);
}

TEST(user_copies_reach_the_current_process)
{
    char out[100], in[100];
    pid_t one = coalmm_process_create("one");
    CHECK(one > 0 && coalmm_process_switch(one) == 0);
    intptr_t area = coalmm_process_map(one, 0, 3 * PAGE, "rw");
    CHECK(area > 0);
    char *user = (char *)area;
    memset(out, 'o', sizeof out);
    CHECK(copy_to_user(user + PAGE - 50, out, sizeof out) == 0);
    CHECK(copy_from_user(in, user + PAGE - 50, sizeof in) == 0 && memcmp(in, out, sizeof in) == 0);
    CHECK(copy_to_user(user, "a name", 7) == 0);
    CHECK(strnlen_user(user, 100) == 6 && strncpy_from_user(in, user, sizeof in) == 6 && strcmp(in, "a name") == 0);
    CHECK(validate_user_pointer(user, 3 * PAGE, true) && !validate_user_pointer(user, 3 * PAGE + 1, true));
    CHECK(validate_user_buffer(user, 3 * PAGE, true));

    pid_t two = coalmm_process_fork(one);
    CHECK(two > 0 && coalmm_process_switch(two) == 0);
    CHECK(copy_to_user(user, "another", 8) == 0);
    CHECK(coalmm_process_switch(one) == 0);
    CHECK(strncpy_from_user(in, user, sizeof in) == 6 && strcmp(in, "a name") == 0);
    proc_meminfo_t info;
    CHECK(get_proc_meminfo(one, &info) == 0 && info.virt_size == 3 * PAGE && info.rss == 3 * PAGE);
    CHECK(coalmm_process_unmap(one, area, 3 * PAGE) == 0 && copy_from_user(in, user, 1) == -EFAULT);
    CHECK(coalmm_process_exit(two) == 0 && coalmm_process_exit(one) == 0);
    CHECK(coalmm_process_exit(one) == -ESRCH && coalmm_process_switch(one) == -ESRCH);
    CHECK(coalmm_process_map(one, 0, PAGE, "rw") == -ESRCH && coalmm_process_unmap(one, 0, PAGE) == -ESRCH);
}

TEST(the_kernels_side_of_a_copy_is_any_memory)
{
    pid_t pid = coalmm_process_create("copies");
    coalmm_process_switch(pid);
    char *user = (char *)coalmm_process_map(pid, 0, 1 << 20, "rw");
    static char global[1 << 20];
    char *host = malloc(1 << 20), *kernel = kmalloc(1 << 20);
    memset(global, 1, sizeof global);
    CHECK(copy_to_user(user, global, sizeof global) == 0);
    CHECK(copy_from_user(host, user, sizeof global) == 0 && memcmp(host, global, sizeof global) == 0);
    CHECK(copy_from_user(kernel, user, sizeof global) == 0 && memcmp(kernel, global, sizeof global) == 0);
    CHECK(copy_to_user(user, "of the program's own text", 26) == 0);
    free(host);
    kfree(kernel);
}

TEST(information_adds_up)
{
    meminfo_t info;
    get_meminfo(&info);
    CHECK(info.total_memory == frame_get_total_memory() && info.free_memory == frame_get_free_memory());
    CHECK(info.total_memory == info.free_memory + info.kernel_memory + info.user_memory + info.cache_memory +
                                   info.buffer_memory);
    buddy_stats_t buddy;
    buddy_get_stats(&buddy);
    size_t bytes = 0;
    for (int order = 0; order < COALMM_BUDDY_ORDERS; order++)
        bytes += buddy.free_blocks[order] * (PAGE << order);
    CHECK(bytes == buddy.free_bytes && buddy.free_bytes <= buddy.total_bytes && buddy.largest_free_block <= bytes);
    void *block = buddy_alloc(PAGE);
    buddy_stats_t after;
    buddy_get_stats(&after);
    CHECK(block != NULL && after.alloc_count == buddy.alloc_count + 1);
    buddy_free(block);
}

TEST(leaks_are_counted)
{
    CHECK(mem_check_leaks() == 0);
    mem_enable_tracking();
    void *kept = kmalloc(64), *freed = kmalloc(64);
    kfree(freed);
    CHECK(mem_check_leaks() == 1);
    kfree(kept);
    CHECK(mem_check_leaks() == 0);
}

TEST(the_nth_allocation_can_be_made_to_fail)
{
    kfree(kmalloc(50)); /* the class has a slab now */
    coalmm_fail_nth(3);
    void *one = kmalloc(50), *two = kmalloc(50), *three = kmalloc(50), *four = kmalloc(50);
    CHECK(one != NULL && two != NULL && three == NULL && four != NULL);
    coalmm_fail_nth(0);
    kfree(one);
    kfree(two);
    kfree(four);
}

TEST(wrong_options_are_refused_and_named)
{
    coalmm_shutdown();
    const char *wrong[] = {"ram=64Q", "ram=1K", "ram=9999999T", "paging=vax", "colour", "debug=1", "ram", "ram=8G",
                           "ram=8M,colour", "ram=8M,paging=pae,trak", "ram=8M;track"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(coalmm_boot(wrong[i]) == -EINVAL);
        CHECK(coalmm_error()[0] != 0);
    }
    CHECK(coalmm_boot("ram=8M,paging=pae,trak") == -EINVAL && strstr(coalmm_error(), "'trak'"));
    CHECK(coalmm_boot("ram=1K") == -EINVAL && strstr(coalmm_error(), "'1K'"));
    CHECK(coalmm_boot((const char *)1) == -EINVAL && reports == 1);
    reports = 0;
    CHECK(coalmm_boot(" ram=8M  paging=pae debug track ") == 0);
    CHECK(coalmm_boot("") == -EBUSY);
    CHECK(frame_get_total_memory() < 8 << 20 && frame_get_total_memory() > 7 << 20);
    CHECK(mem_check_leaks() == 0 && reports == 0);
}

TEST(an_error_return_is_explained)
{
    CHECK(kmalloc(0) == NULL && strstr(coalmm_error(), "kmalloc(0) is NULL: 0 bytes were asked for"));
    CHECK(kmalloc_aligned(8, 3) == NULL && strstr(coalmm_error(), "alignment 3 is not a power of two"));
    CHECK(paging_map_page(0x400008, frame_alloc(), PAGE_PRESENT) == -EINVAL);
    CHECK(strstr(coalmm_error(), "the page begins at 0x400000"));
    CHECK(copy_to_user((void *)0x900000, "x", 1) == -EFAULT);
    CHECK(strstr(coalmm_error(), "nothing is mapped at 0x900000"));
    CHECK(get_proc_meminfo(77, &(proc_meminfo_t){0}) == -ESRCH && strstr(coalmm_error(), "no process has pid 77"));
    kfree(kmalloc(10));
    CHECK(strstr(coalmm_error(), "pid 77")); /* what works says nothing */
    CHECK(reports == 0);
}

TEST(options_may_have_commas_between_them)
{
    coalmm_shutdown();
    CHECK(coalmm_boot("ram=8M,paging=pae, track,") == 0);
    CHECK(frame_get_total_memory() < 8 << 20 && kmalloc(10) != NULL && mem_check_leaks() == 1);
}

TEST(the_first_call_boots_a_machine)
{
    coalmm_shutdown();
    CHECK(coalmm_phys_to_virt(PAGE) == NULL && coalmm_virt_to_phys(&reports) == 0);
    void *object = kmalloc(10);
    CHECK(object != NULL && frame_get_total_memory() > 60u << 20);
    kfree(object);
    coalmm_shutdown();
    coalmm_shutdown();
}

TEST(barriers_are_there)
{
    int value = 1;
    mb();
    rmb();
    wmb();
    CHECK(value == 1);
}
