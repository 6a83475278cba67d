"""Random sequences of memory calls leave the areas and the bytes that they leave on Linux."""

import native
import pytest
from compare import CONTENT, compare
from direct import Direct
from scripts import Script, without_split_remaps

from machines import LIBRARIES, PROJECT, run_python, runs_both_modes


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("seed", range(10))
def test_random_calls_leave_what_they_leave_on_linux(programs, path, bits, seed):
    script = Script(bits, seed, path).make(150)
    lines = native.run(native.build(programs, bits), script)
    path.write_bytes(CONTENT)
    commands, expected = without_split_remaps(script, lines)
    ours = Direct(bits)
    compare(commands, expected, ours.run(commands))
    ours.kernel.validate()


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("seed", range(100, 103))
def test_the_same_program_on_the_emulated_cpu_prints_the_same(programs, path, bits, seed):
    program = native.build(programs, bits)
    script = Script(bits, seed, path).make(150)
    commands, expected = without_split_remaps(script, native.run(program, script))
    path.write_bytes(CONTENT)
    compare(commands, expected, native.run(program, commands, native.COALMM))


@runs_both_modes
def test_both_modes_leave_the_same_bytes():
    program = PROJECT / "tests" / "memory_calls" / "same_bytes.py"
    runs = {mode: run_python(program, mode=mode) for mode in LIBRARIES}
    for run in runs.values():
        assert run.returncode == 0, run.stderr
    assert len(runs["compiled"].stdout.splitlines()) == 12
    assert runs["compiled"].stdout == runs["interpreted"].stdout
