"""/proc: directories whose names depend on who asks and on what runs. Nothing of it is the host's.

The texts are imported when somebody asks: most programs never do.
"""

from __future__ import annotations

import stat
from errno import ENOENT

from coalmm.linux.vfs.attributes import Attributes, of_new
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Directory, Entry, Node, Place
from coalmm.linux.vfs.open_file import DirectoryFile, OpenFile
from coalmm.linux.vfs.regular import TextNode
from coalmm.typed import TYPE_CHECKING, Any, Callable, Iterable, Iterator

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.task import Task

PROC_DEVICE = 20  # st_dev of /proc


def attributes_of(path: bytes, mode: int) -> Attributes:
    """Of a file of /proc: its inode number is made from its path."""
    from zlib import crc32

    return of_new(PROC_DEVICE, 0x1000_0000 | crc32(path) >> 4, mode, 2 if stat.S_ISDIR(mode) else 1)


class ProcDirectory(Directory):
    """A directory of /proc: `lookup` asks `find`, a listing `list_names`."""

    def __init__(self, parent: Directory, name: bytes = b"proc") -> None:
        self.parent = parent
        self.name = name

    def attributes(self) -> Attributes:
        return attributes_of(self.path, stat.S_IFDIR | 0o555)

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        return DirectoryFile(self, place, flags)

    def lookup(self, name: bytes, task: Any = None) -> Node | None:
        return self.find(name, task)

    def entries(self, task: Any = None) -> Iterator[Entry]:
        for name in self.list_names(task):
            node = self.lookup(name, task)
            if node is not None:
                yield Entry(name, node.attributes().ino, node.kind)

    def create(self, name: bytes, mode: int) -> Node:
        raise failure(ENOENT)

    def symlink(self, name: bytes, target: bytes) -> Node:
        raise failure(ENOENT)

    def link(self, name: bytes, node: Node) -> None:
        raise failure(ENOENT)

    # --- the root of /proc ---

    def find(self, name: bytes, task: Any) -> Node | None:
        """A process, a text about the machine, or a link to who asks."""
        from coalmm.linux.vfs.proc_system import SYSTEM_TEXTS, sysctl_texts

        if name in LINKS:
            return None if task is None else LinkNode(self, name, LINKS[name](task))
        if task is None:
            return None
        if name == b"sys":
            return TreeDirectory(self, name, sysctl_texts(task.system))
        if name in SYSTEM_TEXTS:
            return text_node(self, name, lambda: SYSTEM_TEXTS[name](task.system))
        group = find_group(task, name)
        return None if group is None else ProcessDirectory(self, name, group)

    def list_names(self, task: Any) -> Iterable[bytes]:
        """The names, processes last as Linux has them."""
        from coalmm.linux.vfs.proc_system import SYSTEM_TEXTS

        pids = [] if task is None else sorted(group.pid for group in task.system.groups.values())
        return [*SYSTEM_TEXTS, b"sys", *LINKS, *(b"%d" % pid for pid in pids)]


def find_group(task: Task, name: bytes) -> ThreadGroup | None:
    """The process of a number, by the pid or a thread's id."""
    if not name.isdigit() or name[:1] == b"0" or len(name) > 10:
        return None
    number = int(name)
    for group in task.system.groups.values():
        if number == group.pid or any(number == thread.tid for thread in group.tasks):
            return group
    return None


LINKS: dict[bytes, Callable[[Any], bytes]] = {
    b"self": lambda task: b"%d" % task.group.pid,
    b"thread-self": lambda task: b"%d/task/%d" % (task.group.pid, task.tid),
    b"mounts": lambda task: b"self/mounts",
}


class LinkNode(Node):
    """A link whose text is known."""

    kind = stat.S_IFLNK

    def __init__(self, directory: Directory, name: bytes, text: bytes) -> None:
        self.text = text
        self.status = attributes_of(directory.path + b"/" + name, stat.S_IFLNK | 0o777)

    def attributes(self) -> Attributes:
        return self.status

    def target(self) -> bytes:
        return self.text


class MagicLink(Node):
    """A link that leads to a place by itself: /proc/PID/exe, cwd, root and fd. It may lead to a file without a name."""

    kind = stat.S_IFLNK
    is_magic = True

    def __init__(
        self, directory: Directory, name: bytes, place: Callable[[], Place], text: Callable[[], bytes]
    ) -> None:
        self.status = attributes_of(directory.path + b"/" + name, stat.S_IFLNK | 0o777)
        self.place = place
        self.text = text

    def attributes(self) -> Attributes:
        return self.status

    def target(self) -> bytes:
        return self.text()


