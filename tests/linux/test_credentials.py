"""Ids of users and groups, and what they allow: as on Linux, for programs that start as root and take other ids."""

import os
import shutil
import tempfile

import pytest
from guests import PAGING, program, run_natively, run_on_ours

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
