"""Random sequences of memory calls leave the areas and the bytes that they leave on Linux."""

import native
import pytest
from direct import Direct
from scripts import FILE_PAGES, PAGE, Script, without_split_remaps

CONTENT = b"".join(bytes([65 + page]) * PAGE for page in range(FILE_PAGES))


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    return tmp_path_factory.getbasetemp()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def compare(commands, expected, found):
    """Name the first command that was answered otherwise, and what came before it."""
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        if ours != theirs:
            before = "\n".join(f"{commands[at]}\t-> {expected[at]}" for at in range(max(0, number - 12), number))
            pytest.fail(f"{before}\n{commands[number]}\n Linux: {theirs}\n ours:  {ours}", pytrace=False)


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
