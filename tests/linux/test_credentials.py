"""Ids of users and groups, and what they allow: as on Linux, for programs that start as root and take other ids."""

import os
import shutil
import tempfile

import pytest
from guests import PAGING, assert_same, program, run_natively, run_on_ours

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can take other ids natively")


@pytest.fixture
def folder():
    """An empty folder that all may enter, wherever the tests keep theirs."""
    path = tempfile.mkdtemp()
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


@needs_root
@pytest.mark.parametrize("where", ["overlay", "write"])
@pytest.mark.parametrize("flavour", ["64", "32"])
def test_ids_and_rights_are_those_of_linux(flavour, where, folder):
    argv = [program("credentials", flavour), folder]
    options = {"writable": [folder]} if where == "write" else {}
    ours = run_on_ours(argv, paging=PAGING[flavour], **options)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    native = run_natively(argv)
    assert not ours.oopses, ours.oopses
    assert ours.outcome.stdout.decode().splitlines() == native.stdout.decode().splitlines()
    assert ours.outcome == native


@needs_root
@pytest.mark.parametrize("flavour", ["64", "32"])
def test_what_a_process_may_do_to_others_is_as_on_linux(flavour):
    ours = assert_same([program("other_processes", flavour)], paging=PAGING[flavour])
    assert not ours.unknown


@needs_root
def test_the_calls_with_16_bit_ids_are_those_of_linux(folder):
    assert_same([program("short_ids", "32"), folder], paging="pae")
