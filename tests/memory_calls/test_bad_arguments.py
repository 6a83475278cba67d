"""Arguments that are wrong get Linux's errno, and change what they change there."""

import native
import pytest
from bad_arguments import Table
from compare import CONTENT, compare
from direct import Direct


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("seed", range(3))
def test_wrong_arguments_get_linuxs_errno(programs, path, bits, seed):
    script = Table(bits, seed, path).make(25)
    expected = native.run(native.build(programs, bits), script)
    path.write_bytes(CONTENT)
    compare(script, expected, Direct(bits).run(script))


@pytest.mark.parametrize("bits", [64, 32])
def test_a_program_on_the_emulated_cpu_gets_the_same_errno(programs, path, bits):
    script = Table(bits, 50, path).make(10)
    program = native.build(programs, bits)
    expected = native.run(program, script)
    path.write_bytes(CONTENT)
    compare(script, expected, native.run(program, script, native.COALMM))
