"""Programs whose files are larger than RAM: pages of files go and come back, and a program sees none of it."""

import pytest
from guests import PAGING, assert_same, needs, program, run_natively, run_on_ours

from machines import run_python

FILE_SIZE = 12 << 20


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "file"
    path.write_bytes(b"".join(number.to_bytes(4, "little") * 256 for number in range(FILE_SIZE >> 10)))
    return str(path)


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_a_program_that_maps_more_than_ram_gets_to_its_end(flavour, large):
    run = assert_same([program("larger", flavour), large], ram="6M", paging=PAGING[flavour], timeout=60.0)
    assert run.reclaimed > 5000


def test_code_that_was_reclaimed_is_read_and_translated_again(large):
    needs("perl")
    text = "$_ = join ' ', map { sprintf '%x', $_ * 7919 } 1 .. 2000; print length, ' ', scalar(() = /f/g), qq(\\n)"
    run = assert_same(["/usr/bin/perl", "-MPOSIX", "-e", text], ram="5M", timeout=60.0)
    assert run.reclaimed


@pytest.mark.parametrize("ram", ["4M"])
def test_with_hardly_any_ram_a_program_ends_or_is_ended(ram):
    needs("perl")
    run = run_on_ours(["/usr/bin/perl", "-MPOSIX", "-e", "print floor(3.5), qq(\\n)"], ram=ram, timeout=60.0)
    assert run.ended and not run.oopses, run.oopses
    assert run.outcome.stdout == b"3\n" if not run.outcome.status else run.crashes or run.outcome.stderr


def run_with_policy(path, large):
    command = ["-m", "coalmm", "run", "--ram", "6M", "--policy", path, "--", program("larger", "64"), large]
    return run_python(*command)


def test_a_policy_chooses_what_goes(large):
    done = run_with_policy("examples/policies/fifo.py", large)
    assert done.returncode == 0 and "pages reclaimed" in done.stderr
    assert done.stdout.encode() == run_natively([program("larger", "64"), large]).stdout


def test_a_wrong_policy_is_told_by_its_hook(large, tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text("class Policy:\n    def evict(self, pages, count):\n        return 3\n")
    done = run_with_policy(path, large)
    assert done.returncode and "the policy's evict answered 3: it must be a list of pages" in done.stderr
    path.write_text("class Other:\n    pass\n")
    assert f"--policy: {path} has no class Policy" in run_with_policy(path, large).stderr
