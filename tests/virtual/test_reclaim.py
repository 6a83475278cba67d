"""Pages of files leave RAM when frames are short, mapped or not, and come back as they were."""

import hashlib
import os
import random
from pathlib import Path

import pytest

from coalmm.errors import EFAULT, ENOMEM, CorruptionError, PageFaultError
from coalmm.hardware.constants import PAGE_ACCESSED, PAGE_PRESENT, PAGE_USER
from coalmm.physical.constants import D_HEAD, D_PREVIOUS
from coalmm.virtual.constants import (
    MAP_PRIVATE,
    MAP_SHARED,
    RECLAIM,
    S_RSS_ANONYMOUS,
    S_RSS_FILE,
    SB_CACHE_LISTED,
    SB_CACHE_NEWEST,
    SB_CACHE_OLDEST,
    SB_RECLAIMED,
    YOUNG,
)
from machine import Machine

PAGE = 4096
PAGES = 400
LIST = (SB_CACHE_NEWEST, SB_CACHE_OLDEST, SB_CACHE_LISTED)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content())
    return str(path)


def content(pages=PAGES):
    return b"".join(number.to_bytes(4, "little") * (PAGE // 4) for number in range(1, pages + 1))


def mapped(process, path, rights="r", flags=MAP_PRIVATE, pages=PAGES):
    """A map of the file with all of its pages brought, none of them young."""
    start = process.map(0, pages * PAGE, rights, flags, path)
    assert process.read(start, pages * PAGE) == content(pages)
    return start


def entry(process, vaddr):
    return process.processes.tables.entry(process.root, vaddr)


def forget_accesses(machine, process, start, pages=PAGES):
    """Take all accessed bits away, as a look of reclaim does."""
    tables = machine.tables.tables
    for vaddr in range(start, start + pages * PAGE, PAGE):
        if entry(process, vaddr) & PAGE_PRESENT:
            tables.put(tables.place(tables.last), entry(process, vaddr) & ~PAGE_ACCESSED)
    machine.mmu.flush()
    for pfn in machine.cache.pages_of(process.areas[0].file):
        machine.cache.take_used(pfn)


def resident(process, start, pages=PAGES):
    return [n for n in range(pages) if entry(process, start + n * PAGE) & PAGE_PRESENT]


def test_mapped_pages_are_unmapped_counted_off_and_read_again(machine, process, path):
    start = mapped(process, path)
    free, faults = machine.frames.statistics().free, process.faults
    assert machine.files.reclaim(RECLAIM) == RECLAIM
    assert machine.frames.statistics().free >= free + RECLAIM
    assert machine.spaces.get(process.space, S_RSS_FILE) == len(resident(process, start)) == PAGES - RECLAIM
    machine.validate()
    assert process.read(start, PAGES * PAGE) == content()
    assert process.faults["read"] > faults["read"]
    assert machine.spaces.get(process.space, S_RSS_FILE) == PAGES


def test_a_page_that_was_accessed_gets_a_second_chance(machine, process, path):
    start = mapped(process, path)
    forget_accesses(machine, process, start)
    for number in range(0, 2 * RECLAIM, 2):
        process.read(start + number * PAGE, 1)
    machine.files.reclaim(RECLAIM)
    assert set(resident(process, start)) >= set(range(0, 2 * RECLAIM, 2))
    assert not entry(process, start) & PAGE_ACCESSED  # the next time it goes
    assert process.read(start, PAGES * PAGE) == content()


def test_young_pages_stay_so_that_an_instruction_can_have_all_that_it_needs(machine, process, path):
    start = mapped(process, path)
    assert machine.files.reclaim(1 << 20) == PAGES - YOUNG
    assert len(resident(process, start)) == YOUNG
    assert machine.files.reclaim(1 << 20) == 0


def test_locked_pages_never_go(machine, process, path):
    start = mapped(process, path)
    assert machine.processes.locks.lock(process.space, start, 300 * PAGE) == 0
    machine.files.reclaim(1 << 20)
    assert set(resident(process, start)) >= set(range(300)) and len(resident(process, start)) < PAGES


def test_a_page_that_a_call_holds_or_that_was_mapped_by_hand_stays(machine, process, path):
    start = mapped(process, path)
    file = process.areas[0].file
    held, by_hand = machine.cache.lookup(file, 3), machine.cache.lookup(file, 5)
    machine.frames.hold(held)
    assert machine.tables.map(process.root, 0x1000_0000, by_hand << 12, PAGE_PRESENT | PAGE_USER) == 0
    machine.files.reclaim(1 << 20)
    assert machine.cache.lookup(file, 3) == held and machine.cache.lookup(file, 5) == by_hand
    assert machine.tables.physical(process.root, start + 5 * PAGE) == by_hand << 12
    machine.frames.drop(held)
    machine.tables.unmap(process.root, 0x1000_0000)


def test_a_dirty_shared_page_reaches_its_file_before_it_goes(machine, process, path):
    start = mapped(process, path, "rw", MAP_SHARED)
    process.write(start + 7 * PAGE, b"changed")
    for _ in range(2):  # the store was an access
        machine.files.reclaim(PAGES)
    assert 7 not in resident(process, start)
    with open(path, "rb") as file:
        assert os.pread(file.fileno(), 7, 7 * PAGE) == b"changed"
    assert process.read(start + 7 * PAGE, 7) == b"changed"
    process.write(start + 7 * PAGE, b"again")
    assert machine.cache.is_dirty(machine.cache.lookup(process.areas[0].file, 7))


def test_a_dirty_page_that_cannot_be_written_stays(machine, process, path, monkeypatch):
    start = mapped(process, path, "rw", MAP_SHARED)
    process.write(start, b"changed")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwritev", lambda *_: (_ for _ in ()).throw(OSError(28, "no space")))
        machine.files.reclaim(1 << 20)
    assert machine.cache.is_dirty(machine.cache.lookup(process.areas[0].file, 0))
    assert process.read(start, 7) == b"changed"


def test_private_copies_are_no_pages_of_the_file_and_stay(machine, process, path):
    start = mapped(process, path, "rw")
    process.write(start + 2 * PAGE, b"own")
    machine.files.reclaim(1 << 20)
    assert machine.spaces.get(process.space, S_RSS_ANONYMOUS) == 1
    assert process.read(start + 2 * PAGE, 3) == b"own" and process.read(start, PAGE) == content(1)


def test_every_process_that_maps_a_page_loses_it(machine, process, path):
    start = mapped(process, path)
    child = process.fork()
    other = machine.processes.create("other")
    there = other.map(0, PAGES * PAGE, "r", MAP_SHARED, path)
    assert other.read(there, PAGES * PAGE) == content()
    machine.files.reclaim(100)
    for each, at in ((process, start), (child, start), (other, there)):
        assert len(resident(each, at)) == PAGES - 100
        assert machine.spaces.get(each.space, S_RSS_FILE) == PAGES - 100
    machine.validate()
    for each, at in ((process, start), (child, start), (other, there)):
        assert each.read(at, PAGES * PAGE) == content()


def test_a_stale_translation_never_reaches_the_next_user_of_the_frame(machine, process, path):
    start = mapped(process, path)
    process.read(start, PAGES * PAGE)  # all in the TLB that has room
    machine.files.reclaim(PAGES)
    own = process.map(0, PAGES * PAGE)
    process.write(own, b"\xee" * (PAGES * PAGE))
    assert process.read(start, PAGES * PAGE) == content()


class Small:
    """A machine whose RAM is smaller than the files that its processes map."""

    def __init__(self, size, paging="i386"):
        self.machine = Machine(size, paging)
        self.process = self.machine.processes.create("small")


@pytest.mark.parametrize("paging", ["i386", "pae", "x86_64"])
def test_one_call_may_read_more_than_there_is_ram(path, paging, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(content(1500))
    small = Small(4 << 20, paging)
    start = small.process.map(0, 1500 * PAGE, "r", MAP_PRIVATE, str(large))
    assert small.process.read(start, 1500 * PAGE) == content(1500)
    assert small.process.read(start + 1, 1400 * PAGE) == content(1500)[1 : 1 + 1400 * PAGE]
    assert small.machine.ledger() == 0


def test_a_store_that_cannot_have_all_its_pages_writes_none(tmp_path):
    large = tmp_path / "large"
    large.write_bytes(content(1500))
    small = Small(4 << 20)
    start = small.process.map(0, 990 * PAGE, "rw", MAP_PRIVATE, str(large))
    with pytest.raises(PageFaultError) as caught:
        small.process.write(start, b"\xee" * (990 * PAGE))
    assert caught.value.error == -ENOMEM
    assert small.process.read(start, 100) == content(1)[:100]
    small.process.exit()
    assert small.machine.ledger() == 0


def test_a_string_that_cannot_be_read_a_second_time_is_a_fault(tmp_path, monkeypatch):
    large = tmp_path / "large"
    large.write_bytes(b"x" * (1500 * PAGE))
    small = Small(4 << 20)
    start = small.process.map(0, 1500 * PAGE, "r", MAP_PRIVATE, str(large))
    small.process.read(start, 1)
    preadv, last = os.preadv, []

    def once(fd, views, offset):
        if last:
            raise OSError(5, "the disk is broken")
        got = preadv(fd, views, offset)
        if offset + got == 1500 * PAGE:
            last.append(offset)
        return got

    copy = bytearray(1500 * PAGE)
    with monkeypatch.context() as patch:
        patch.setattr(os, "preadv", once)
        assert small.machine.user.strncpy_from_user(copy, start, len(copy)) == -EFAULT
    assert last and not any(copy)
    assert small.machine.user.strncpy_from_user(copy, start, len(copy)) == len(copy)
    assert copy == b"x" * len(copy)
    assert small.machine.ledger() == 0


def test_a_page_that_reclaim_does_not_know_is_told(machine, process, path):
    mapped(process, path)
    words = machine.ram.words
    kept = [int(words[at]) for at in LIST]
    for at in LIST:
        words[at] = 0
    with pytest.raises(CorruptionError, match="0 pages by age, 400 of host files"):
        machine.files.validate()
    for at, value in zip(LIST, kept, strict=True):
        words[at] = value


@pytest.mark.parametrize("field", [D_HEAD, D_PREVIOUS])
def test_a_damaged_list_of_a_files_pages_is_told(machine, process, path, field):
    mapped(process, path)
    first = machine.cache.first(process.areas[0].file)
    third = machine.cache.next(machine.cache.next(first))
    at = machine.frames.first_half + (third << 4) + field
    kept, machine.ram.halves[at] = machine.ram.halves[at], first
    with pytest.raises(CorruptionError, match="is wrong on its file's list"):
        machine.files.validate()
    machine.ram.halves[at] = kept


def test_stores_to_a_shared_file_larger_than_ram_all_reach_it(tmp_path):
    large = tmp_path / "large"
    large.write_bytes(content(1500))
    small = Small(4 << 20)
    there = small.process.map(0, 1500 * PAGE, "rw", MAP_SHARED, str(large))
    for piece in range(15):
        small.process.write(there + piece * 100 * PAGE, bytes([piece]) * (100 * PAGE))
    expected = b"".join(bytes([piece]) * (100 * PAGE) for piece in range(15))
    assert small.process.read(there, 1500 * PAGE) == expected
    assert small.machine.ledger() == 0
    assert large.read_bytes() == expected


OPERATIONS = ("read", "read", "read", "write", "fork", "exit", "map", "unmap", "lock", "protect", "call")


class Run:
    """Random calls of processes on files; what they saw is a hash. Private stores are few: there is no swap."""

    def __init__(self, size, paging, seed, folder):
        self.random = random.Random(seed)
        self.machine = Machine(size, paging)
        self.seen = hashlib.sha256()
        self.paths = []
        for number in range(2):
            path = folder / f"{size}-{number}"
            path.write_bytes(content(500)[number:])
            self.paths.append(str(path))
        self.private = 60
        self.maps = {}  # process -> [(start, pages, flags)]
        self.start(self.machine.processes.create("first"))

    def start(self, process):
        self.maps[process] = []
        for number, flags in ((0, MAP_SHARED), (1, MAP_PRIVATE)):
            start = process.map(0, 499 * PAGE, "rw", flags, self.paths[number])
            self.maps[process].append((start, 499, flags))

    def run(self, steps):
        for _ in range(steps):
            process = self.random.choice(list(self.maps))
            getattr(self, self.random.choice(OPERATIONS))(process)
        for path in self.paths:
            record = self.machine.files.open_host(path)
            self.note(self.machine.files.read_cached(record, 0, 500 * PAGE))
            self.machine.files.release(record)
        self.machine.validate()
        return self.seen.hexdigest()

    def note(self, data):
        self.seen.update(data)

    def place(self, process):
        start, pages, flags = self.random.choice(self.maps[process])
        first = self.random.randrange(pages)
        return start + first * PAGE, min(self.random.choice((1, 2, 20, 200)), pages - first), flags

    def read(self, process):
        at, pages, _ = self.place(process)
        self.note(process.read(at, pages * PAGE))

    def write(self, process):
        at, pages, flags = self.place(process)
        if flags == MAP_PRIVATE:
            pages = min(pages, 2, self.private)
            self.private -= pages
        if pages:
            process.write(at + 100, bytes([self.random.randrange(256)]) * (pages * PAGE - 100))

    def fork(self, process):
        if len(self.maps) < 4:
            self.maps[process.fork()] = list(self.maps[process])

    def exit(self, process):
        if len(self.maps) > 1:
            process.exit()
            del self.maps[process]

    def map(self, process):
        if len(self.maps[process]) < 6:
            number = self.random.randrange(2)
            start = process.map(0, 100 * PAGE, "r", MAP_PRIVATE, self.paths[number])
            self.note(process.read(start + 99 * PAGE, 10))

    def unmap(self, process):
        if len(process.areas) > 2:
            area = self.random.choice(process.areas)
            if area.start not in [start for start, _, _ in self.maps[process]] and area.end - area.start == 100 * PAGE:
                process.unmap(area.start, area.end - area.start)

    def lock(self, process):
        at, _, _ = self.place(process)
        locks = self.machine.processes.locks
        locks.lock(process.space, at, PAGE)
        locks.unlock(process.space, at, PAGE)

    def protect(self, process):
        at, pages, _ = self.place(process)
        mappings = self.machine.processes.mappings
        assert mappings.protect(process.space, at, pages * PAGE, 1) == 0
        self.note(process.read(at, 8))
        assert mappings.protect(process.space, at, pages * PAGE, 3) == 0

    def call(self, process):
        at, _, _ = self.place(process)
        self.note(process.read(at, 64))
        index = self.random.randrange(400)
        record = self.machine.files.open_host(self.paths[0], True)
        self.machine.files.write_cached(record, index * PAGE + 5, b"by a call")
        self.note(self.machine.files.read_cached(record, index * PAGE, 3 * PAGE))
        self.machine.files.release(record)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("paging", ["i386", "x86_64"])
def test_a_machine_with_little_ram_does_what_one_with_much_does(seed, paging, tmp_path):
    small, large = (Run(size, paging, seed, tmp_path) for size in (3 << 20, 32 << 20))
    assert small.run(150) == large.run(150)
    reclaimed = [int(run.machine.ram.words[SB_RECLAIMED]) for run in (small, large)]
    assert reclaimed[0] > 200 and reclaimed[1] == 0
    assert small.machine.ledger() == large.machine.ledger() == 0
    for one, other in zip(small.paths, large.paths, strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()
