"""Names of Unix sockets: paths, and abstract ones. Source: unix(7)."""

from __future__ import annotations

import stat
from errno import EADDRINUSE, ECONNREFUSED, EINVAL, ENOENT, EPROTOTYPE

from coalmm.linux.abi import signed
from coalmm.linux.vfs.attributes import MAY_EXECUTE, MAY_WRITE, check_access
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.notify import made
from coalmm.linux.vfs.resolve import must_exist
from coalmm.linux.vfs.sockets import AF_UNIX, SocketFile
from coalmm.typed import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.inet import InetSocket


LONGEST = 110  # bytes of struct sockaddr_un


def is_inet(file: SocketFile) -> TypeGuard[InetSocket]:
    """Whether it is a socket of TCP or UDP."""
    return file.family != AF_UNIX


def read_address(task: Task, file: SocketFile, vaddr: int, length: int) -> bytes:
    """sun_path of a struct sockaddr_un: b"" for one that has none. EINVAL."""
    if is_inet(file):
        from coalmm.linux.calls import inet

        return inet.read_address(task, vaddr, length)
    size = signed(length)
    if not 2 <= size <= LONGEST:
        raise failure(EINVAL)
    content = task.read(vaddr, size)
    if int.from_bytes(content[:2], "little") != AF_UNIX:
        raise failure(EINVAL)
    name = content[2:]
    return name if name[:1] == b"\0" else name.partition(b"\0")[0]


def pack_address(file: SocketFile, name: bytes) -> bytes:
    """struct sockaddr_un; a path has its NUL."""
    if is_inet(file):
        from coalmm.linux.calls import inet

        return inet.pack_address(name)
    return AF_UNIX.to_bytes(2, "little") + name + (b"\0" if name and name[0] else b"")


def write_address(task: Task, file: SocketFile, name: bytes, address: int, length: int) -> None:
    """Tell a program an address: cut to the room that it has, and how long it is. EINVAL."""
    room = signed(int.from_bytes(task.read(length, 4), "little"))
    if room < 0:
        raise failure(EINVAL)
    whole = pack_address(file, name)
    task.write(address, whole[:room])
    task.write(length, len(whole).to_bytes(4, "little"))


def bind_name(task: Task, file: SocketFile, name: bytes) -> None:
    """bind(2)."""
    if is_inet(file):
        file.bind(name, task.credentials.is_root)
    elif name[:1] not in (b"", b"\0"):
        bind_path(task, file, name)
    else:
        bind_abstract(task, file, name)


def bind_abstract(task: Task, file: SocketFile, name: bytes) -> None:
    """Give a socket an abstract name; a free one if `name` is empty."""
    names: dict[tuple[int, bytes], SocketFile] = task.system.vfs.socket_names
    if not name:
        number = next(number for number in range(1 << 20) if (file.kind, b"\0%05x" % number) not in names)
        name = b"\0%05x" % number
    if (file.kind, name) in names:
        raise failure(EADDRINUSE)
    names[file.kind, name] = file
    file.address, file.names = name, names


def bind_path(task: Task, file: SocketFile, name: bytes) -> None:
    """Make the file that names a socket."""
    found = task.system.vfs.walk_to_name(task.fs, name, task)
    found.check()
    if found.node is not None or found.dots:
        raise failure(EADDRINUSE)
    if found.slash:
        raise failure(ENOENT)
    check_access(found.directory.attributes(), MAY_WRITE | MAY_EXECUTE)
    node = found.directory.create(found.name, stat.S_IFSOCK | 0o777 & ~task.fs.umask)
    made(found.directory, found.name, node)
    node.bound, file.bound_node = file, node
    file.address = name


def find_socket(task: Task, file: SocketFile, name: bytes) -> SocketFile:
    """Whom an address names. ECONNREFUSED, EPROTOTYPE, and what a path can give."""
    if name[:1] == b"\0":
        found = task.system.vfs.socket_names.get((file.kind, name))
    else:
        node = must_exist(task.system.vfs.walk(task.fs, name, True, task))
        check_access(node.attributes(), MAY_WRITE)
        found = node.bound
    if found is None:
        raise failure(ECONNREFUSED)
    if found.kind != file.kind:
        raise failure(EPROTOTYPE)
    return found
