/* The rows of the bad-input table about buddy, slab caches and kmalloc, through C. */
#include "check.h"

#define COUNT(array) (sizeof array / sizeof array[0])
static const size_t IMPOSSIBLE[] = {SIZE_MAX, 1ul << 63, 1ul << 62, SIZE_MAX - 4095, SIZE_MAX - 4096, SIZE_MAX - 7,
                                    SIZE_MAX - 15, 1ul << 40, 1ul << 32};

/* Pointers that are nobody's, or not of kmalloc. */
static void *foreign[24];

static int find_foreign(void)
{
    char *ram = coalmm_phys_to_virt(0);
    static int global;
    int local;
    void *all[] = {live.objects[0], live.cache, live.block, live.block + 64, coalmm_phys_to_virt(live.frame),
                   (void *)live.frame, ram, ram - 16, ram + (64 << 20), (void *)1, (void *)8, (void *)16, (void *)USER,
                   (void *)0x7FFFFFFFF000ul, (void *)(1ul << 63), (void *)SIZE_MAX, (void *)(SIZE_MAX - 15), &global,
                   &local, coalmm_current_directory()};
    memcpy(foreign, all, sizeof all);
    return COUNT(all);
}

/* buddy */

TEST(b095_b096_b098_b099_b100_b101_regions_that_cannot_be)
{
    scene();
    char *ram = coalmm_phys_to_virt(0);
    REPORTED(COALMM_INVALID_POINTER, buddy_init(ram + (2 << 20), 0));
    REPORTED(COALMM_INVALID_POINTER, buddy_init(ram + (2 << 20), 4095));
    REPORTED(COALMM_INVALID_POINTER, buddy_init(ram + (2 << 20) + 1, 8190));
    REPORTED(COALMM_INVALID_POINTER, buddy_init(NULL, 1 << 20));
    REPORTED(COALMM_INVALID_POINTER, buddy_init(ram + (2 << 20), SIZE_MAX));
    REPORTED(COALMM_INVALID_POINTER, buddy_init((void *)SIZE_MAX, SIZE_MAX));
    REPORTED(COALMM_INVALID_POINTER, buddy_init(ram + (2 << 20), 1ul << 63));
    REPORTED(COALMM_INVALID_POINTER, buddy_init(&ram, 1 << 20));
    REPORTED(COALMM_IN_USE, buddy_init(live.block, 2 * PAGE));
    works();
}

TEST(b097_b111_b123_b171_b178_b322_before_the_heap_has_memory)
{
    reboot("ram=8M noheap");
    CHECK(buddy_alloc(PAGE) == NULL && kmalloc(10) == NULL && kzalloc(10) == NULL && kmalloc_aligned(8, 64) == NULL);
    CHECK(slab_cache_create("none", 8, 0, NULL, NULL) == NULL && krealloc(NULL, 10) == NULL && reports == 0);
    REPORTED(COALMM_INVALID_POINTER, buddy_free(coalmm_phys_to_virt(2 << 20)));
    REPORTED(COALMM_INVALID_POINTER, kfree(coalmm_phys_to_virt(2 << 20)));
    UNCHANGED(kfree(NULL); buddy_free(NULL); CHECK(slab_shrink_caches() == 0));
    buddy_init(coalmm_phys_to_virt(2 << 20), (3 << 20) + 3 * PAGE + 5);
    buddy_stats_t stats;
    size_t got = 0;
    buddy_get_stats(&stats);
    CHECK(stats.total_bytes == (3 << 20) + 3 * PAGE);
    size_t whole = stats.free_bytes; /* without what kmalloc took for its own use */
    char *block, *first = coalmm_phys_to_virt(2 << 20);
    while (got < whole && (block = buddy_alloc(PAGE)) != NULL) {
        CHECK(block >= first && block + PAGE <= first + (3 << 20) + 3 * PAGE);
        memset(block, 1, PAGE);
        got += PAGE;
    }
    CHECK(got == whole && coalmm_validate() == 0 && kmalloc(10) != NULL);
}

