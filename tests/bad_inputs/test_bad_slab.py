"""B124 to B165: slab caches and their objects."""

import contextlib

import pytest
from scene import FRAME, MIB, OTHER_TYPES, SIZE_MAX, every_mode

from coalmm import api
from coalmm.errors import CorruptionError, DoubleFreeError, InUseError, InvalidPointerError, MisuseError

WRONG_POINTERS = (1, 8, 16, FRAME, 0x4000_0000, 1 << 47, 1 << 63, SIZE_MAX, SIZE_MAX - 7, SIZE_MAX & ~0xFFF)


def new(size=64, align=0, ctor=None, dtor=None, name="new"):
    cache = api.slab_cache_create(name, size, align, ctor, dtor)
    assert cache
    return cache


def take(cache, count):
    objects = [api.slab_alloc(cache) for _ in range(count)]
    assert all(objects) and len(set(objects)) == count
    return objects


def info(kernel, cache):
    return next(each for each in kernel.slabs.caches() if each.address == cache)


# slab_cache_create


@every_mode
def test_b124_size_0_is_null(scene):
    for align in (0, 1, 8, FRAME, 3):
        scene.null(api.slab_cache_create, "empty", 0, align, None, None, works=False)
    scene.works()


@every_mode
def test_b125_objects_of_one_byte_are_distinct(scene):
    cache = new(1, 1)
    for number, address in enumerate(take(cache, 1000)):
        scene.kernel.memory[address] = number & 0xFF
    scene.check()


@every_mode
def test_b126_huge_objects_are_whole_slabs_or_null(scene):
    for size in (16 * MIB + 1, 1 << 31, 1 << 32, 1 << 62, 1 << 63, SIZE_MAX - 4095, SIZE_MAX - 7, SIZE_MAX):
        for align in (0, 1, 8, 64, FRAME):
            scene.null(api.slab_cache_create, "huge", size, align, None, None, works=False)
    for size in (FRAME + 1, 3 * FRAME, 70_000, MIB):
        cache = new(size)
        for address in take(cache, 2):
            scene.watch(address, size)
        for address in list(scene.live)[-2:]:
            api.slab_free(cache, scene.unwatch(address))
        api.slab_cache_destroy(cache)
    scene.works()


@pytest.mark.parametrize("size", [1, 2, 4, 6, 8, 24, 32, 100])
def test_b127_align_0_is_what_c_needs(scene, size):
    natural = min(size & -size, 16)
    assert all(address % natural == 0 for address in take(new(size, 0), 20))


def test_b128_an_alignment_that_is_no_power_of_two_is_null(scene):
    for align in (3, 5, 12, 24, 100, 4097, SIZE_MAX, (1 << 63) + 1):
        scene.null(api.slab_cache_create, "crooked", 64, align, None, None, works=False)
    scene.works()


def test_b129_align_1_works(scene):
    take(new(7, 1), 100)


@every_mode
def test_b130_a_large_alignment_is_null_or_real(scene):
    for align in (1 << 63, 1 << 40, 1 << 32, 32 * MIB):
        scene.null(api.slab_cache_create, "wide", 64, align, None, None, works=False)
    for align in (64, FRAME, 2 * FRAME, 64 << 10, MIB):
        cache = api.slab_cache_create("aligned", 100, align, None, None)
        address = cache and api.slab_alloc(cache)
        assert not address or (address - scene.base) % align == 0
        assert address or align > 64 << 10
    scene.works()


def test_b131_size_and_alignment_that_wrap_are_null(scene):
    for size, align in ((SIZE_MAX, 2), (SIZE_MAX - 63, 64), (SIZE_MAX, 1 << 63), (1 << 63, 1 << 63), (2, 1 << 63)):
        scene.null(api.slab_cache_create, "wraps", size, align, None, None, works=False)
    scene.works()


