"""A machine attached read-only can be looked at; whatever could change it raises, and changes nothing."""

import itertools

import pytest

import coalmm
from coalmm import ReadOnlyError, api
from coalmm.inspect.dump import dump_text
from coalmm.inspect.leaks import leak_report
from coalmm.inspect.meminfo import meminfo_text, memory_info
from coalmm.read_only import READS
from workload import Workload

PARTS = ("ram", "mmu", "frames", "injection", "tracking", "buddy", "slabs", "heap", "page_tables", "files", "spaces",
         "processes", "memory")  # fmt: skip
ARGUMENTS = ((), (1,), (4096, 64), (0xC010_0000, b"hello", 5), (0x1000, 0x2000, 7, 0))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    workload = Workload("i386", 3)
    workload.run(200)
    path = tmp_path_factory.mktemp("images") / "machine"
    workload.kernel.save(path)
    return path


@pytest.fixture
def kernel(image):
    kernel = coalmm.attach(image, read_only=True)
    before = kernel.digest()
    yield kernel
    assert kernel.digest() == before
    kernel.validate()
    kernel.close()


def calls(thing):
    return [name for name in dir(object.__getattribute__(thing, "_target")) if not name.startswith("__")]


@pytest.mark.parametrize("part", PARTS)
def test_no_call_of_a_part_changes_the_machine(kernel, part):
    thing = getattr(kernel, part)
    refused = 0
    for name in calls(thing):
        for arguments in ARGUMENTS:
            try:
                found = getattr(thing, name)
                if callable(found):
                    found(*arguments)
            except ReadOnlyError:
                refused += 1
            except Exception:  # wrong arguments for a call that only reads
                continue
    assert refused


@pytest.mark.parametrize("name", [name for name in api.__all__ if name[0].islower()])
def test_no_function_of_the_document_changes_it(kernel, name):
    function = getattr(api, name)
    if not callable(function) or isinstance(function, type):
        return
    for count, value in itertools.product(range(6), (0, 1, 4096, 0xC010_0000)):
        try:
            function(*[value] * count)
        except (coalmm.CoalError, TypeError, ValueError, IndexError, OverflowError):
            continue


@pytest.mark.parametrize(
    "call",
    [
        lambda kernel: kernel.kmalloc(64),
        lambda kernel: kernel.frames.allocate(),
        lambda kernel: kernel.ram.write(0, b"x"),
        lambda kernel: kernel.slabs.objects.take_object(1),
        lambda kernel: kernel.processes.create("x"),
        lambda kernel: kernel.processes.find(1).write(0x1000, b"x"),
        lambda kernel: next(iter(kernel.processes)).exit(),
        lambda kernel: kernel.memory.__setitem__(0xC000_0000, 1),
        lambda kernel: setattr(kernel.mmu, "cr3", 0),
        lambda kernel: delattr(kernel, "ram"),
        lambda kernel: api.kmalloc(64),
        lambda kernel: api.krealloc(0, 64),
        lambda kernel: api.kfree(0xC010_0000),
        lambda kernel: api.buddy_init(0xC010_0000, 4096),
        lambda kernel: api.frame_alloc(),
    ],
)
def test_a_write_is_a_clear_error(kernel, call):
    with pytest.raises(ReadOnlyError, match="attached read-only; attach it without read_only"):
        call(kernel)


def test_views_of_ram_cannot_be_written(kernel):
    for view in (kernel.ram.words, kernel.ram.halves, kernel.ram.bytes, kernel.ram.mapping):
        with pytest.raises(TypeError, match="read-only"):
            view[0] = 1


def test_a_name_that_is_nowhere_is_an_attribute_error(kernel):
    with pytest.raises(AttributeError, match="Kernel has no attribute 'kmaloc'"):
        kernel.kmaloc(64)


def test_everything_that_reads_works(kernel, image):
    other = coalmm.attach(image)
    assert memory_info(kernel) == memory_info(other)
    assert meminfo_text(kernel) == meminfo_text(other)
    assert dump_text(kernel, kernel.kernel_base, 256) == dump_text(other, other.kernel_base, 256)
    assert str(leak_report(kernel)) == str(leak_report(other))
    assert [process.usage for process in kernel.processes] == [process.usage for process in other.processes]
    assert kernel.memory[0xC000_0000:0xC000_0010] == other.memory[0xC000_0000:0xC000_0010]
    assert repr(kernel.processes.find(1)) == repr(other.processes.find(1)) + ", read-only"


def test_every_name_that_reads_is_one_of_the_class():
    kernel = coalmm.boot("4M")
    kernel.processes.create("one")
    things = [kernel, kernel.ram, kernel.memory, kernel.mmu, kernel.mmu.walker, kernel.mmu.tlb, kernel.frames,
              kernel.frames.bitmap, kernel.injection, kernel.tracking, kernel.buddy, kernel.slabs, kernel.slabs.objects,
              kernel.heap, kernel.page_tables, kernel.files, kernel.files.cache, kernel.spaces, kernel.processes,
              kernel.processes.find(1)]  # fmt: skip
    assert {type(thing).__name__ for thing in things} == set(READS)
    for thing in things:
        for name in READS[type(thing).__name__].split():
            assert hasattr(thing, name), (thing, name)
