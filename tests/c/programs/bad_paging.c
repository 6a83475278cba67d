/* The rows of the bad-input table about frames, mappings and directories, through C. */
#include "check.h"

#ifndef WIDE /* 64-bit modes */
#define WIDE (strstr(OPTIONS, "x86_64") || strstr(OPTIONS, "la57"))
#endif
#define HUGE_SIZE (strstr(OPTIONS, "i386") ? 4ul << 20 : 2ul << 20)
#define NO_NX strstr(OPTIONS, "i386")

TEST(b001_b002_b003_exhaustion)
{
    scene();
    size_t first = exhaust();
    CHECK(first > 100);
    for (int i = 0; i < 3; i++)
        REFUSED(frame_alloc());
    CHECK(frame_get_free_memory() == 0);
    frame_free(frames[first / 2]);
    CHECK(frame_alloc() == frames[first / 2]);
    for (int round = 0; round < 3; round++) {
        give_back(first);
        CHECK(exhaust() == first);
    }
    give_back(first);
    works();
}

TEST(b004_b005_b006_only_whole_usable_frames_are_handed_out)
{
    reboot("ram=4098K");
    scene();
    size_t count = exhaust();
    frame_stats_t stats;
    frame_get_stats(&stats);
    for (size_t i = 0; i < count; i++) {
        CHECK(frames[i] != 0 && frames[i] + PAGE <= 4098 << 10);
        CHECK(frames[i] + PAGE <= 640 << 10 || frames[i] >= 1 << 20);
        for (size_t k = 0; k < PAGE; k += 64)
            ((char *)coalmm_phys_to_virt(frames[i]))[k] = 'x'; /* and nobody else's memory is under it */
    }
    CHECK(coalmm_phys_to_virt((4098 << 10) + PAGE) == NULL && coalmm_virt_to_phys(coalmm_current_directory()) != 0);
    give_back(count);
    works();
}

TEST(b009_b015_freeing_a_frame_twice_or_never_allocated_is_reported)
{
    scene();
    uintptr_t frame = frame_alloc(), other = frame_alloc();
    frame_free(frame);
    REPORTED(COALMM_DOUBLE_FREE, frame_free(frame));
    uintptr_t again = frame_alloc(), next = frame_alloc();
    CHECK(again != next);
    size_t count = exhaust();
    frame_free(frames[count - 1]);
    REPORTED(COALMM_DOUBLE_FREE, frame_free(frames[count - 1])); /* B015: no frame of anybody */
    give_back(count - 1);
    frame_free(again);
    frame_free(next);
    frame_free(other);
    works();
}

TEST(b010_b011_b012_b013_b014_addresses_that_are_no_frame_are_reported)
{
    scene();
    uintptr_t frame = frame_alloc();
    const uintptr_t wrong[] = {
        0, frame + 1, frame + 8, frame + 4095, frame_get_total_memory() + (64 << 20), 1ul << 40, SIZE_MAX,
        0xfffffffffffff000ul, 1ul << 63, 0xA0000, coalmm_virt_to_phys(coalmm_current_directory()),
        coalmm_virt_to_phys(live.block), coalmm_virt_to_phys(live.small[4]), (uintptr_t)live.small[3],
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        REPORTED(COALMM_INVALID_POINTER, frame_free(wrong[i]));
        CHECK(last_report.address == wrong[i] && strcmp(last_report.function, "frame_free") == 0);
    }
    frame_free(frame);
    works();
}

TEST(b016_b017_a_mapped_or_shared_frame_stays_with_its_other_owner)
{
    uintptr_t frame = mapped(USER, RW, 5);
    REPORTED(COALMM_DOUBLE_FREE, frame_free(frame)); /* the mapping has it now */
    CHECK(paging_get_physical(USER) == frame);
    page_directory_t *clone = paging_clone_directory(coalmm_current_directory());
    paging_unmap_page(USER);
    paging_switch_directory(clone);
    unsigned char byte = 0;
    CHECK(copy_from_user(&byte, (void *)(USER + 9), 1) == 0 && byte == 5);
    CHECK(coalmm_process_switch(0) == 0);
    paging_free_directory(clone);
    works();
}

