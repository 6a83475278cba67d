"""Policies of the user's: what they choose happens, what cannot be is refused by the hook's name."""

import runpy

import pytest

import coalmm
from coalmm.errors import PolicyError
from coalmm.virtual.constants import RECLAIM
from machines import PROJECT

PAGE = 4096
PAGES = 300
SHIPPED = sorted(path.stem for path in (PROJECT / "examples" / "policies").glob("*.py"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"".join(number.to_bytes(2, "little") * (PAGE // 2) for number in range(PAGES)))
    return str(path)


def started(policy, path, ram="16M"):
    kernel = coalmm.boot(ram=ram, policy=policy)
    process = kernel.processes.create("test")
    return kernel, process, process.map(0, PAGES * PAGE, "r", file=path)


def shipped(name):
    return runpy.run_path(str(PROJECT / "examples" / "policies" / f"{name}.py"))["Policy"]()


@pytest.mark.parametrize("name", SHIPPED)
def test_with_each_shipped_policy_a_file_larger_than_ram_reads_as_it_is(name, path):
    with open(path, "rb") as file:
        expected = file.read()
    kernel, process, start = started(shipped(name), path, "2M")
    for _ in range(3):
        assert process.read(start, PAGES * PAGE) == expected
    kernel.validate()
    assert kernel.files.reclaimer.shrink(RECLAIM) > 0
    kernel.validate()
    kernel.close()


def test_evict_gets_accessed_bits_and_ages_and_chooses(path):
    seen = []

    class Youngest:
        def evict(self, pages, count):
            seen.append(pages)
            return pages[-count:]

    kernel, process, start = started(Youngest(), path)
    process.read(start, PAGES * PAGE)
    kernel.files.reclaim(2)
    process.read(start + 7 * PAGE, 1)
    kernel.files.reclaim(2)
    first, second = seen
    assert all(page.accessed and page.mappings == 1 and not page.dirty for page in first)
    assert [page.age for page in first] == sorted((page.age for page in first), reverse=True)
    assert [page.number for page in second if page.accessed] == [7]
    gone = {page.number for page in first} - {page.number for page in second}
    assert gone == {page.number for page in first[-2:]}


def test_windows_are_what_the_policy_says(path):
    kernel, process, start = started(shipped("one_page"), path)
    process.read(start, 20 * PAGE)
    assert process.faults["file"] == process.faults["read"] == 20 == kernel.files.cache.pages


class Answers:
    def __init__(self, name, answer):
        setattr(self, name, answer)


@pytest.mark.parametrize(("name", "answer"), [
    ("evict", lambda pages, count: None),
    ("evict", lambda pages, count: [pages[0], pages[0]]),
    ("evict", lambda pages, count: [pages[0]._replace(pfn=1)]),
    ("evict", lambda pages, count: [7]),
    ("evict", lambda pages, count: 1 // 0),
    ("read_window", lambda index, pages: (index + 1, index + 2)),
    ("read_window", lambda index, pages: (0, 1 << 40)),
    ("read_window", lambda index, pages: (-1, index + 1)),
    ("read_window", lambda index, pages: 3),
    ("fault_around", lambda: 3),
    ("fault_around", lambda: 0),
    ("fault_around", lambda: True),
    ("fault_around", lambda: 1 << 20),
])  # fmt: skip
def test_an_answer_that_cannot_be_names_the_hook_and_leaves_the_machine_whole(name, answer, path):
    kernel, process, start = started(None, path)
    process.read(start + 200 * PAGE, 100 * PAGE)
    process.read(start, 100 * PAGE)
    kernel.use_policy(Answers(name, answer))
    with pytest.raises(PolicyError, match=f"the policy's {name} "):
        process.read(start + 150 * PAGE, 1)
        kernel.files.reclaim(RECLAIM)
    kernel.validate()
    kernel.use_policy(Answers("fault_around", lambda: 16))
    assert process.read(start + 299 * PAGE, 2) == (299).to_bytes(2, "little")


def test_an_object_without_a_hook_is_refused():
    with pytest.raises(ValueError, match="has one of the methods evict, read_window, fault_around"):
        coalmm.boot(policy=object())


def test_pages_that_went_while_the_policy_chose_are_passed_over(path):
    class Meddler:
        def evict(self, pages, count):
            process.unmap(start, 200 * PAGE)
            kernel.files.drop_unused()
            frames.extend(kernel.frame_alloc() for _ in range(50))
            return pages

    frames = []
    kernel, process, start = started(Meddler(), path)
    process.read(start, PAGES * PAGE)
    assert kernel.files.reclaim(1000) == 36  # of the 100 that stayed, 64 are young
    kernel.validate()
    for frame in frames:
        kernel.frame_free(frame)
    kernel.validate()
    kernel.close()


@pytest.mark.parametrize("act", ["zero", "read", "copy", "copied"])
def test_what_a_policy_raises_in_a_fault_costs_no_frame(act, path):
    class Raises:
        def evict(self, pages, count):
            raise ValueError("no")

    kernel, process, start = started(None, path, "2M")
    private = process.map(0, PAGES * PAGE, "rw", file=path)
    own = process.map(0, 16 * PAGE)
    do = {
        "zero": lambda: process.write(own, b"x"),
        "read": lambda: process.read(start + 150 * PAGE, 1),
        "copy": lambda: process.write(private + 100 * PAGE, b"x"),
        "copied": lambda: process.write(private, b"x"),
    }[act]
    process.read(private, 1)
    frames = []
    while kernel.frames.statistics().free >= kernel.files.low:
        frames.append(kernel.frame_alloc())
    kernel.use_policy(Raises())
    before = kernel.frames.statistics().free, process.usage
    with pytest.raises(PolicyError, match="evict raised ValueError: no"):
        do()
    assert (kernel.frames.statistics().free, process.usage) == before
    kernel.validate()
    kernel.use_policy(shipped("fifo"))
    do()
    for frame in frames:
        kernel.frame_free(frame)
    process.exit()
    kernel.files.drop_unused()
    assert kernel.files.cache.pages == 0
    kernel.close()
