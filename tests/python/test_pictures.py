"""Pictures of a machine say what the machine says, as text and as well-formed SVG, and looking changes nothing."""

import re
import xml.etree.ElementTree as ET

import pytest

import coalmm
from coalmm.errors import MisuseError
from machines import Unchanged

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def machine():
    with coalmm.boot(ram="4M", paging="x86_64") as kernel:
        yield kernel


def boxes(picture, colour):
    """The rectangles of a colour."""
    return [each for each in ET.fromstring(picture.svg).iter(f"{SVG}rect") if each.get("fill") == colour]


def test_the_frame_map_shows_what_each_frame_is(machine):
    frames = [machine.frame_alloc() for _ in range(7)]
    with Unchanged(machine):
        picture = machine.picture()
    rows = re.findall(r"^0x([0-9a-f]{9}) (\S+)$", str(picture), re.M)
    cells = "".join(row for _, row in rows)
    assert len(cells) == machine.frames.pfn_limit and all(cells[paddr >> 12] == "F" for paddr in frames)
    assert cells.count("F") == 7 == len(boxes(picture, "#f58518")) - 1  # and one in the key
    assert cells.count(".") == machine.frames.statistics().free
    assert cells.count("#") == (1024 - 640) // 4


def test_a_cell_of_a_large_machine_is_many_frames():
    with coalmm.boot(ram="8G", paging="x86_64") as kernel:
        lines = str(kernel.picture()).splitlines()
        assert "a cell" in lines[0] and len(lines) <= 2 + 2048 // 64


def test_the_buddy_picture_has_the_free_blocks_of_each_order(machine):
    machine.buddy_alloc(4096)
    with Unchanged(machine):
        picture = machine.picture("buddy")
    counts = [int(count.replace(",", "")) for count in re.findall(r"([\d,]+) free, ", str(picture))]
    assert tuple(counts) == machine.buddy.statistics().free_blocks


def test_the_slab_picture_has_every_cache_with_slabs(machine):
    machine.kmalloc(100)
    with Unchanged(machine):
        text = str(machine.picture("slabs"))
    assert re.search(r"kmalloc-104 +104 .* 1 of \d+ live, 1 slab$", text, re.M)
    assert len(text.splitlines()) == 1 + sum(info.slabs > 0 for info in machine.slabs.caches())


def test_an_address_space_shows_resident_pages(machine):
    shell = machine.processes.create("shell")
    start = shell.map(0, 4 * 4096, "rw")
    shell.write(start + 2 * 4096, b"x")
    picture = machine.picture(shell)
    assert re.search(rf"{start:012x}-{start + 0x4000:012x} rw-p +1 of +4  ░░█░ +anonymous", str(picture))
    assert ET.fromstring(picture.svg).tag == f"{SVG}svg"
    shell.exit()
    with pytest.raises(MisuseError):
        machine.picture(shell)


def test_a_walk_shows_every_entry(machine):
    frame = machine.frame_alloc()
    machine.paging_map_page(0x400000, frame, 7)
    picture = machine.picture(0x400123)
    assert f"-> {frame + 0x123:#x}" in str(picture) and f"physical address {frame + 0x123:#x}" in picture.svg
    assert len(boxes(picture, "#e45756")) == 4
    assert "not present" in str(machine.picture(0x9000_0000))


def test_what_a_program_names_itself_is_escaped(machine):
    shell = machine.processes.create("<b>&")
    shell.map(0, 4096, "rw")
    assert "&lt;b&gt;&amp;" in machine.picture(shell).svg


def test_a_picture_is_saved_and_shown_in_notebooks(machine, tmp_path):
    picture = machine.picture("buddy")
    picture.save(tmp_path / "x.svg")
    picture.save(str(tmp_path / "x.txt"))
    assert (tmp_path / "x.svg").read_text() == picture._repr_svg_() == picture.svg
    assert (tmp_path / "x.txt").read_text() == f"{picture}\n"
    with pytest.raises(ValueError, match=r"saved as \.svg or \.txt"):
        picture.save(tmp_path / "x.png")


def test_a_process_of_another_machine_is_not_drawn(machine):
    with coalmm.boot(ram="2M") as other:
        stranger = other.processes.create("x")
        with pytest.raises(ValueError, match="process 1 is one of another machine"):
            machine.picture(stranger)


def test_another_name_is_refused_with_those_there_are(machine):
    with pytest.raises(ValueError, match="frames, buddy, slabs, a process, and an address"):
        machine.picture("heap")