TEST(b105_b106_b107_b108_b109_b110_sizes_of_blocks)
{
    scene();
    buddy_stats_t before, after;
    REFUSED(buddy_alloc(0));
    REFUSED(buddy_alloc((16 << 20) + 1));
    for (size_t i = 0; i < COUNT(IMPOSSIBLE); i++)
        REFUSED(buddy_alloc(IMPOSSIBLE[i]));
    buddy_get_stats(&before);
    char *one = buddy_alloc(1), *two = buddy_alloc(4097), *three = buddy_alloc(1);
    CHECK(one != NULL && (uintptr_t)two % 8192 == 0 && three != NULL);
    CHECK((three < two || three >= two + 8192) && (one < two || one >= two + 8192));
    buddy_free(one);
    buddy_free(two);
    buddy_free(three);
    buddy_get_stats(&after);
    CHECK(after.free_count == before.free_count + 3);
    works();
    reboot("ram=64M");
    live.cache = NULL;
    char *largest = buddy_alloc(16 << 20);
    CHECK(largest != NULL && coalmm_virt_to_phys(largest) % (16 << 20) == 0);
    buddy_free(largest);
    works();
}

TEST(b112_b113_b122_exhaustion_and_fragments)
{
    static char *blocks[4096];
    int count = 0;
    scene();
    size_t before = free_memory();
    while ((blocks[count] = buddy_alloc(PAGE)) != NULL) {
        *(int *)blocks[count] = count;
        count++;
    }
    for (int i = 0; i < count; i++)
        CHECK(*(int *)blocks[i] == i);
    REFUSED(buddy_alloc(PAGE));
    for (int i = 0; i < count; i += 2)
        buddy_free(blocks[i]);
    REFUSED(buddy_alloc(2 * PAGE * 64)); /* there is memory, but no such run of it */
    for (int i = 1; i < count; i += 2)
        buddy_free(blocks[i]);
    CHECK(free_memory() == before);
    works();
}

TEST(b115_b116_b117_b118_b119_b120_b121_frees_of_what_is_no_block)
{
    scene();
    UNCHANGED(buddy_free(NULL));
    char *block = buddy_alloc(2 * PAGE), *other = buddy_alloc(PAGE);
    REPORTED(COALMM_INVALID_POINTER, buddy_free(block + PAGE));
    REPORTED(COALMM_INVALID_POINTER, buddy_free(block + 1));
    reports = 0;
    buddy_free((char *)coalmm_phys_to_virt(coalmm_virt_to_phys(other) ^ PAGE)); /* its buddy, which nobody has */
    CHECK(reports == 1 && coalmm_validate() == 0);
    REPORTED(COALMM_INVALID_POINTER, buddy_free((char *)coalmm_phys_to_virt(0) - PAGE));
    REPORTED(COALMM_INVALID_POINTER, buddy_free((char *)coalmm_phys_to_virt(0) + (64 << 20)));
    REPORTED(COALMM_INVALID_POINTER, buddy_free(live.small[1]));
    REPORTED(COALMM_INVALID_POINTER, buddy_free(live.objects[1]));
    REPORTED(COALMM_INVALID_POINTER, buddy_free(coalmm_phys_to_virt(live.frame)));
    REPORTED(COALMM_INVALID_POINTER, buddy_free(&block));
    buddy_free(block);
    REPORTED(COALMM_DOUBLE_FREE, buddy_free(block));
    buddy_free(other);
    REPORTED(COALMM_DOUBLE_FREE, buddy_free(other)); /* although it is part of a larger one */
    works();
}

/* slab caches */

TEST(b124_b125_b126_b127_b128_b129_b130_b131_sizes_and_alignments)
{
    scene();
    const size_t none[][2] = {{0, 8}, {64, 3}, {64, 12}, {64, 24}, {1ul << 63, 8}, {SIZE_MAX, 8}, {SIZE_MAX - 7, 8},
                              {SIZE_MAX, SIZE_MAX}, {64, (1ul << 63) | 8}, {32ul << 20, 8}};
    for (size_t i = 0; i < COUNT(none); i++)
        REFUSED(slab_cache_create("none", none[i][0], none[i][1], NULL, NULL));
    const size_t some[][2] = {{1, 0}, {1, 1}, {5000, 0}, {20000, 64}, {64, 8192}, {3, 2}};
    for (size_t i = 0; i < COUNT(some); i++) {
        slab_cache_t *cache = slab_cache_create("some", some[i][0], some[i][1], NULL, NULL);
        char *one = slab_alloc(cache), *two = slab_alloc(cache);
        CHECK(cache != NULL && one != NULL && two != NULL);
        CHECK(two >= one + some[i][0] || one >= two + some[i][0]);
        CHECK(some[i][1] == 0 || ((uintptr_t)one % some[i][1] == 0 && (uintptr_t)two % some[i][1] == 0));
        slab_free(cache, one);
        slab_free(cache, two);
        slab_cache_destroy(cache);
    }
    works();
}