def test_b132_a_cache_without_a_name_can_be_printed(scene, capsys):
    for null in (None, 0):
        take(new(name=null), 1)
    api.mem_print_stats()
    assert "(unnamed)" in capsys.readouterr().out


def test_b133_long_odd_and_empty_names_overflow_nothing(scene, capsys):
    names = ["x" * 10_000, b"\xff\xfe\x80" * 40, "", b"", "näme", "\ud8ff\udcff"[1:], b"a\0b", "é" * 79]
    for name in names:
        cache = new(name=name)
        scene.watch(take(cache, 1)[0], 64)
        assert len(info(scene.kernel, cache).name.encode()) <= 4 * 80
    api.mem_print_stats()
    scene.works()
    for wrong in (1, -1, 1.5, object(), ["x"]):
        scene.reported(api.slab_cache_create, wrong, 64, 0, None, None, error=TypeError)
    assert capsys.readouterr().out.isprintable() is False  # it has lines


def test_b134_a_name_that_is_changed_later_stays_as_it_was(scene):
    buffer = bytearray(b"original")
    cache = new(name=buffer)
    buffer[:] = b"changed!"
    assert info(scene.kernel, cache).name == "original"


def test_b135_two_caches_may_have_one_name(scene):
    first, second = new(name="twin"), new(name="twin")
    assert first != second
    a, b = take(first, 1)[0], take(second, 1)[0]
    scene.reported(api.slab_free, first, b, error=InvalidPointerError)
    api.slab_free(first, a)
    api.slab_free(second, b)


@every_mode
def test_b136_without_memory_for_the_cache_it_is_null_and_nothing_leaks(scene):
    give_back = scene.exhaust_heap()
    made = 0
    while cache := api.slab_cache_create("last", 64, 0, None, None):  # records that a slab still has room for
        made += 1
        assert api.slab_alloc(cache) == 0
    scene.null(api.slab_cache_create, "none", 64, 0, None, None, works=False)
    assert made < 64
    give_back()
    scene.works()


def test_b137_a_constructor_that_allocates_from_its_own_cache_is_reported(scene):
    cache = 0

    def ctor(address):
        api.slab_alloc(cache)

    cache = new(ctor=ctor)
    before = scene.counts()
    with pytest.raises(InUseError):
        api.slab_alloc(cache)
    assert scene.counts() == before
    api.slab_cache_destroy(cache)
    scene.works()


@pytest.mark.parametrize("at", [0, 1, 5])
def test_b137_a_constructor_that_raises_leaves_no_half_object(scene, at):
    built = []

    def ctor(address):
        if len(built) == at:
            built.append(0)
            raise RuntimeError("no")
        built.append(address)

    cache = new(ctor=ctor)
    before = scene.counts()
    with pytest.raises(RuntimeError):
        api.slab_alloc(cache)
    assert scene.counts() == before
    scene.check()
    objects = take(cache, 3)  # the next try constructs
    for address in objects:
        api.slab_free(cache, address)
    api.slab_cache_destroy(cache)
    scene.works()


def test_what_is_no_number_or_function_is_refused(scene):
    scene.wrong_types(api.slab_cache_create, 0, None, None, before=("x",))
    scene.wrong_types(api.slab_cache_create, None, None, before=("x", 8))
    for wrong in (1, -1, 1.5, "f", b"f"):
        scene.reported(api.slab_cache_create, "x", 8, 0, wrong, None, error=TypeError, works=False)
        scene.reported(api.slab_cache_create, "x", 8, 0, None, wrong, error=TypeError, works=False)
    for call in (api.slab_cache_destroy, api.slab_alloc):
        scene.wrong_types(call)
    scene.wrong_types(api.slab_free, 0)
    scene.wrong_types(api.slab_free, before=(scene.cache,))


# slab_cache_destroy


def test_b138_destroying_null_is_nothing(scene):
    scene.unchanged(api.slab_cache_destroy, 0)