TEST(b019_b021_statistics_to_null_and_between_other_calls)
{
    scene();
    UNCHANGED(frame_get_stats(NULL));
    UNCHANGED(buddy_get_stats(NULL));
    void *objects[40];
    for (int i = 0; i < 40; i++) {
        frame_stats_t stats;
        objects[i] = i % 3 ? kmalloc(1000 * i) : buddy_alloc(PAGE * i);
        frame_get_stats(&stats);
        CHECK(stats.free_frames + stats.reserved_frames + stats.user_frames == stats.total_frames);
        CHECK(stats.free_frames * PAGE == frame_get_free_memory());
    }
    for (int i = 0; i < 40; i++)
        i % 3 ? kfree(objects[i]) : buddy_free(objects[i]);
    works();
}

/* paging_map_page */

#define NOT_MAPPED(error, vaddr, paddr, flags) UNCHANGED(CHECK(paging_map_page64(vaddr, paddr, flags) == -(error)))

TEST(b022_b023_addresses_inside_a_page)
{
    scene();
    uintptr_t frame = frame_alloc();
    const int offsets[] = {1, 8, 2048, 4095};
    for (int i = 0; i < 4; i++) {
        NOT_MAPPED(EINVAL, USER + offsets[i], frame, RW);
        NOT_MAPPED(EINVAL, USER, frame + offsets[i], RW);
    }
    CHECK(paging_get_physical(USER) == 0 && paging_map_page(USER, frame, RW) == 0);
    works();
}

TEST(b024_b025_b027_addresses_that_the_mode_does_not_have)
{
    uintptr_t frame = frame_alloc();
    if (WIDE) {
        NOT_MAPPED(EINVAL, 1ul << 62, frame, RW);
        if (strstr(OPTIONS, "x86_64")) {
            NOT_MAPPED(EINVAL, 0x0000800000000000ul, frame, RW);
            NOT_MAPPED(EINVAL, 0xffff7ffffffff000ul, frame, RW);
        }
        CHECK(paging_get_physical(1ul << 62) == 0);
        UNCHANGED(paging_unmap_page(1ul << 62));
    } else {
        NOT_MAPPED(EINVAL, 0x100000000ul, frame, RW);
        NOT_MAPPED(EINVAL, 0x100000000ul + USER, frame, RW);
        CHECK(paging_get_physical(0x100000000ul) == 0 && paging_get_physical(USER) == 0);
    }
    works();
}

TEST(b026_the_top_pages)
{
    uintptr_t top = WIDE ? 0ul : 1ul << 32, frame = frame_alloc();
    for (int i = 1; i <= 2; i++) {
        CHECK(paging_map_page(top - i * PAGE, frame, PAGE_PRESENT | PAGE_WRITABLE) == 0);
        CHECK(paging_get_physical(top - i * PAGE + 4095) == frame + 4095);
        paging_unmap_page(top - i * PAGE);
    }
    frame_free(frame);
    works();
}

TEST(b028_b029_b030_physical_addresses_that_are_not_there)
{
    uintptr_t frame = frame_alloc(), ram = 0;
    while (coalmm_phys_to_virt(ram) != NULL)
        ram += PAGE;
    for (int bit = 36; bit < 64; bit++)
        NOT_MAPPED(EINVAL, USER, frame | 1ul << bit, RW);
    NOT_MAPPED(EINVAL, USER, 0x100000000ul + frame, RW);
    NOT_MAPPED(EINVAL, USER, ram, RW);
    NOT_MAPPED(EINVAL, USER, SIZE_MAX - 4095, RW);
    NOT_MAPPED(EINVAL, USER, 0, RW);                                                      /* B065: frame 0 */
    NOT_MAPPED(EINVAL, USER, coalmm_virt_to_phys(coalmm_current_directory()), RW);        /* B031 */
    frame_free(frame);
    NOT_MAPPED(EINVAL, USER, frame, RW); /* B032 */
    works();
}