TEST(b132_b133_b134_b135_names)
{
    scene();
    char *long_name = malloc(10001), own[] = "own name";
    memset(long_name, 'n', 10000);
    long_name[10000] = 0;
    const char *names[] = {NULL, "", "\xff\xfe\x80", "line\nbreak\x1b[31m", long_name, own, "same", "same"};
    slab_cache_t *caches[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++)
        CHECK((caches[i] = slab_cache_create(names[i], 32, 0, NULL, NULL)) != NULL);
    for (size_t i = 0; i < COUNT(names); i++)
        slab_free(caches[i], slab_alloc(caches[i])); /* what is never used is not printed */
    memset(own, 'x', 8);
    free(long_name);
    mem_print_stats();
    for (size_t i = 0; i < COUNT(names); i++)
        slab_cache_destroy(caches[i]);
    REPORTED(COALMM_INVALID_POINTER, CHECK(slab_cache_create((const char *)1, 32, 0, NULL, NULL) == NULL));
    works();
}

TEST(b136_b145_b146_caches_without_memory)
{
    scene();
    UNCHANGED(CHECK(slab_alloc(NULL) == NULL));
    void **objects = NULL, **object;
    while ((object = slab_alloc(live.cache)) != NULL) {
        *object = objects;
        objects = object;
    }
    CHECK(reports == 0);
    REFUSED(slab_alloc(live.cache));
    intact();
    void **last = objects;
    objects = *last;
    slab_free(live.cache, last);
    CHECK((object = slab_alloc(live.cache)) == last);
    *object = objects;
    objects = object;
    slab_cache_t *caches[4096];
    int count = 0;
    while (count < 4096 && (caches[count] = slab_cache_create("more", 64, 0, NULL, NULL)) != NULL)
        count++;
    CHECK(reports == 0 && coalmm_validate() == 0);
    while (count > 0)
        slab_cache_destroy(caches[--count]);
    while (objects != NULL) {
        object = objects;
        objects = *object;
        slab_free(live.cache, object);
    }
    works();
}

TEST(b138_b139_b140_b141_b142_b143_b147_destroying_caches)
{
    scene();
    UNCHANGED(slab_cache_destroy(NULL));
    REPORTED(COALMM_IN_USE, slab_cache_destroy(live.cache));
    slab_cache_t *cache = slab_cache_create("gone", 64, 0, NULL, NULL);
    void *object = slab_alloc(cache);
    slab_free(cache, object);
    slab_cache_destroy(cache);
    REPORTED(COALMM_DOUBLE_FREE, slab_cache_destroy(cache));
    REPORTED(COALMM_DOUBLE_FREE, CHECK(slab_alloc(cache) == NULL));
    REPORTED(COALMM_DOUBLE_FREE, slab_free(cache, object));
    for (int i = 0, count = find_foreign(); i < count; i++)
        if (foreign[i] != live.cache) {
            REPORTED(COALMM_INVALID_POINTER, slab_cache_destroy(foreign[i]));
            REPORTED(COALMM_INVALID_POINTER, CHECK(slab_alloc(foreign[i]) == NULL));
            REPORTED(COALMM_INVALID_POINTER, slab_free(foreign[i], live.objects[0]));
        }
    works();
}

static int constructed, destructed;
static void construct(void *object) { constructed++; *(int *)object = 77; }
static void destruct(void *object) { destructed++; *(int *)object = 0; }
static slab_cache_t *recursive;
static int depth;
static void *from_itself;
static void construct_recursively(void *object)
{
    (void)object;
    if (depth++ == 0)
        from_itself = slab_alloc(recursive);
}

