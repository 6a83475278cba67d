"""Programs driven from Python: spawn, run, step, callbacks, memory while they stand still, images in the middle."""

import io
import os
import signal
import time

import pytest
from click.testing import CliRunner

import coalmm
from coalmm.cli import main
from coalmm.errors import MisuseError
from coalmm.inspect.zones import frames_by_kind

ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


@pytest.fixture
def machine():
    """A machine whose frames must all come back when the programs are gone."""
    kernel = coalmm.boot(ram="64M", paging="x86_64")
    before = programs_frames(kernel)
    yield kernel
    kernel.end_programs()
    kernel.files.reclaim(kernel.frames.statistics().total)
    kernel.validate()
    assert len(kernel.processes) == 0 and programs_frames(kernel) == before
    kernel.close()


def programs_frames(kernel):
    """Frames of the kinds that programs have, and of the kernel itself."""
    kinds = frames_by_kind(kernel)
    names = ("anonymous", "file", "page_table", "page_directory", "frame_alloc", "kernel")
    return {name: kinds[name] for name in names}


def spawn(kernel, *argv, **options):
    """A program whose output is kept; both."""
    out = io.BytesIO()
    return kernel.spawn(list(argv), env=ENV, console=(os.open(os.devnull, os.O_RDONLY), out, out), **options), out


def test_run_ends_with_the_program_and_its_status_stays(machine):
    process, out = spawn(machine, "/bin/sh", "-c", "echo hello; exit 5")
    assert process.returncode is None and process.is_alive
    assert machine.run() is True
    assert (out.getvalue(), process.returncode, process.is_alive) == (b"hello\n", 5, False)
    with pytest.raises(MisuseError):
        process.read(0x1000, 1)


def test_a_signal_is_a_negative_returncode(machine):
    process, _ = spawn(machine, "/bin/sleep", "60")
    assert machine.run(timeout=0.05) is False
    process.send_signal(signal.SIGTERM)
    assert machine.run(timeout=30) is True
    assert process.returncode == -signal.SIGTERM


def test_run_returns_at_the_timeout_while_everything_waits(machine):
    process, _ = spawn(machine, "/bin/sleep", "60")
    started = time.monotonic()
    assert machine.run(timeout=0.2) is False
    assert 0.2 <= time.monotonic() - started < 10
    assert process.returncode is None


def test_step_by_step_is_the_same_as_run(machine):
    process, out = spawn(machine, "/bin/sh", "-c", "echo a; /bin/echo b")
    steps = 0
    while machine.step(0.002):
        steps += 1
        machine.processes.validate()
    assert steps > 1 and process.returncode == 0
    assert out.getvalue() == b"a\nb\n"


def test_memory_and_areas_can_be_read_and_written_between_steps(machine):
    process, out = spawn(machine, "/bin/echo", "first")
    stack = process.areas[-1]
    content = process.read(stack.end - 4096, 4096)
    at = stack.end - 4096 + content.index(b"first\0")
    assert process.registers["rip"] != 0 and stack.start <= process.registers["rsp"] < stack.end
    process.write(at, b"other")
    machine.run()
    assert out.getvalue() == b"other\n"


def test_callbacks_see_faults_and_system_calls(machine):
    process, _ = spawn(machine, "/bin/true")
    faults, calls = [], []
    at_first = sum(process.faults.values())
    kinds = {}

    def fault(who, vaddr, access, error):
        faults.append((vaddr, access, error))
        assert who.pid == process.pid

    def call(who, name, arguments):
        calls.append(name)
        if name == "exit_group":
            kinds.update(who.faults)

    machine.run(on_fault=fault, on_system_call=call)
    assert calls[0] == "brk" and calls[-1] == "exit_group"
    assert {error for _, _, error in faults} == {0}
    assert {access for _, access, _ in faults} == {0, 1, 2}
    by_kernel = sum(kinds[kind] for kind in ("zero", "file", "copy", "spurious")) - len(faults)
    assert 0 <= by_kernel < at_first + 20  # faults of the loader and of system calls are no instruction's


def test_what_a_callback_raises_comes_out_and_the_program_can_go_on(machine):
    process, out = spawn(machine, "/bin/echo", "on")

    def call(who, name, arguments):
        if name == "write":
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        machine.run(on_system_call=call)
    assert process.is_alive and out.getvalue() == b""
    machine.validate()
    assert machine.run() is True
    assert out.getvalue() == b"on\n" and process.returncode == 0


def test_whatever_a_callback_raises_at_no_call_and_no_fault_is_lost(machine):
    process, out = spawn(machine, "/bin/sh", "-c", "for i in 1 2 3; do echo $i; done | sort -r; exit 3")
    interrupted = {"call": 0, "fault": 0}

    def fails(what, every):
        def callback(*arguments):
            interrupted[what] += 1
            if interrupted[what] % every == 0:
                raise KeyError(what)

        return callback

    while True:
        try:
            ended = machine.run(30, on_fault=fails("fault", 7), on_system_call=fails("call", 5))
        except KeyError:
            continue
        break
    assert ended and (out.getvalue(), process.returncode) == (b"3\n2\n1\n", 3)
    assert interrupted["call"] > 50 and interrupted["fault"] > 50