TEST(b033_b034_a_page_that_is_mapped_already)
{
    uintptr_t old = mapped(USER, RW, 1), new = frame_alloc();
    NOT_MAPPED(EEXIST, USER, new, RW);
    CHECK(paging_get_physical(USER) == old);
    UNCHANGED(CHECK(paging_map_page(USER, old, RW) == 0));
    paging_unmap_page(USER);
    CHECK(paging_map_page(USER, new, RW) == 0);
    frame_free(new);
    works();
}

TEST(b035_b036_b043_flags_that_are_none)
{
    uintptr_t frame = frame_alloc();
    NOT_MAPPED(EINVAL, USER, frame, 0);
    NOT_MAPPED(EINVAL, USER, frame, PAGE_WRITABLE | PAGE_USER);
    for (int bit = 10; bit < 63; bit++)
        NOT_MAPPED(EINVAL, USER, frame, RW | 1ul << bit);
    NOT_MAPPED(EINVAL, USER, frame, RW | 0xfffffc00);
    NOT_MAPPED(EINVAL, USER, frame, RW | PAGE_COW);
    NOT_MAPPED(EINVAL, USER, frame, RW | 0x400);
    UNCHANGED(CHECK(paging_map_page(USER, frame, RW | 0xfffffc00u) == -EINVAL));
    works();
}

TEST(b037_b038_no_execute_needs_64_bits)
{
    uintptr_t frame = frame_alloc();
    if (NO_NX)
        NOT_MAPPED(EINVAL, USER, frame, RW | PAGE_NX);
    else
        CHECK(paging_map_page64(USER, frame, RW | PAGE_NX) == 0);
    CHECK((uint32_t)PAGE_NX == 0);
    works();
}

static uintptr_t huge_frames(void)
{
    char *memory = kmalloc_aligned(HUGE_SIZE, HUGE_SIZE);
    (void)memory;
    uintptr_t frame = 0, first = 0, previous = 0;
    size_t count = exhaust();
    for (size_t i = 0; i < count; i++) {
        frame = frames[i];
        if (frame % HUGE_SIZE == 0)
            first = frame;
        else if (frame != previous + PAGE)
            first = 0;
        previous = frame;
        if (first != 0 && frame + PAGE == first + HUGE_SIZE)
            break;
    }
    for (size_t i = 0; i < count; i++)
        if (first == 0 || frames[i] < first || frames[i] >= first + HUGE_SIZE)
            frame_free(frames[i]);
    kfree(memory);
    return first;
}

TEST(b039_b040_b041_b042_b055_b063_huge_pages)
{
    reboot(strstr(OPTIONS, "i386") ? "ram=16M paging=i386" : strstr(OPTIONS, "pae") ? "ram=16M paging=pae"
           : strstr(OPTIONS, "la57") ? "ram=16M paging=la57" : "ram=16M paging=x86_64");
    uintptr_t first = huge_frames();
    CHECK(first != 0);
    const uint32_t flags = RW | PAGE_HUGE;
    NOT_MAPPED(EINVAL, USER + PAGE, first, flags);
    NOT_MAPPED(EINVAL, USER + HUGE_SIZE / 2, first, flags);
    NOT_MAPPED(EINVAL, USER, first + PAGE, flags);
    CHECK(paging_map_page(USER + PAGE, first + PAGE, RW) == 0);
    NOT_MAPPED(EEXIST, USER, first, flags);
    paging_unmap_page(USER + PAGE);
    CHECK(paging_map_page(USER, first, flags) == 0);
    CHECK(paging_get_physical(USER + HUGE_SIZE - 1) == first + HUGE_SIZE - 1); /* B063 */
    uintptr_t other = frame_alloc();
    NOT_MAPPED(EEXIST, USER + 5 * PAGE, other, RW);
    for (uintptr_t at = 0; at < HUGE_SIZE; at += PAGE)
        CHECK(paging_get_physical(USER + at) == first + at);
    paging_unmap_page(USER + 5 * PAGE); /* B055: the rest is split */
    CHECK(paging_get_physical(USER + 5 * PAGE) == 0 && paging_get_physical(USER + 4 * PAGE) == first + 4 * PAGE);
    CHECK(paging_get_physical(USER + 6 * PAGE) == first + 6 * PAGE);
    for (uintptr_t at = 0; at < HUGE_SIZE; at += PAGE)
        paging_unmap_page(USER + at);
    works();
}