def text_node(directory: Directory, name: bytes, text: Callable[[], bytes], store: Any = None) -> Node:
    """A file with a text, that `store` changes if it is given."""
    mode = 0o444 if store is None else 0o644
    return TextNode(attributes_of(directory.path + b"/" + name, stat.S_IFREG | mode), text, store)


class TreeDirectory(ProcDirectory):
    """Texts in directories, known beforehand: a dict of texts and of dicts."""

    def __init__(self, parent: Directory, name: bytes, tree: dict[bytes, Any]) -> None:
        super().__init__(parent, name)
        self.tree = tree

    def find(self, name: bytes, task: Any) -> Node | None:
        found = self.tree.get(name)
        if isinstance(found, dict):
            return TreeDirectory(self, name, found)
        return None if found is None else text_node(self, name, found)

    def list_names(self, task: Any) -> Iterable[bytes]:
        return list(self.tree)


class ProcessDirectory(ProcDirectory):
    """/proc/PID, and /proc/PID/task/TID."""

    def __init__(self, parent: Directory, name: bytes, group: ThreadGroup, thread: Task | None = None) -> None:
        super().__init__(parent, name)
        self.group = group
        self.thread = thread

    @property
    def task(self) -> Task | None:
        """The thread that is shown; None for a zombie."""
        return self.thread or self.group.leader

    def find(self, name: bytes, task: Any) -> Node | None:
        from coalmm.linux.vfs.proc_task import TASK_TEXTS, WRITERS

        shown = self.task
        if shown is not None and name in (b"fd", b"fdinfo"):
            return DescriptorDirectory(self, name, shown)
        if shown is not None and name in (b"exe", b"cwd", b"root"):
            return self._magic(name, shown)
        if shown is not None and name in (b"mem", b"pagemap"):
            from coalmm.linux.vfs.proc_memory import MemoryNode

            return MemoryNode(attributes_of(self.path + b"/" + name, stat.S_IFREG | 0o600), shown, name)
        if name == b"task" and self.thread is None:
            return ThreadsDirectory(self, name, self.group)
        if name in TASK_TEXTS:
            store = WRITERS.get(name)
            group = self.group
            return text_node(
                self, name, lambda: TASK_TEXTS[name](group, shown),
                None if store is None or shown is None else lambda data: store(shown, data),
            )  # fmt: skip
        return None

    def _magic(self, name: bytes, shown: Task) -> Node:
        """exe, cwd or root."""

        def place() -> Place:
            if name == b"exe":
                found: Place = shown.system.vfs.walk(shown.system.vfs.context(), self.group.executable)
                return found
            directory = shown.fs.cwd if name == b"cwd" else shown.fs.root
            return Place(directory.parent, directory.name, directory)

        def text() -> bytes:
            if name == b"exe":
                return bytes(self.group.executable)
            return (shown.fs.cwd if name == b"cwd" else shown.fs.root).path

        return MagicLink(self, name, place, text)

    def list_names(self, task: Any) -> Iterable[bytes]:
        from coalmm.linux.vfs.proc_task import TASK_TEXTS

        own = [b"fd", b"fdinfo", b"exe", b"cwd", b"root", b"mem", b"pagemap"] if self.task is not None else []
        return [*own, *([] if self.thread else [b"task"]), *TASK_TEXTS]


class ThreadsDirectory(ProcDirectory):
    """/proc/PID/task."""

    def __init__(self, parent: Directory, name: bytes, group: ThreadGroup) -> None:
        super().__init__(parent, name)
        self.group = group

    def find(self, name: bytes, task: Any) -> Node | None:
        for thread in self.group.tasks:
            if name == b"%d" % thread.tid:
                return ProcessDirectory(self, name, self.group, thread)
        return None

    def list_names(self, task: Any) -> Iterable[bytes]:
        return [b"%d" % thread.tid for thread in self.group.tasks]


class DescriptorDirectory(ProcDirectory):
    """/proc/PID/fd and fdinfo."""

    def __init__(self, parent: Directory, name: bytes, shown: Task) -> None:
        super().__init__(parent, name)
        self.shown = shown

    def find(self, name: bytes, task: Any) -> Node | None:
        slot = self.shown.files.slots.get(int(name)) if name.isdigit() and len(name) < 10 else None
        if slot is None:
            return None
        file = slot.file
        if self.name == b"fdinfo":
            from coalmm.linux.vfs.proc_task import descriptor_text

            return text_node(self, name, lambda: descriptor_text(file))
        link = MagicLink(self, name, lambda: file.place or Place(self, name, file.node), lambda: file.path)
        link.status.mode = (
            stat.S_IFLNK | 0o100 | (0o400 if file.is_readable else 0) | (0o200 if file.is_writable else 0)
        )
        return link

    def list_names(self, task: Any) -> Iterable[bytes]:
        return [b"%d" % fd for fd in self.shown.files]
