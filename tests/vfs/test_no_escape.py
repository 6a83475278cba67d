"""Nothing outside of the root is reached, whatever the path, link, "..", /proc or rename."""

import os
import random
from errno import EACCES, ENOENT, ENXIO, EPERM

import pytest
from guest import Guest

from coalmm.linux.vfs.host import HostName, open_root

SECRET = b"secret\n"


@pytest.fixture(params=["overlay", "write"])
def both(request, tree):
    return Guest(tree, writable=[str(tree)] if request.param == "write" else [])


@pytest.mark.parametrize(
    "target",
    [
        "../secret",
        "/../secret",
        "../../secret",
        "{host}",
        "/proc/self/cwd/../secret",
        "/proc/self/root/../secret",
        "a/../../secret",
    ],
)
def test_links_of_the_guest_stay_inside(both, tree, target):
    both.good("mkdir", "/a", 0o755)
    both.good("symlink", target.format(host=tree.parent / "secret"), "/a/link")
    assert both.call("open", "/a/link", 0, 0) == -ENOENT
    assert both.call("open", target.format(host=tree.parent / "secret"), 0, 0) == -ENOENT


def test_links_of_the_host_stay_inside(tree):
    for number, target in enumerate([tree.parent / "secret", "../secret", "../../secret", "..", tree.parent]):
        (tree / f"evil{number}").symlink_to(target)
    guest = Guest(tree)
    for number in range(5):
        assert guest.call("open", f"/evil{number}/secret", 0, 0) in (-ENOENT, -20)
        fd = guest.call("open", f"/evil{number}", 0, 0)
        assert fd < 0 or guest.task.files.get(fd).path == b"/"


def test_a_directory_that_moves_up_while_it_is_open_leads_nowhere_else(both):
    both.good("mkdir", "/a", 0o755)
    both.good("mkdir", "/a/b", 0o755)
    both.good("mkdir", "/a/b/c", 0o755)
    fd = both.open("/a/b/c", os.O_DIRECTORY)
    both.good("chdir", "/a/b/c")
    both.good("rename", "/a/b/c", "/c")
    for path in ("../secret", "../../secret", "../../../secret", "../../../../secret"):
        assert both.call("openat", fd, path, 0, 0) == -ENOENT
        assert both.call("open", path, 0, 0) == -ENOENT


def test_proc_links_open_what_the_guest_has_and_no_more(both):
    fd = both.open("/etc")
    assert both.contents(f"/proc/self/fd/{fd}/hostname") == b"coal\n"
    assert both.call("open", f"/proc/self/fd/{fd}/../../secret", 0, 0) == -ENOENT
    assert both.contents("/proc/self/root/etc/hostname") == b"coal\n"
    assert both.call("open", "/proc/self/root/../secret", 0, 0) == -ENOENT
    assert both.call("open", "/proc/1/root/etc/shadow", 0, 0) in (-ENOENT, -EACCES)
    assert both.call("open", "/proc/self/fd/999", 0, 0) == -ENOENT


def test_devices_and_sockets_of_the_host_do_not_open(tree):
    os.mkfifo(tree / "fifo")
    if os.geteuid() == 0:
        os.mknod(tree / "null", 0o020666, os.makedev(1, 3))
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "socket"))
        for writable in ([], [str(tree)]):
            guest = Guest(tree, writable=writable)
            assert guest.call("open", "/socket", 0, 0) == -ENXIO
            if os.geteuid() == 0:
                assert guest.call("open", "/null", 2, 0) == -EACCES
            # a reader and a writer of a FIFO are tasks of the run, never somebody on the host
            assert guest.call("open", "/fifo", os.O_WRONLY | os.O_NONBLOCK, 0) in (-ENXIO, -EACCES)


def test_a_host_name_is_one_component(tree):
    root = open_root(str(tree))
    for name in (b"..", b"a/b", b"/etc"):
        with pytest.raises(ValueError):
            HostName(root, name)
    with pytest.raises(OSError):
        HostName(root, b"absolute").open(os.O_RDONLY)
    with pytest.raises(OSError):
        HostName(root, b"bin").enter()


def test_a_directory_swapped_for_a_link_behind_our_back_is_not_followed(tree):
    guest = Guest(tree, writable=[str(tree)])
    fd = guest.open("/usr", os.O_DIRECTORY)
    (tree / "usr").rename(tree / "gone")
    (tree / "usr").symlink_to(tree.parent)
    assert guest.call("openat", fd, "secret", 0, 0) == -ENOENT
    assert guest.call("open", "/usr/secret", 0, 0) == -ENOENT


def test_random_walks_never_find_the_secret(both):
    """Random trees of links and moves; every file that opens is one of the root's."""
    generator = random.Random(7)
    names = ["a", "b", "c", "etc", "..", ".", "up", "absolute", "proc/self/cwd", "proc/self/root", "secret"]
    calls = ["mkdir", "symlink", "rename", "link", "chdir", "open", "unlink", "rmdir"]

    def path():
        start = generator.choice(["", "/", "../", "/a/", "/proc/self/fd/3/"])
        return start + "/".join(generator.choice(names) for _ in range(generator.randrange(1, 5)))

    opened = 0
    for _ in range(1500):
        name = generator.choice(calls)
        arguments = {"mkdir": [path(), 0o755], "symlink": [path(), path()], "rename": [path(), path()],
                     "link": [path(), path()], "open": [path(), generator.choice([0, 0o200000]), 0]}  # fmt: skip
        fd = both.call(name, *arguments.get(name, [path()]))
        if name == "open" and fd >= 0:
            opened += 1
            at = both.room(64)
            count = both.call("read", fd, at, 64)
            assert count < 0 or SECRET not in both.task.read(at, max(count, 1))
            if fd > 10:
                both.good("close", fd)
    assert opened > 20


def test_privileged_changes_are_refused(both):
    assert both.call("chroot", "/etc") == (-EPERM if os.geteuid() else 0)
    if not os.geteuid():
        assert both.call("open", "/../../etc/hostname", os.O_RDONLY, 0) == -ENOENT
        assert both.call("open", "/hostname", os.O_RDONLY, 0) > 0
        both.good("chdir", "../../../..")  # its working directory is outside: up to the top, and no further
        assert both.call("open", "etc/hostname", os.O_RDONLY, 0) > 0
        both.task.fs.root = both.vfs.root
    assert both.call("mknod", "/x", 0o060600, 0x800) == -EPERM
    with pytest.raises(KeyError):
        both.call("mount", "/", "/", 0, 0, 0)
    with pytest.raises(KeyError):
        both.call("open_by_handle_at", 0, 0, 0)
