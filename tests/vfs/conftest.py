"""A small tree of files and guests that see it as their root."""

import pytest
from guest import Guest


@pytest.fixture
def tree(tmp_path):
    """root/ with files and links, and a secret beside it."""
    root = tmp_path / "root"
    for name in ("etc", "usr/bin", "tmp", "out"):
        (root / name).mkdir(parents=True)
    (root / "etc/hostname").write_text("coal\n")
    (root / "etc/passwd").write_text("root:x:0:0\n")
    (root / "usr/bin/tool").write_bytes(b"#!/bin/sh\necho hi\n")
    (root / "usr/bin/tool").chmod(0o755)
    (root / "bin").symlink_to("usr/bin")
    (root / "absolute").symlink_to("/etc/hostname")
    (root / "up").symlink_to("../../../../etc/hostname")
    (root / "loop").symlink_to("loop")
    (tmp_path / "secret").write_text("secret\n")
    return root


@pytest.fixture
def guest(tree):
    return Guest(tree)