TEST(b137_b144_b164_constructors_and_destructors)
{
    constructed = destructed = depth = 0;
    slab_cache_t *cache = slab_cache_create("counted", 48, 0, construct, destruct);
    int *objects[100];
    for (int i = 0; i < 100; i++)
        CHECK((objects[i] = slab_alloc(cache)) != NULL && *objects[i] == 77);
    for (int i = 0; i < 100; i++)
        slab_free(cache, objects[i]);
    CHECK(destructed < constructed);
    slab_shrink_caches();
    slab_cache_destroy(cache);
    CHECK(constructed >= 100 && destructed == constructed && reports == 0);
    recursive = slab_cache_create("recursive", 64, 0, construct_recursively, NULL);
    void *object = slab_alloc(recursive); /* no deadlock, no half object; what it got is said */
    CHECK(coalmm_validate() == 0 && (object == NULL || object != from_itself));
    reports = 0;
    works();
}

TEST(b150_b321_damaged_structures_are_found)
{
    scene();
    unsigned char *record = (unsigned char *)live.cache;
    uint64_t stride = ((uint64_t *)record)[1];
    CHECK(coalmm_validate() == 0);
    for (int word = 0; word < 8; word++) {
        uint64_t kept = ((uint64_t *)record)[word];
        ((uint64_t *)record)[word] = ~kept;
        void *object = slab_alloc(live.cache); /* whatever comes, it is inside of RAM */
        CHECK(object == NULL || coalmm_virt_to_phys(object) != 0 || reports > 0);
        CHECK(coalmm_validate() != 0 || word == 2 || object != NULL || stride == 0);
        ((uint64_t *)record)[word] = kept;
        if (object != NULL)
            break;
    }
    reboot("ram=4M"); /* what that has done to it is no test of the machine any more */
    live.cache = NULL;
}

TEST(b151_b152_b153_b154_b155_b156_b157_b158_frees_of_what_is_no_object)
{
    scene();
    slab_cache_t *twin = slab_cache_create("twin", 96, 8, NULL, NULL);
    char *one = slab_alloc(live.cache), *two = slab_alloc(live.cache), *other = slab_alloc(twin);
    UNCHANGED(slab_free(live.cache, NULL));
    REPORTED(COALMM_INVALID_POINTER, slab_free(NULL, one));
    REPORTED(COALMM_INVALID_POINTER, slab_free(live.cache, one + 1));
    REPORTED(COALMM_INVALID_POINTER, slab_free(live.cache, one + 48));
    REPORTED(COALMM_INVALID_POINTER, slab_free(live.cache, other));
    REPORTED(COALMM_INVALID_POINTER, slab_free(twin, one));
    for (int i = 0, count = find_foreign(); i < count; i++)
        if (foreign[i] != live.objects[0])
            REPORTED(COALMM_INVALID_POINTER, slab_free(live.cache, foreign[i]));
    REPORTED(COALMM_INVALID_POINTER, slab_free(live.cache, live.small[1]));
    char *end = coalmm_phys_to_virt(coalmm_virt_to_phys(one) | (PAGE - 1));
    REPORTED(COALMM_INVALID_POINTER, slab_free(live.cache, end)); /* the rest behind the last object */
    slab_free(live.cache, one);
    REPORTED(COALMM_DOUBLE_FREE, slab_free(live.cache, one));
    slab_free(live.cache, two);
    REPORTED(COALMM_DOUBLE_FREE, slab_free(live.cache, one));
    char *again = slab_alloc(live.cache), *next = slab_alloc(live.cache), *third = slab_alloc(live.cache);
    CHECK(again != next && next != third && third != again);
    slab_free(live.cache, again);
    slab_free(live.cache, next);
    slab_free(live.cache, third);
    slab_free(twin, other);
    slab_cache_destroy(twin);
    works();
}

TEST(b161_b162_b163_b165_shrinking)
{
    scene();
    slab_shrink_caches();
    UNCHANGED(CHECK(slab_shrink_caches() == 0));
    slab_cache_t *cache = slab_cache_create("shrunk", 512, 0, NULL, NULL);
    char *objects[64];
    for (int i = 0; i < 64; i++)
        objects[i] = memset(slab_alloc(cache), i, 512);
    CHECK(slab_shrink_caches() == 0);
    for (int i = 0; i < 64; i++)
        if (i % 4)
            slab_free(cache, objects[i]);
    CHECK(slab_shrink_caches() == 0); /* some live object in each slab */
    for (int i = 0; i < 64; i += 4) {
        CHECK(all_are((unsigned char *)objects[i], 512, i));
        slab_free(cache, objects[i]);
    }
    CHECK(slab_shrink_caches() > 0 && slab_shrink_caches() == 0);
    slab_cache_destroy(cache);
    works();
}

