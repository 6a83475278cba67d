"""read, write and truncate of a file beside the areas that show it: one content, whoever looks."""

import os
import random

import pytest

from coalmm.errors import EBADF, EIO, ENOMEM, PageFaultError
from coalmm.virtual.constants import (
    F_PAGES,
    MAP_ANONYMOUS,
    MAP_NORESERVE,
    MAP_PRIVATE,
    MAP_SHARED,
)

PAGE = 4096
KINDS = ["host", "memory"]


@pytest.fixture
def content():
    return b"".join(bytes([n + 1]) * PAGE for n in range(6)) + b"tail"


@pytest.fixture
def open_file(machine, tmp_path, content):
    opened = []

    def make(kind):
        path = tmp_path / "file"
        path.write_bytes(content)
        file = machine.files.open_host(str(path), True) if kind == "host" else machine.files.create_memory(len(content))
        if kind == "memory":
            assert machine.files.write_cached(file, 0, content) == len(content)
        opened.append(file)
        return file

    yield make
    for file in opened:
        machine.files.release(file)


def share(process, file, pages, flags=MAP_SHARED):
    start = process.map(0, pages * PAGE, "rw", flags, file)
    assert start > 0
    return start


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_map_and_read_and_write_show_one_content(machine, process, open_file, content, kind):
    files, file = machine.files, open_file(kind)
    start = share(process, file, 7)
    process.write(start + PAGE - 2, b"from the map")
    assert files.read_cached(file, PAGE - 2, 12) == b"from the map"
    assert files.write_cached(file, 3 * PAGE + 5, b"from write") == 10
    assert process.read(start + 3 * PAGE + 4, 11) == b"\4from write"
    assert files.read_cached(file, 6 * PAGE, 100) == b"tail"
    assert files.read_cached(file, 9 * PAGE, 100) == b""


@pytest.mark.parametrize("kind", KINDS)
def test_writing_past_the_end_grows_the_file_and_the_gap_is_zero(machine, process, open_file, kind):
    files, file = machine.files, open_file(kind)
    start = share(process, file, 10)
    process.write(start + 6 * PAGE, b"tail and what lies past the end")
    assert files.write_cached(file, 8 * PAGE + 3, b"new end") == 7
    assert files.size(file) == 8 * PAGE + 10
    assert process.read(start + 6 * PAGE, 8) == b"tail\0\0\0\0"
    assert process.read(start + 8 * PAGE, 10) == b"\0\0\0new end"


@pytest.mark.parametrize("kind", KINDS)
def test_truncation_takes_pages_from_every_process_and_growing_again_shows_zeros(machine, process, open_file, kind):
    files, file = machine.files, open_file(kind)
    start, copy = share(process, file, 7), share(process, file, 7, MAP_PRIVATE)
    process.write(copy + 4 * PAGE, b"private")
    child = process.fork()
    assert child.read(start + 5 * PAGE, 1) == b"\6" and child.read(copy + 4 * PAGE, 7) == b"private"
    files.truncate(file, PAGE + 100)
    for each in (process, child):
        assert each.read(start + PAGE + 99, 3) == b"\2\0\0"
        for gone in (start + 2 * PAGE, start + 5 * PAGE, copy + 4 * PAGE):
            with pytest.raises(PageFaultError) as caught:
                each.read(gone, 1)
            assert caught.value.bus
    files.truncate(file, 6 * PAGE)
    assert process.read(start + PAGE, 5 * PAGE) == b"\2" * 100 + bytes(5 * PAGE - 100)
    assert child.read(copy + 4 * PAGE, 7) == bytes(7)
    machine.validate()


def test_a_hole_is_zero_in_shared_maps_and_leaves_private_copies(machine, process, open_file):
    for kind in KINDS:
        file = open_file(kind)
        start, copy = share(process, file, 7), share(process, file, 7, MAP_PRIVATE)
        process.write(copy + 2 * PAGE, b"mine")
        process.read(start + 2 * PAGE, 1)
        machine.files.punch(file, 2 * PAGE, 2 * PAGE)
        assert process.read(start + PAGE, 4 * PAGE) == b"\2" * PAGE + bytes(2 * PAGE) + b"\5" * PAGE
        assert process.read(copy + 2 * PAGE, 4) == b"mine" and process.read(copy + 3 * PAGE, 1) == b"\0"


def test_a_hole_in_a_sparse_host_file_costs_what_its_data_does(machine, process, tmp_path):
    path = tmp_path / "sparse"
    path.write_bytes(b"")
    os.truncate(path, 1 << 40)
    file = machine.files.open_host(str(path), writable=True)
    start = share(process, file, 4)
    process.write(start + PAGE, b"mapped")
    with open(path, "r+b") as stream:
        os.pwrite(stream.fileno(), b"far", 1 << 39)
    machine.files.punch(file, 0, 1 << 40)
    assert process.read(start + PAGE, 6) == bytes(6)
    assert machine.files.read_cached(file, 1 << 39, 3) == bytes(3) and os.stat(path).st_size == 1 << 40
    machine.files.release(file)


