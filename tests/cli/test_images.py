"""`coalmm info` and `coalmm translate`: what they print is the machine's, and no input gives a traceback."""

import json
import random
import struct

import pytest
from click.testing import CliRunner

import coalmm
from coalmm.cli import main
from coalmm.inspect.meminfo import meminfo_text, memory_info

PAGING = ("i386", "pae", "x86_64", "la57")
AREA = 0x0800_0000
PAGE = AREA + 0x1000


def run(*arguments):
    """The result of a command, which must have ended in an orderly way."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def assert_one_line_error(result):
    assert result.exit_code in (1, 2)
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1


@pytest.fixture(scope="module", params=PAGING)
def saved(request, tmp_path_factory):
    """(machine, path of its image): a parent and a child share a page, a second child has exited."""
    kernel = coalmm.boot(ram="8M", paging=request.param)
    parent = kernel.processes.create("par\nent")
    parent.map(AREA, 0x4000, "rw")
    parent.write(PAGE, b"x")
    parent.fork()
    parent.fork().exit(3)
    path = tmp_path_factory.mktemp("images") / "machine.coal"
    kernel.save(path)
    return kernel, path


def test_info_prints_meminfo_and_the_rest(saved):
    kernel, path = saved
    result = run("info", path)
    assert result.exit_code == 0
    assert meminfo_text(kernel) in result.stdout
    for part in ("Node 0, zone   Normal", "slabinfo - version: 2.1", "page_directory", "par\\x0aent"):
        assert part in result.stdout
    assert f"{kernel.format.name} paging" in result.stdout


def test_info_maps_lists_the_areas(saved):
    assert f"{AREA:08x}-{AREA + 0x4000:08x} rw-p" in run("info", "--maps", saved[1]).stdout


def test_info_json_is_the_machine(saved):
    kernel, path = saved
    data = json.loads(run("info", "--json", path).stdout)
    assert data["memory"] == memory_info(kernel)._asdict()
    assert data["frames"] == kernel.frames.statistics()._asdict()
    assert sum(data["frames_by_kind"].values()) == data["frames"]["total"]
    assert [(each["pid"], each["state"]) for each in data["processes"]] == [(1, "live"), (2, "live"), (3, "zombie")]
    assert data["paging"] == kernel.format.name


def test_info_does_not_change_the_image(saved):
    before = saved[1].read_bytes()
    run("info", saved[1])
    run("translate", saved[1], hex(PAGE))
    assert saved[1].read_bytes() == before


def test_translate_shows_every_entry_of_the_walk(saved):
    kernel, path = saved
    result = run("translate", "--pid", 1, path, hex(PAGE + 0x123))
    assert result.exit_code == 0
    root = kernel.processes.find(1).root
    walk = kernel.mmu.walker.walk(root, PAGE + 0x123)
    assert len(walk.steps) == len(kernel.format.levels)
    for step in walk.steps:
        assert f"{step.entry_paddr:#x}" in result.stdout
        assert f"{step.entry:0{2 * kernel.format.entry_size}x}" in result.stdout
    assert f"{walk.paddr:#x}" in result.stdout
    assert "COW" in result.stdout and "mapped by process 1 par\\x0aent" in result.stdout
    assert "process 2" in result.stdout


def test_translate_from_a_directory_is_that_of_its_process(saved):
    kernel, path = saved
    by_pid = run("translate", "--pid", 2, path, hex(PAGE))
    by_root = run("translate", "--directory", hex(kernel.processes.find(2).root), path, hex(PAGE))
    assert by_pid.stdout == by_root.stdout


def test_translate_of_a_kernel_address_names_the_huge_page(saved):
    kernel, path = saved
    result = run("translate", path, hex(kernel.kernel_base))
    assert result.exit_code == 0
    assert " PS" in result.stdout


@pytest.mark.parametrize("vaddr", [0, PAGE + 0x2000, (1 << 64) - 1, 1 << 63, 0x8000_0000_0000, 0x1_0000_0000])
def test_translate_says_why_there_is_no_translation(saved, vaddr):
    kernel, path = saved
    result = run("translate", "--pid", 1, path, vaddr)
    assert result.exit_code == 1
    assert "no translation:" in result.stdout
    assert kernel.mmu.walker.walk(kernel.processes.find(1).root, vaddr).reason in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("zz",), ("",), ("-1",), (hex(1 << 64),), ("0x",), ("1.5",), ("0x10", "--pid", "9"), ("0x10", "--pid", "3"),
        ("0x10", "--pid", "-1"), ("0x10", "--pid", str(1 << 80)), ("0x10", "--pid", "x"), ("0x10", "--directory", "0"),
        ("0x10", "--directory", "1"), ("0x10", "--directory", "0xfffffffffffff000"), ("0x10", "--directory", "x"),
        ("0x10", "--pid", "1", "--directory", "0x1000"), ("0x10", "more"), ("0x10", "--nothing"), (),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_line(saved, arguments):
    assert_one_line_error(run("translate", saved[1], *arguments))


@pytest.mark.parametrize("command", [("info",), ("translate",)])
@pytest.mark.parametrize("name", ["missing", ".", "/dev/null", "x" * 5000, "\udcff"])
def test_what_is_no_image_is_one_line(tmp_path, command, name):
    arguments = (*command, str(tmp_path / name), *(("0x1000",) if command == ("translate",) else ()))
    assert_one_line_error(run(*arguments))


def trailer_for(ram):
    """A trailer with the right digest for RAM bytes, so that only what is in them can be refused."""
    from coalmm.hardware.ram import Ram

    machine = Ram(len(ram))
    machine.write(0, ram)
    return struct.pack("<8sQQ32s", b"COALIMG\n", 1, len(ram), bytes.fromhex(machine.digest())).ljust(4096, b"\0")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The RAM of a machine with a process."""
    kernel = coalmm.boot(ram="2M", paging="x86_64")
    process = kernel.processes.create("p")
    process.write(process.map(AREA, 0x4000, "rw"), b"x")
    return bytes(kernel.ram.mapping), (process.root, kernel.mmu.cr3)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_images_with_a_good_digest_never_give_a_traceback(tmp_path, small, seed):
    rng = random.Random(seed)
    ram = bytearray(small[0])
    for _ in range(rng.choice((1, 1, 2, 10))):
        word = rng.randrange(512) * 8
        at = rng.choice((word, rng.randrange(0x40000) & ~7, rng.choice(small[1]) + word))
        value = rng.choice((0, (1 << 64) - 1, rng.getrandbits(64), rng.randrange(1 << 21), 1 << rng.randrange(64)))
        ram[at : at + 8] = value.to_bytes(8, "little")
    path = tmp_path / "damaged.coal"
    path.write_bytes(bytes(ram) + trailer_for(bytes(ram)))
    for arguments in (("info", path), ("info", "--json", path), ("translate", path, "0xffff800000001000")):
        result = run(*arguments)
        if result.exit_code == 1 and result.stderr:
            assert_one_line_error(result)


@pytest.mark.parametrize("keep", [0, 1, 4095, 4096, 1 << 20, (2 << 20) - 1, 2 << 20, (2 << 20) + 4095])
def test_cut_images_are_one_line(tmp_path, small, keep):
    path = tmp_path / "cut.coal"
    path.write_bytes((small[0] + trailer_for(small[0]))[:keep])
    assert_one_line_error(run("info", path))