def test_a_callback_cannot_run_spawn_or_close_and_may_look_at_others_and_save(machine, tmp_path):
    other, _ = spawn(machine, "/bin/sleep", "60")
    machine.run(timeout=0.05)
    process = machine.spawn(["/bin/sh", "-c", "exit 4"], env=ENV)
    refused = []

    def call(who, name, arguments):
        if who.pid == other.pid:
            return
        again, registers = (lambda: machine.spawn(["/bin/true"])), (lambda: other.registers)
        for use in (machine.run, machine.step, machine.close, machine.end_programs, again, registers):
            with pytest.raises(MisuseError, match="not from a callback"):
                use()
            refused.append(name)
        assert other.read(other.areas[0].start, 4) == b"\x7fELF" and who.registers
        if name == "exit_group":
            machine.save(tmp_path / "image")

    def fault(who, vaddr, access, error):
        assert other.read(other.areas[0].start, 4) == b"\x7fELF"

    while process.returncode is None:
        machine.run(timeout=0.05, on_system_call=call, on_fault=fault)
    assert refused and process.returncode == 4
    with coalmm.attach(tmp_path / "image") as copy:
        assert sorted(each.name for each in copy.processes) == ["sh", "sleep"]
        copy.validate()
    machine.make_current()


@pytest.mark.parametrize(
    ("what", "error", "text"),
    [
        (lambda machine: machine.spawn("/bin/echo hi"), TypeError, "argv is a list"),
        (lambda machine: machine.spawn([]), ValueError, "argv is empty"),
        (lambda machine: machine.spawn(["/bin/echo", "a\0b"]), ValueError, "NUL"),
        (lambda machine: machine.spawn(["/bin/echo"], env={"A=B": "1"}), ValueError, "'A=B'"),
        (lambda machine: machine.spawn(["/no/such"]), FileNotFoundError, "'/no/such'"),
        (lambda machine: machine.run(float("nan")), ValueError, "nan"),
        (lambda machine: machine.step(float("nan")), ValueError, "nan"),
        (lambda machine: machine.run(on_fault=5), TypeError, "5 cannot be called"),
    ],
)
def test_wrong_arguments_say_what_is_wrong_and_change_nothing(machine, what, error, text):
    before = machine.digest()
    with pytest.raises(error, match=text):
        what(machine)
    assert machine.digest() == before or len(machine.processes) == 0


def test_a_step_or_a_run_without_an_end_is_one(machine):
    process, _ = spawn(machine, "/bin/sh", "-c", "exit 7")
    machine.step(float("inf"))
    assert machine.run(float("inf")) is True and process.returncode == 7


def test_a_callback_can_stop_the_run(machine):
    process, out = spawn(machine, "/bin/sh", "-c", "echo one; echo two")
    seen = []

    def call(who, name, arguments):
        if name == "write":
            seen.append(who.read(arguments[1], arguments[2]))
            machine.stop()

    assert machine.run(on_system_call=call) is False
    assert seen == [b"one\n"] and process.returncode is None
    assert machine.run() is True
    assert out.getvalue() == b"one\ntwo\n"


def test_an_image_saved_in_the_middle_is_a_whole_machine(machine, tmp_path):
    process, _ = spawn(machine, "/bin/sh", "-c", "/bin/echo x; read line </dev/zero")
    machine.run(timeout=0.5)
    assert process.is_alive
    path = tmp_path / "middle.coal"
    machine.save(path)
    with coalmm.attach(path) as copy:
        copy.validate()
        there = copy.processes.find(process.pid)
        assert there.name == "sh"
        assert [(area.start, area.end, area.flags) for area in there.areas] == [
            (area.start, area.end, area.flags) for area in process.areas
        ]
        stack = process.areas[-1]
        assert there.read(stack.end - 64, 64) == process.read(stack.end - 64, 64)
        assert there.faults == process.faults
    shown = CliRunner().invoke(main, ["info", str(path)])
    assert shown.exit_code == 0 and "sh" in shown.stdout
    machine.make_current()


def test_several_programs_share_the_machine(machine):
    first, out = spawn(machine, "/bin/sh", "-c", "echo 1")
    second = machine.spawn(["/bin/sh", "-c", "echo 2; exit 2"], env=ENV)
    machine.run()
    assert (first.returncode, second.returncode) == (0, 2)
    assert sorted(out.getvalue().split()) == [b"1", b"2"]


def test_options_of_the_first_program_hold_for_the_machine(machine):
    spawn(machine, "/bin/true")
    with pytest.raises(ValueError, match="root"):
        machine.spawn(["/bin/true"], root="/usr")


def test_a_program_that_is_not_there_changes_nothing(machine):
    machine.linux()
    before = machine.frames.statistics()
    with pytest.raises(FileNotFoundError):
        machine.spawn(["/no/such/program"])
    with pytest.raises(ValueError):
        machine.spawn([])
    assert machine.frames.statistics() == before


def test_a_report_can_be_asked_for_at_any_time(machine):
    process, _ = spawn(machine, "/bin/sleep", "60")
    machine.run(timeout=0.1)
    first = machine.report()
    assert machine.report()["faults"] == first["faults"]
    parts = {"read": first["major_faults"], "stack": first["stack_growths"]}
    assert first["faults"] | parts == process.faults  # the kinds of a report add up: a fault is in one of them
    assert first["processes"][0]["status"] is None
    process.send_signal(signal.SIGKILL)
    machine.run()
    last = machine.report()
    assert last["processes"][0]["signal"] == signal.SIGKILL
    assert last["faults"] == first["faults"]


def test_closing_the_machine_ends_its_programs():
    with coalmm.boot(ram="32M", paging="x86_64") as kernel:
        process, _ = spawn(kernel, "/bin/sleep", "60")
        kernel.run(timeout=0.05)
    assert process.returncode == -signal.SIGKILL