TEST(b044_b045_kernel_pages_are_not_the_users)
{
    unsigned char byte;
    uintptr_t frame = frame_alloc();
    char *kernel = kmalloc(PAGE);
    NOT_MAPPED(EINVAL, (uintptr_t)kernel & ~0xffful, frame, RW);
    CHECK(paging_map_page(USER, frame, PAGE_PRESENT | PAGE_WRITABLE) == 0);
    CHECK(copy_from_user(&byte, (void *)USER, 1) == -EFAULT);
    paging_unmap_page(USER);
    CHECK(paging_map_page(USER, frame, RW) == 0 && copy_from_user(&byte, (void *)USER, 1) == 0);
    kfree(kernel);
    works();
}

TEST(b046_without_a_frame_for_a_table)
{
    size_t count = exhaust(), spares = 0;
    uintptr_t frame = frames[--count];
    int result;
    while ((result = paging_map_page(USER, frame, RW)) == -ENOMEM) {
        CHECK(paging_get_physical(USER) == 0 && frame_get_free_memory() == spares * PAGE);
        CHECK(coalmm_validate() == 0);
        frame_free(frames[--count]);
        spares++;
    }
    CHECK(result == 0 && spares >= 1 && spares <= 4);
    paging_unmap_page(USER);
    CHECK(frame_get_free_memory() == spares * PAGE);
    give_back(count);
    frame_free(frame);
    works();
}

TEST(b048_b050_mapping_changes_only_the_current_directory)
{
    page_directory_t *first = coalmm_current_directory(), *second = paging_create_directory();
    uintptr_t frame = frame_alloc();
    paging_switch_directory(second);
    CHECK(paging_map_page(USER, frame, RW | PAGE_ACCESSED | PAGE_DIRTY) == 0);
    paging_switch_directory(first);
    CHECK(paging_get_physical(USER) == 0);
    paging_switch_directory(second);
    CHECK(paging_get_physical(USER) == frame);
    paging_switch_directory(first);
    paging_free_directory(second);
    frame_free(frame);
    works();
}

/* paging_unmap_page, paging_get_physical */

TEST(b051_b052_b053_b054_unmapping_what_is_not_mapped)
{
    scene();
    mapped(USER, RW, 1);
    uintptr_t neighbour = mapped(USER + PAGE, RW, 2);
    UNCHANGED(paging_unmap_page(USER + 2 * PAGE));
    UNCHANGED(paging_unmap_page(1ul << 62));
    UNCHANGED(paging_unmap_page(SIZE_MAX));
    paging_unmap_page(USER);
    UNCHANGED(paging_unmap_page(USER));
    CHECK(paging_get_physical(USER) == 0 && paging_get_physical(USER + PAGE) == neighbour);
    works();
}

TEST(b057_b058_nothing_of_an_unmapped_page_can_be_seen)
{
    unsigned char byte = 0;
    uintptr_t frame = mapped(USER, RW, 1);
    CHECK(copy_from_user(&byte, (void *)USER, 1) == 0 && byte == 1); /* it is in the TLB now */
    paging_unmap_page(USER);
    CHECK(copy_from_user(&byte, (void *)USER, 1) == -EFAULT);
    uintptr_t again = frame_alloc();
    memset(coalmm_phys_to_virt(again), 9, PAGE);
    CHECK(again == frame && copy_from_user(&byte, (void *)USER, 1) == -EFAULT && byte == 1);
    frame_free(again);
    works();
}

TEST(b059_unmapping_one_of_two_owners)
{
    unsigned char byte = 0;
    page_directory_t *first = coalmm_current_directory();
    uintptr_t frame = mapped(USER, RW, 6);
    page_directory_t *clone = paging_clone_directory(first);
    paging_unmap_page(USER);
    paging_switch_directory(clone);
    CHECK(paging_get_physical(USER) == frame && copy_from_user(&byte, (void *)USER, 1) == 0 && byte == 6);
    CHECK(copy_to_user((void *)USER, "x", 1) == 0 && paging_get_physical(USER) == frame); /* the last owner keeps it */
    paging_switch_directory(first);
    paging_free_directory(clone);
    works();
}