/* kmalloc */

TEST(b166_b167_b168_b169_b173_b174_b175_b176_b185_sizes)
{
    scene();
    buddy_stats_t buddy;
    REFUSED(kmalloc(0));
    REFUSED(kzalloc(0));
    REFUSED(kmalloc_aligned(0, 64));
    for (size_t i = 0; i < COUNT(IMPOSSIBLE); i++) {
        REFUSED(kmalloc(IMPOSSIBLE[i]));
        REFUSED(kzalloc(IMPOSSIBLE[i]));
        REFUSED(kmalloc_aligned(IMPOSSIBLE[i], 64));
    }
    buddy_get_stats(&buddy);
    REFUSED(kmalloc(frame_get_free_memory() + buddy.free_bytes + 1));
    REFUSED(kzalloc(frame_get_free_memory() + buddy.free_bytes + 1));
    for (int i = 0; i < 50; i++) {
        unsigned char *one = kmalloc(1), *zero;
        CHECK(one != NULL && kmalloc_size(one) >= 1);
        memset(one, 0xEE, kmalloc_size(one));
        kfree(one);
        CHECK((zero = kzalloc(1)) != NULL && *zero == 0);
        kfree(zero);
    }
    for (size_t size = 1; size < 300000; size = size * 3 + 1) {
        unsigned char *used = kmalloc(size), *zeros;
        memset(used, 0xEE, kmalloc_size(used));
        kfree(used);
        CHECK((zeros = kzalloc(size)) != NULL && all_are(zeros, size, 0));
        kfree(zeros);
    }
    works();
}

TEST(b180_b181_b182_b183_b184_b186_b187_b188_alignments)
{
    scene();
    const size_t wrong[] = {3, 6, 48, 100, (1ul << 63) | 1, 1ul << 63, SIZE_MAX};
    for (size_t i = 0; i < COUNT(wrong); i++)
        REFUSED(kmalloc_aligned(64, wrong[i]));
    REFUSED(kmalloc_aligned(SIZE_MAX - 63, 64));
    for (size_t align = 0; align <= 256 << 10; align = align ? align * 2 : 1) {
        unsigned char *memory = kmalloc_aligned(100, align);
        CHECK(memory != NULL && (align == 0 || (uintptr_t)memory % align == 0) && kmalloc_size(memory) >= 100);
        memset(memory, 3, 100);
        memory = krealloc(memory, 9000);
        CHECK(memory != NULL && all_are(memory, 100, 3));
        kfree(memory);
    }
    works();
}

TEST(b189_b190_b191_b192_b193_b194_b195_b196_reallocation)
{
    scene();
    unsigned char *memory = krealloc(NULL, 100);
    CHECK(memory != NULL);
    memset(memory, 9, 100);
    CHECK(krealloc(memory, 100) == memory && all_are(memory, 100, 9));
    REFUSED(krealloc(memory, SIZE_MAX));
    REFUSED(krealloc(memory, 1ul << 40));
    coalmm_fail_nth(1);
    CHECK(krealloc(memory, 5000) == NULL);
    coalmm_fail_nth(0);
    CHECK(all_are(memory, 100, 9));
    REPORTED(COALMM_INVALID_POINTER, CHECK(krealloc(memory + 16, 50) == NULL));
    REPORTED(COALMM_INVALID_POINTER, CHECK(krealloc(live.objects[0], 50) == NULL));
    REPORTED(COALMM_INVALID_POINTER, CHECK(krealloc(live.block, 50) == NULL));
    REPORTED(COALMM_INVALID_POINTER, CHECK(krealloc(&memory, 50) == NULL));
    CHECK(krealloc(memory, 0) == NULL && reports == 1);
    REPORTED(COALMM_DOUBLE_FREE, CHECK(krealloc(memory, 50) == NULL));
    REPORTED(COALMM_DOUBLE_FREE, CHECK(krealloc(memory, 5000) == NULL));
    unsigned char *large = kmalloc(100000);
    memset(large, 8, 100000);
    large = krealloc(large, 200000);
    CHECK(large != NULL && all_are(large, 100000, 8));
    large = krealloc(large, 50);
    CHECK(large != NULL && all_are(large, 50, 8));
    kfree(large);
    works();
}