@every_mode
def test_b139_a_cache_with_live_objects_is_not_destroyed(scene):
    cache = new()
    objects = take(cache, 70)
    for address in objects:
        scene.watch(address, 64)
    error = scene.reported(api.slab_cache_destroy, cache, error=InUseError)
    assert "70 live objects" in str(error)
    for address in objects:
        api.slab_free(cache, scene.unwatch(address))
    api.slab_cache_destroy(cache)
    scene.works()


def test_b139_the_allocators_own_caches_are_not_destroyed(scene):
    for cache in list(scene.kernel.slabs.caches()):
        if cache.name == "slab_cache" or cache.name.startswith("kmalloc-"):
            scene.reported(api.slab_cache_destroy, cache.address, error=InUseError, works=False)
    scene.works()


@every_mode
def test_b140_b142_b143_b147_a_destroyed_cache_is_reported(scene):
    cache = new()
    address = take(cache, 1)[0]
    api.slab_free(cache, address)
    api.slab_cache_destroy(cache)
    scene.reported(api.slab_cache_destroy, cache, works=False)
    scene.reported(api.slab_alloc, cache, works=False)
    scene.reported(api.slab_free, cache, address, works=False)
    scene.works()


@every_mode
def test_b141_what_is_no_cache_is_reported(scene):
    for pointer in (*WRONG_POINTERS, scene.cache + 8, scene.cache + 128, scene.base, *scene.live):
        scene.reported(api.slab_cache_destroy, pointer, error=InvalidPointerError, works=False)
        scene.reported(api.slab_alloc, pointer, error=InvalidPointerError, works=False)
        scene.reported(api.slab_free, pointer, next(iter(scene.live)), error=InvalidPointerError, works=False)
    scene.works()


def test_b144_the_destructor_runs_once_for_each_constructed_object(scene):
    built, destroyed = [], []
    cache = new(48, 0, built.append, destroyed.append)
    objects = take(cache, 300)
    for address in objects:
        api.slab_free(cache, address)
    assert set(objects) <= set(built)
    api.slab_cache_destroy(cache)
    assert sorted(built) == sorted(destroyed) and len(built) >= 300
    scene.works()


# slab_alloc


def test_b145_null_has_no_objects(scene):
    assert scene.unchanged(api.slab_alloc, 0) == 0


@every_mode
def test_b146_without_memory_it_is_null_and_works_again_after_a_free(scene):
    cache = new(1000)
    give_back = scene.exhaust_heap()
    objects = []
    while address := api.slab_alloc(cache):
        objects.append(address)
    scene.null(api.slab_alloc, cache, works=False)
    give_back()
    objects = take(cache, 3)
    api.slab_free(cache, objects[1])
    assert api.slab_alloc(cache) == objects[1]
    scene.works()


@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_b148_every_nth_allocation_fails_exactly(scene, every):
    with scene.kernel.failing(every=every, points=("slab",)):
        results = [api.slab_alloc(scene.cache) for _ in range(21)]
    assert [index for index, address in enumerate(results, 1) if not address] == list(range(every, 22, every))
    for address in filter(None, results):
        api.slab_free(scene.cache, address)
    scene.works()


def test_b149_a_write_after_free_is_reported_when_the_object_is_handed_out(debug):
    for offset, pattern in ((0, 0x6B), (50, 0x6B), (95, 0xA5)):
        cache = new(96, name=f"poisoned-{offset}")
        address = take(cache, 1)[0]
        api.slab_free(cache, address)
        debug.kernel.memory[address + offset] = 0x41
        with pytest.raises(CorruptionError) as caught:
            for _ in range(100):
                api.slab_alloc(cache)
        assert caught.value.address == address + offset
        assert f"{pattern:#04x}" in str(caught.value) and f"offset {offset}" in str(caught.value)
        debug.check()