TEST(b060_b061_b062_b064_where_nothing_is_mapped)
{
    CHECK(paging_get_physical(USER) == 0 && paging_get_physical(0) == 0 && paging_get_physical(1ul << 62) == 0);
    uintptr_t frame = mapped(USER, RW, 1);
    CHECK(paging_get_physical(USER + 0x123) == frame + 0x123 && paging_get_physical(USER + PAGE) == 0);
    paging_unmap_page(USER);
    CHECK(paging_get_physical(USER + 0x123) == 0);
}

/* directories */

TEST(b066_b067_directories_without_memory)
{
    size_t count = exhaust();
    UNCHANGED(CHECK(paging_create_directory() == NULL));
    for (size_t spare = 1; spare <= 4; spare++) {
        frame_free(frames[--count]);
        page_directory_t *dir = paging_create_directory();
        CHECK(dir != NULL && coalmm_validate() == 0);
        paging_free_directory(dir);
        CHECK(frame_get_free_memory() == spare * PAGE);
    }
    give_back(count);
    works();
}

TEST(b068_ten_thousand_directories)
{
    size_t before = frame_get_free_memory();
    for (int i = 0; i < 10000; i++)
        paging_free_directory(paging_create_directory());
    CHECK(frame_get_free_memory() == before);
}

static void *not_directories[20];

static int garbage(void)
{
    char *current = (char *)coalmm_current_directory();
    page_directory_t *freed = paging_create_directory();
    paging_free_directory(freed);
    void *all[] = {(void *)1, (void *)8, (void *)PAGE, (void *)(1ul << 63), (void *)SIZE_MAX, current + 8, current + 2048,
                   live.small[0], live.block, live.objects[0], coalmm_phys_to_virt(live.frame),
                   coalmm_phys_to_virt(0xA0000), freed, &all};
    memcpy(not_directories, all, sizeof all);
    return sizeof all / sizeof all[0];
}

TEST(b070_b071_b072_clones_of_what_is_no_directory)
{
    scene();
    UNCHANGED(CHECK(paging_clone_directory(NULL) == NULL));
    for (int i = 0, count = garbage(); i < count; i++)
        REPORTED(COALMM_INVALID_POINTER, CHECK(paging_clone_directory(not_directories[i]) == NULL));
    works();
}

TEST(b073_b318_b324_a_clone_that_fails_anywhere)
{
    scene();
    for (int i = 0; i < 3; i++)
        mapped(USER * (i % 2 + 1) + i * PAGE, RW, i);
    page_directory_t *first = coalmm_current_directory(), *clone = NULL;
    int nth = 0;
    while (clone == NULL) {
        struct counts before = counts(), after;
        coalmm_fail_nth(++nth);
        clone = paging_clone_directory(first);
        coalmm_fail_nth(0);
        after = counts();
        CHECK(clone != NULL || memcmp(&before, &after, sizeof before) == 0);
        CHECK(copy_to_user((void *)USER, "x", 1) == 0 && coalmm_validate() == 0 && nth < 50);
    }
    CHECK(nth > 2);
    size_t free = frame_get_free_memory();
    paging_switch_directory(clone);
    CHECK(frame_get_free_memory() == free);
    paging_switch_directory(first);
    paging_free_directory(clone);
    works();
}

TEST(b074_b075_b076_each_clone_has_its_own_bytes)
{
    unsigned char byte = 0;
    page_directory_t *generation[64] = {coalmm_current_directory()};
    mapped(USER, RW, 0xFF);
    mapped(USER + PAGE, PAGE_PRESENT | PAGE_USER, 7);
    CHECK(copy_to_user((void *)USER, "w", 1) == 0); /* writable in the TLB */
    for (int i = 1; i < 64; i++)
        CHECK((generation[i] = paging_clone_directory(generation[i - 1])) != NULL);
    for (int i = 0; i < 64; i++) {
        paging_switch_directory(generation[i]);
        byte = (unsigned char)i;
        CHECK(copy_to_user((void *)USER, &byte, 1) == 0);
        CHECK(copy_to_user((void *)(USER + PAGE), &byte, 1) == -EFAULT); /* read-only stays read-only */
    }
    for (int i = 0; i < 64; i++) {
        paging_switch_directory(generation[i]);
        CHECK(copy_from_user(&byte, (void *)USER, 1) == 0 && byte == i);
    }
    paging_switch_directory(generation[0]);
    for (int i = 1; i < 64; i++)
        paging_free_directory(generation[i]);
    works();
}

