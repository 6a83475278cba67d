"""B268 to B293: validate_user_pointer, validate_user_buffer."""

import pytest
from scene import FRAME, SIZE_MAX, USER, every_mode

from coalmm import api
from coalmm.api import EFAULT, PAGE_PRESENT, PAGE_WRITABLE
from coalmm.virtual.constants import MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE

FIXED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
READ_ONLY = USER + 3 * FRAME


@pytest.fixture(params=[api.validate_user_pointer, api.validate_user_buffer])
def ask(request):
    return request.param


@pytest.fixture
def process(scene):
    """The current process: three pages to write, one to read, a hole."""
    process = scene.kernel.processes.create("user")
    assert process.map(USER, 4 * FRAME, "rw", FIXED) == USER
    assert process.protect(READ_ONLY, FRAME, "r") == 0
    scene.kernel.processes.switch(process.record)
    yield process
    process.exit()
    scene.works()


def is_false(scene, ask, pointer, size):
    for write in (False, True):
        assert scene.unchanged(ask, pointer, size, write, works=False) is False


@every_mode
def test_b268_b270_b278_b281_b283_b291_null_kernel_and_non_canonical_pointers(scene, process, ask):
    form = scene.kernel.format
    for pointer in (0, form.user_top, form.kernel_base, next(iter(scene.live)), *form.hole, 1 << 63, SIZE_MAX):
        for size in (0, 1, 8, FRAME):
            is_false(scene, ask, pointer, size)


@every_mode
def test_b269_b282_size_0_asks_only_about_the_address(scene, process, ask):
    for pointer in (1, USER, 2 * USER, scene.kernel.format.user_top - 1):
        assert scene.unchanged(ask, pointer, 0, True, works=False) is True


@every_mode
def test_b271_b272_b284_b285_ranges_that_leave_user_space_or_wrap(scene, process, ask):
    top = scene.top_page()
    assert ask(top - 8, 8, True) is True
    is_false(scene, ask, top - 8, 16)
    for size in (SIZE_MAX, SIZE_MAX - USER + 1, 1 << 63, top):
        is_false(scene, ask, USER, size)
    api.paging_unmap_page(top - FRAME)


@every_mode
def test_b273_b286_a_hole_in_the_middle(scene, process, ask):
    assert ask(USER, 3 * FRAME, True) is True
    process.unmap(USER + FRAME, FRAME)
    assert ask(USER, 3 * FRAME, True) is False and ask(USER, FRAME + 1, False) is False
    assert ask(USER, FRAME, True) is True and ask(USER + 2 * FRAME, FRAME, True) is True


@every_mode
def test_b274_b287_a_read_only_page(scene, process, ask):
    assert ask(READ_ONLY, 8, False) is True
    assert ask(READ_ONLY, 8, True) is False
    assert ask(READ_ONLY - 4, 8, False) is True and ask(READ_ONLY - 4, 8, True) is False


@every_mode
def test_b275_b288_a_copy_on_write_page_can_be_written(scene, process, ask):
    process.write(USER, b"parent")
    child = process.fork()
    process.read(USER, 1)
    assert ask(USER, 8, True) is True
    assert child.read(USER, 6) == b"parent"
    child.exit()


@every_mode
def test_b276_b289_a_page_that_was_never_touched(scene, process, ask):
    assert process.usage.rss == 0
    assert ask(USER, 3 * FRAME, True) is True


@every_mode
def test_b277_b290_a_supervisor_page(scene, process, ask):
    scene.mapped(2 * USER, PAGE_PRESENT | PAGE_WRITABLE)
    for write in (False, True):
        assert ask(2 * USER, 8, write) is False
    api.paging_unmap_page(2 * USER)


@every_mode
def test_b279_asking_about_a_pointer_changes_nothing(scene, process):
    process.write(USER, b"x")
    for pointer, size in ((USER, 3 * FRAME), (READ_ONLY, 8), (2 * USER, 8), (0, 8)):
        for write in (False, True):
            scene.unchanged(api.validate_user_pointer, pointer, size, write, works=False)


@every_mode
def test_b292_a_buffer_that_is_valid_is_present(scene, process):
    assert api.validate_user_buffer(USER, 3 * FRAME, True) is True
    assert process.usage.rss == 3 * FRAME
    with scene.kernel.failing(every=1):
        assert api.copy_to_user(USER, bytes(3 * FRAME), 3 * FRAME) == 0


@every_mode
def test_b280_b293_an_earlier_answer_is_never_trusted(scene, process, ask):
    process.write(USER, b"x")
    assert ask(USER, 8, True) is True
    process.unmap(USER, FRAME)
    assert scene.failed(api.copy_to_user, USER, b"too late", 8) == -EFAULT
    assert scene.failed(api.copy_from_user, bytearray(8), USER, 8) == -EFAULT
    assert ask(USER, 8, True) is False


def test_b268_what_is_no_number_is_refused(scene, process, ask):
    scene.wrong_types(ask, 8, True)
    scene.wrong_types(ask, True, before=(USER,))
    for write in (0, 1, None, "yes"):  # any truth value will do
        assert ask(USER, 8, write) is True