TEST(b198_b199_b201_b202_b203_b204_b205_b206_b208_b209_b210_b211_b212_frees_and_sizes)
{
    scene();
    UNCHANGED(kfree(NULL); CHECK(kmalloc_size(NULL) == 0));
    for (size_t size = 1; size < 300000; size = size * 5 + 3) {
        unsigned char *memory = kmalloc(size);
        size_t room = kmalloc_size(memory);
        CHECK(room >= size && kmalloc_size(memory) == room);
        memset(memory, 1, room);
        CHECK(coalmm_validate() == 0);
        REPORTED(COALMM_INVALID_POINTER, kfree(memory + 1));
        REPORTED(COALMM_INVALID_POINTER, CHECK(kmalloc_size(memory + 1) == 0));
        REPORTED(COALMM_INVALID_POINTER, kfree(memory + 8));
        if (room > PAGE) {
            REPORTED(COALMM_INVALID_POINTER, kfree(memory + PAGE));
            REPORTED(COALMM_INVALID_POINTER, CHECK(kmalloc_size(memory + PAGE) == 0));
        }
        kfree(memory);
        reports = 0;
        kfree(memory);
        CHECK(reports == 1);
        CHECK(kmalloc_size(memory) == 0 && reports == 2);
    }
    for (int i = 0, count = find_foreign(); i < count; i++) {
        REPORTED(COALMM_INVALID_POINTER, kfree(foreign[i]));
        REPORTED(COALMM_INVALID_POINTER, CHECK(kmalloc_size(foreign[i]) == 0));
        REPORTED(COALMM_INVALID_POINTER, CHECK(krealloc(foreign[i], 10) == NULL));
    }
    works();
}

TEST(b207_b159_b160_red_zones)
{
    reboot("ram=4M debug");
    unsigned char *memory = kmalloc(100);
    memory[100] = 1;
    reports = 0;
    kfree(memory);
    CHECK(reports == 1 && last_report.kind == COALMM_CORRUPTION && strcmp(last_report.function, "kfree") == 0);
    CHECK(coalmm_validate() == -EIO && strstr(coalmm_error(), "red zone"));
    memory[100] = 0xBB;
    for (int value = 0; coalmm_validate() != 0 && value < 256; value++)
        memory[100] = (unsigned char)value; /* as it was */
    kfree(memory);
    CHECK(coalmm_validate() == 0);
    unsigned char *object = kmalloc(48);
    kfree(object);
    object[5] = 1; /* use after free */
    CHECK(coalmm_validate() == -EIO && strstr(coalmm_error(), "use after free"));
    object[5] = 0x6b;
}

TEST(b319_a_million_random_calls)
{
    static struct { unsigned char *memory; size_t size; } slots[512];
    unsigned state = 1;
    scene();
    size_t before = free_memory();
    memset(slots, 0, sizeof slots);
    for (int i = 0; i < 1000000; i++) {
        state = state * 1664525u + 1013904223u;
        int at = state >> 8 & 511;
        size_t size = (state >> 17 & 15) == 0 ? (state >> 4 & 8191) + 1 : (state >> 21 & 255) + 1;
        unsigned char *memory = slots[at].memory, mark = (unsigned char)at;
        if (memory == NULL || (state >> 30 & 1)) {
            size_t kept = memory == NULL ? 0 : slots[at].size < size ? slots[at].size : size;
            unsigned char *moved = krealloc(memory, size);
            if (moved == NULL)
                continue;
            CHECK(kept == 0 || (moved[0] == mark && moved[kept - 1] == mark));
            memset(moved, mark, size);
            slots[at].memory = moved;
            slots[at].size = size;
        } else {
            CHECK(memory[0] == mark && memory[slots[at].size - 1] == mark && memory[slots[at].size / 2] == mark);
            kfree(memory);
            slots[at].memory = NULL;
        }
    }
    for (int i = 0; i < 512; i++)
        kfree(slots[i].memory);
    CHECK(reports == 0 && free_memory() == before);
    works();
}