def test_adjacent_dirty_pages_reach_the_host_together_and_others_apart(machine, process, tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(bytes(200 * PAGE + 5))
    file = machine.files.open_host(str(path), writable=True)
    start = share(process, file, 201)
    dirty = [1, 2, 3, 7, *range(20, 100), 200]
    for page in dirty:
        process.write(start + page * PAGE, bytes([page]) * 5)
    sizes = []
    write = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda fd, views, at: sizes.append(len(views)) or write(fd, views, at))
    assert machine.files.write_back(file, 2, 201) == len(dirty) - 1
    assert sorted(sizes) == [1, 1, 2, 16, 64]
    data = path.read_bytes()
    assert len(data) == 200 * PAGE + 5
    assert [page for page in range(201) if data[page * PAGE]] == dirty[1:]
    monkeypatch.setattr(os, "pwritev", lambda fd, views, at: 1)  # a disk that is full
    assert machine.files.write_back(file) == -EIO
    monkeypatch.undo()
    machine.files.release(file)


def test_what_a_map_wrote_survives_a_second_open_and_reaches_the_host_at_the_end(machine, process, open_file, tmp_path):
    files, file = machine.files, open_file("host")
    start = share(process, file, 7)
    process.write(start, b"by the map")
    files.write_cached(file, 7 * PAGE, b"appended")
    assert files.open_host(str(tmp_path / "file")) == file
    files.release(file)
    assert files.size(file) == 7 * PAGE + 8 and process.read(start, 10) == b"by the map"
    process.unmap(start, 7 * PAGE)
    assert files.write_back(file) == 1
    data = (tmp_path / "file").read_bytes()
    assert data[:10] == b"by the map" and data[7 * PAGE :] == b"appended" and data[6 * PAGE : 6 * PAGE + 4] == b"tail"


def test_a_file_that_nobody_maps_takes_no_frame(machine, open_file, content):
    files, file = machine.files, open_file("host")
    assert files.read_cached(file, 0, 1 << 40) == content
    files.write_cached(file, PAGE, b"x" * PAGE)
    assert files.read_cached(file, PAGE, PAGE) == b"x" * PAGE and files.get(file, F_PAGES) == 0


def test_a_read_only_file_refuses_and_full_memory_ends_a_write_short(machine, process, tmp_path):
    path = tmp_path / "only"
    path.write_bytes(b"read")
    file = machine.files.open_host(str(path))
    for call in (lambda: machine.files.write_cached(file, 0, b"x"), lambda: machine.files.truncate(file, 0)):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == EBADF
    machine.files.release(file)
    memory = machine.files.create_memory(0)
    done = machine.files.write_cached(memory, 0, bytes(machine.ram.size))
    assert 0 < done < machine.ram.size and done % PAGE == 0 and machine.files.size(memory) == done
    with pytest.raises(OSError) as caught:
        machine.files.write_cached(memory, done, b"x")
    assert caught.value.errno == ENOMEM
    machine.files.release(memory)


def test_dirty_pages_that_nobody_maps_go_to_the_host_when_memory_is_short(machine, process, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(4 << 20))
    file = machine.files.open_host(str(path), True)
    start = process.map(0, 4 << 20, "rw", MAP_SHARED, file)
    for at in range(0, 4 << 20, PAGE):
        process.write(start + at, b"dirty")
    process.unmap(start, 4 << 20)
    room = process.map(0, 16 << 20, "rw", MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
    with pytest.raises(PageFaultError):
        for at in range(0, 16 << 20, PAGE):
            process.write(room + at, b"x")
    assert machine.files.get(file, F_PAGES) == 0
    assert path.read_bytes() == (b"dirty" + bytes(PAGE - 5)) * 1024
    machine.files.release(file)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_random_reads_writes_and_truncations_beside_a_shared_map_match_a_model(machine, process, open_file, kind, seed):
    random_ = random.Random(seed)
    files, file = machine.files, open_file(kind)
    start = share(process, file, 16)
    model = bytearray(files.read_cached(file, 0, 1 << 20))
    for _ in range(300):
        offset, size = random_.randrange(12 * PAGE), random_.randrange(1, 3 * PAGE)
        action = random_.choice(["write", "store", "truncate", "read", "load", "back"])
        data = random_.randbytes(size)
        if action == "write":
            files.write_cached(file, offset, data)
            model.extend(bytes(max(0, offset - len(model))))
            model[offset : offset + size] = data
        elif action == "store" and offset + size <= len(model):
            process.write(start + offset, data)
            model[offset : offset + size] = data
        elif action == "truncate" and random_.random() < 0.3:
            files.truncate(file, offset)
            model[:] = model[:offset] + bytes(max(0, offset - len(model)))
        elif action == "load" and offset + size <= len(model):
            assert process.read(start + offset, size) == model[offset : offset + size]
        elif action == "back":
            files.write_back(file)
        assert files.read_cached(file, offset, size) == model[offset : offset + size]
        assert files.size(file) == len(model)
    machine.validate()