@every_mode
def test_b150_overwriting_free_objects_cannot_lead_an_allocation_outside(scene):
    cache = new(64)
    objects = take(cache, 200)
    for address in objects:
        api.slab_free(cache, address)
    for address in objects:  # nothing is kept in free objects: any bytes will do
        scene.kernel.memory.write(address, b"\xff\xee\xdd\xcc\xbb\xaa\x99\x88" * 8)
    pages = {address >> 12 for address in objects}
    again = take(cache, 200)
    assert {address >> 12 for address in again[:60]} <= pages
    for address in again:
        assert scene.base < address < scene.base + scene.ram.size
        api.slab_free(cache, address)
    scene.works()


# slab_free


def test_b151_freeing_null_is_nothing(scene):
    scene.unchanged(api.slab_free, scene.cache, 0)


def test_b152_a_null_cache_is_reported(scene):
    for address in (0, *scene.live):
        scene.reported(api.slab_free, 0, address, error=InvalidPointerError, works=False)
    scene.works()


@every_mode
def test_b153_freeing_twice_is_reported_and_the_next_two_differ(scene):
    cache = new()
    address = take(cache, 1)[0]
    api.slab_free(cache, address)
    scene.reported(api.slab_free, cache, address, error=DoubleFreeError)
    take(cache, 2)


@every_mode
def test_b154_a_b_a_is_reported_and_the_next_three_differ(scene):
    cache = new()
    a, b = take(cache, 2)
    api.slab_free(cache, a)
    api.slab_free(cache, b)
    scene.reported(api.slab_free, cache, a, error=DoubleFreeError)
    take(cache, 3)


@every_mode
@pytest.mark.parametrize("offset", [1, 8, 32, 63])
def test_b155_a_pointer_into_an_object_is_reported(scene, offset):
    cache = new(64)
    address = scene.watch(take(cache, 1)[0], 64)
    scene.reported(api.slab_free, cache, address + offset, error=InvalidPointerError)
    api.slab_free(cache, scene.unwatch(address))


@every_mode
def test_b156_an_object_of_another_cache_is_reported_with_both_names(scene):
    mine, other = new(64, name="mine"), new(64, name="other")
    address = scene.watch(take(other, 1)[0], 64)
    error = scene.reported(api.slab_free, mine, address, error=InvalidPointerError)
    assert "'mine'" in str(error) and "'other'" in str(error)
    api.slab_free(other, scene.unwatch(address))


@every_mode
def test_b157_what_is_no_object_is_reported(scene):
    foreign = [address for address in scene.live if address not in objects_of(scene)]
    for pointer in (*WRONG_POINTERS, scene.base, scene.base + scene.ram.size, scene.cache, *foreign):
        scene.reported(api.slab_free, scene.cache, pointer, error=InvalidPointerError, works=False)
    scene.works()


def objects_of(scene):
    """The watched objects that the watched cache owns."""
    return {address for address, data in scene.live.items() if len(data) == 96}


@every_mode
@pytest.mark.parametrize("size", [24, 100, 3000])
def test_b158_a_pointer_to_what_lies_around_the_objects_is_reported(scene, size):
    cache = new(size)
    objects = take(cache, 3 * info(scene.kernel, cache).objects_per_slab)
    starts = set(objects)
    pages = sorted({address & ~0xFFF for address in objects})
    for page in pages[:4]:
        for pointer in range(page, page + FRAME, 8):
            if pointer not in starts:
                with pytest.raises(InvalidPointerError):
                    api.slab_free(cache, pointer)
    scene.check()
    for address in objects:
        api.slab_free(cache, address)
    scene.works()


@pytest.mark.parametrize("size", [1, 30, 96, 5000])
def test_b159_a_write_past_the_end_is_reported_at_the_free(debug, size):
    cache = new(size)
    address = take(cache, 1)[0]
    debug.kernel.memory[address + size] = 0x41
    error = debug.reported(api.slab_free, cache, address, error=CorruptionError, whole=False)
    assert error.address == address + size
    assert "0xcc" in str(error) and "0x41" in str(error) and f"{address:#x}" in str(error)
    debug.kernel.memory[address + size] = 0xCC
    api.slab_free(cache, address)


