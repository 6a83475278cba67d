"""The tour: it runs in every mode, shows the machine's own numbers, and fits the screen."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from rich.console import Console

import coalmm
from coalmm.cli import main
from coalmm.tour.bits import word_in_binary
from coalmm.tour.changes import changes, snapshot, what_is
from coalmm.tour.scene import Tour
from coalmm.tour.show import panels
from coalmm.tour.steps import STEPS

PAGING = ("i386", "pae", "x86_64", "la57")


@pytest.mark.parametrize("paging", PAGING)
def test_all_shows_every_step_without_a_terminal(paging):
    result = CliRunner().invoke(main, ["demo", "--all", "--plain", "--paging", paging])
    assert result.exit_code == 0, result.exception
    assert "\x1b" not in result.stdout
    for number in range(1, len(STEPS) + 1):
        assert f" {number}/{len(STEPS)} " in result.stdout
    seen = ("not present", "COW", "+W", "-COW", "DoubleFreeError", "page fault at CR2", "the same digest", "True")
    assert [each for each in seen if each not in result.stdout] == []
    assert "IT DID NOT" not in result.stdout


def test_without_a_terminal_it_runs_through():
    assert CliRunner().invoke(main, ["demo"], input="").exit_code == 0


@pytest.mark.parametrize("paging", PAGING)
def test_the_machine_is_whole_after_every_step(paging):
    with coalmm.boot(ram="16M", paging=paging) as kernel:
        tour = Tour(kernel)
        for step in STEPS:
            step(tour)
            kernel.validate()


def test_the_tour_leaves_no_frame_behind_but_caches():
    with coalmm.boot(ram="16M") as kernel:
        tour = Tour(kernel)
        for step in STEPS:
            step(tour)
        stats = kernel.frames.statistics()
        assert stats.user == 0
        assert len(kernel.processes) == 0


@pytest.mark.parametrize("paging", PAGING)
@pytest.mark.parametrize(("width", "height"), [(100, 35), (80, 24)])
def test_stepping_a_panel_fits_the_screen(paging, width, height):
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True)
    with coalmm.boot(ram="16M", paging=paging) as kernel:
        tour = Tour(kernel)
        for step in STEPS:
            scene = step(tour)
            for shown in panels(scene, "1/1", console, height):
                lines = console.render_lines(shown)
                if width == 100:
                    assert len(lines) < height, scene.title
        assert tour.frame


def test_changes_are_every_word_that_differs():
    with coalmm.boot(ram="2M", paging="x86_64") as kernel:
        before = snapshot(kernel)
        frame = kernel.frames.allocate()
        kernel.ram.words[(frame >> 3) + 5] = 77
        found = {change.paddr: (change.before, change.after) for change in changes(kernel, before)}
        for paddr in range(0, kernel.ram.size, 8):
            was = int.from_bytes(before[paddr : paddr + 8], "little")
            now = kernel.ram.words[paddr >> 3]
            assert found.get(paddr, (was, was)) == (was, now)
        assert found[frame + 40] == (0, 77)
        assert what_is(kernel, frame + 40) == f"frame {frame:#x} (frame alloc)"
        assert what_is(kernel, 64) == "superblock: free frames"


def test_a_word_in_binary_marks_the_bits_that_changed():
    before, after, marks = word_in_binary(0b1011, 0b1001 | 1 << 63).plain.split("\n")
    assert before.replace(" ", "") == "before" + f"{0b1011:064b}"
    assert after.replace(" ", "") == "after" + f"{0b1001 | 1 << 63:064b}"
    assert [after[at] for at in range(len(marks)) if marks[at] == "^"] == ["1", "0"]


@pytest.mark.parametrize(("keys", "panels_seen"), [(b"q", 1), (b" \x1b[Bq", 3), (b"\x03", 1)])
def test_keys_go_on_and_q_ends(keys, panels_seen):
    """A real terminal: each key, sent when the tour waits for one, shows the next panel."""
    pid, terminal = pty.fork()
    if pid == 0:
        library = os.path.dirname(os.path.dirname(coalmm.__file__))
        environment = os.environ | {
            "PYTHONPATH": library, "COALMM_MODE": coalmm.MODE, "TERM": "xterm", "COLUMNS": "100", "LINES": "60",
        }  # fmt: skip
        os.execve(sys.executable, [sys.executable, "-m", "coalmm", "demo"], environment)
    seen = b""
    pressed = iter(re.findall(rb"\x1b\[.|.", keys, re.DOTALL))
    deadline = time.monotonic() + 60
    waits = 0
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the tour has ended
            break
        if not data:
            break
        seen += data
        while seen.count(b"q: quit") > waits:
            waits += 1
            time.sleep(0.2)
            os.write(terminal, next(pressed))
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert waits == panels_seen
    assert os.waitstatus_to_exitcode(status) in (0, 1)
    assert b"Traceback" not in seen


def test_a_closed_pipe_is_no_traceback():
    library = os.path.dirname(os.path.dirname(coalmm.__file__))
    environment = os.environ | {"PYTHONPATH": library, "COALMM_MODE": coalmm.MODE}
    command = [sys.executable, "-m", "coalmm", "demo", "--all"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(100)
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