TEST(b078_a_huge_page_in_a_clone)
{
    if (HUGE_SIZE == 4ul << 20)
        reboot("ram=16M paging=i386");
    else
        reboot("ram=16M paging=x86_64");
    uintptr_t first = huge_frames();
    page_directory_t *parent = coalmm_current_directory();
    CHECK(first != 0 && paging_map_page(USER, first, RW | PAGE_HUGE) == 0);
    memset(coalmm_phys_to_virt(first), 4, HUGE_SIZE);
    page_directory_t *clone = paging_clone_directory(parent);
    paging_switch_directory(clone);
    CHECK(copy_to_user((void *)(USER + PAGE), "child", 5) == 0);
    CHECK(all_are(coalmm_phys_to_virt(first), HUGE_SIZE, 4));
    unsigned char byte;
    paging_switch_directory(parent);
    CHECK(copy_from_user(&byte, (void *)(USER + PAGE), 1) == 0 && byte == 4);
    paging_free_directory(clone);
    works();
}

TEST(b081_b082_b087_freeing_what_is_no_directory)
{
    scene();
    UNCHANGED(paging_free_directory(NULL));
    for (int i = 0, count = garbage(); i < count; i++)
        REPORTED(COALMM_INVALID_POINTER, paging_free_directory(not_directories[i]));
    works();
}

TEST(b083_b084_b085_freeing_directories_in_use)
{
    scene();
    page_directory_t *kernel = coalmm_current_directory(), *other = paging_create_directory();
    REPORTED(COALMM_IN_USE, paging_free_directory(kernel));
    paging_switch_directory(other);
    REPORTED(COALMM_IN_USE, paging_free_directory(kernel));
    REPORTED(COALMM_IN_USE, paging_free_directory(other));
    CHECK(last_report.address == (uintptr_t)other);
    paging_switch_directory(kernel);
    paging_free_directory(other);
    for (int i = 0; i < 5; i++)
        CHECK(paging_get_physical((uintptr_t)live.small[i]) == coalmm_virt_to_phys(live.small[i]));
    works();
}

TEST(b086_freeing_a_clone_leaves_the_other_its_bytes)
{
    uintptr_t frame = mapped(USER, RW, 6);
    paging_free_directory(paging_clone_directory(coalmm_current_directory()));
    size_t free = frame_get_free_memory();
    CHECK(all_are(coalmm_phys_to_virt(frame), PAGE, 6) && copy_to_user((void *)USER, "mine", 4) == 0);
    CHECK(paging_get_physical(USER) == frame && frame_get_free_memory() == free);
    works();
}

TEST(b088_b089_b090_b092_switching_to_what_is_no_directory)
{
    scene();
    page_directory_t *current = coalmm_current_directory();
    REPORTED(COALMM_INVALID_POINTER, paging_switch_directory(NULL));
    for (int i = 0, count = garbage(); i < count; i++) {
        REPORTED(COALMM_INVALID_POINTER, paging_switch_directory(not_directories[i]));
        CHECK(coalmm_current_directory() == current);
    }
    UNCHANGED(paging_switch_directory(current));
    works();
}

TEST(b093_b094_switching_there_and_back)
{
    unsigned char byte = 0;
    page_directory_t *first = coalmm_current_directory(), *second = paging_create_directory();
    mapped(USER, RW | PAGE_GLOBAL, 1);
    paging_switch_directory(second);
    CHECK(copy_from_user(&byte, (void *)USER, 1) == -EFAULT);
    mapped(USER, RW | PAGE_GLOBAL, 2);
    for (int i = 0; i < 4; i++) {
        paging_switch_directory(i % 2 ? second : first);
        CHECK(copy_from_user(&byte, (void *)USER, 1) == 0 && byte == i % 2 + 1);
    }
    paging_switch_directory(first);
    paging_free_directory(second);
    works();
}