@pytest.mark.parametrize("size", [1, 30, 96, 5000])
def test_b160_a_write_before_the_start_is_reported_at_the_free(debug, size):
    cache = new(size)
    address = take(cache, 1)[0]
    debug.kernel.memory[address - 1] = 0x41
    error = debug.reported(api.slab_free, cache, address, error=CorruptionError, whole=False)
    assert error.address == address - 1 and "left red zone" in str(error)
    debug.kernel.memory[address - 1] = 0xCC
    api.slab_free(cache, address)


# slab_shrink_caches


def test_b161_without_caches_no_page_is_reclaimed(bare):
    assert bare.unchanged(api.slab_shrink_caches, works=False) == 0


@every_mode
def test_b162_b163_b165_only_empty_slabs_go_and_only_once(scene):
    api.slab_shrink_caches()
    cache = new(1000)
    per_slab = info(scene.kernel, cache).objects_per_slab
    objects = take(cache, 5 * per_slab)
    for address in objects:
        scene.watch(address, 1000)
    assert api.slab_shrink_caches() == 0
    for index, address in enumerate(objects):
        if index % per_slab:
            api.slab_free(cache, scene.unwatch(address))
    assert api.slab_shrink_caches() == 0  # one live object a slab
    scene.check()
    for address in objects[::per_slab]:
        api.slab_free(cache, scene.unwatch(address))
    assert api.slab_shrink_caches() > 0
    assert scene.unchanged(api.slab_shrink_caches, works=False) == 0
    assert info(scene.kernel, cache).slabs == 0
    scene.works()


def test_b164_shrinking_inside_a_constructor_or_destructor_does_no_damage(scene):
    calls = []

    def shrink(address):
        calls.append(address)
        with contextlib.suppress(MisuseError):
            api.slab_shrink_caches()

    cache = new(500, 0, shrink, shrink)
    objects = take(cache, 20)
    for address in objects:
        scene.watch(address, 500)
    scene.check()
    for address in objects:
        api.slab_free(cache, scene.unwatch(address))
    api.slab_shrink_caches()
    scene.check()
    api.slab_cache_destroy(cache)
    scene.works()
    assert calls


@pytest.mark.parametrize("action", ["destroy", "free", "alloc"])
def test_b164_a_destructor_that_uses_its_own_cache_does_no_damage(scene, action):
    state = {}

    def dtor(address):
        try:
            if action == "destroy":
                api.slab_cache_destroy(state["cache"])
            elif action == "free":
                api.slab_free(state["cache"], address)
            else:
                state.setdefault("taken", api.slab_alloc(state["cache"]))
        except MisuseError:
            pass

    state["cache"] = new(500, 0, None, dtor)
    for address in take(state["cache"], 20):
        api.slab_free(state["cache"], address)
    with contextlib.suppress(MisuseError):
        api.slab_cache_destroy(state["cache"])
    scene.check()
    scene.works()


def test_b164_a_destructor_that_raises_does_no_damage(scene):
    def dtor(address):
        raise RuntimeError("no")

    cache = new(500, 0, None, dtor)
    for address in take(cache, 20):
        with contextlib.suppress(RuntimeError):
            api.slab_free(cache, address)
    scene.check()
    for _ in range(10):
        try:
            api.slab_shrink_caches()
        except RuntimeError:
            continue
        break
    scene.check()
    with contextlib.suppress(RuntimeError, MisuseError):
        api.slab_cache_destroy(cache)
    scene.check()
    scene.works()


def test_no_object_at_all_is_no_pointer(scene):
    for wrong in OTHER_TYPES:
        scene.reported(api.slab_free, scene.cache, wrong, error=TypeError, works=False)
