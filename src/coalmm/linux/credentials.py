"""Who a thread is: user and group ids, and what they allow. Source: credentials(7), setresuid(2), setfsuid(2).

A run starts with the ids of the user who runs coalmm. Root among programs is the effective user 0, and may take any
ids; what the host lets nobody but root do is still for the host to decide.
"""

from __future__ import annotations

import os
from errno import EPERM

ROOT = 0


class Ids:
    """The real, effective, saved and file system id of one kind: users or groups."""

    __slots__ = ("effective", "file", "real", "saved")

    def __init__(self, real: int, effective: int) -> None:
        self.real = real
        self.effective = self.saved = self.file = effective

    def copy(self) -> Ids:
        """The same, to be changed alone."""
        twin = Ids(self.real, self.effective)
        twin.saved, twin.file = self.saved, self.file
        return twin

    def set_one(self, wanted: int, is_root: bool) -> None:
        """setuid, setgid: all of them for root, else the effective one. OSError EPERM."""
        if is_root:
            self.real = self.saved = wanted
        elif wanted not in (self.real, self.saved):
            raise OSError(EPERM, "not one of its ids")
        self.effective = self.file = wanted

    def set_two(self, real: int | None, effective: int | None, is_root: bool) -> None:
        """setreuid, setregid; None leaves one as it is. OSError EPERM."""
        own = (None, self.real, self.effective)
        if not is_root and (real not in own or effective not in (*own, self.saved)):
            raise OSError(EPERM, "not one of its ids")
        before = self.real
        self.real = self.real if real is None else real
        self.effective = self.file = self.effective if effective is None else effective
        if real is not None or (effective is not None and effective != before):
            self.saved = self.effective

    def set_three(self, real: int | None, effective: int | None, saved: int | None, is_root: bool) -> None:
        """setresuid, setresgid. OSError EPERM."""
        own = (None, self.real, self.effective, self.saved)
        if not is_root and any(wanted not in own for wanted in (real, effective, saved)):
            raise OSError(EPERM, "not one of its ids")
        self.real = self.real if real is None else real
        self.effective = self.file = self.effective if effective is None else effective
        self.saved = self.saved if saved is None else saved

    def set_file(self, wanted: int, is_root: bool) -> int:
        """setfsuid, setfsgid: the one before; what is not allowed changes nothing."""
        before = self.file
        if is_root or wanted in (self.real, self.effective, self.saved, self.file):
            self.file = wanted
        return before


class Credentials:
    """All ids of a thread; its children get a copy."""

    __slots__ = ("group", "groups", "user")

    def __init__(self, user: Ids, group: Ids, groups: tuple[int, ...]) -> None:
        self.user = user
        self.group = group
        self.groups = groups  # supplementary ones

    @classmethod
    def of_host(cls) -> Credentials:
        """Those of the user who runs this."""
        return cls(Ids(os.getuid(), os.geteuid()), Ids(os.getgid(), os.getegid()), tuple(os.getgroups()))

    def copy(self) -> Credentials:
        """The same, to be changed alone."""
        return Credentials(self.user.copy(), self.group.copy(), self.groups)

    @property
    def is_root(self) -> bool:
        """Whether it may do what only root may, files apart."""
        return self.user.effective == ROOT

    def is_in(self, group: int) -> bool:
        """Whether its file accesses count as a group's."""
        return group == self.group.file or group in self.groups

    def may_signal(self, other: Credentials) -> bool:
        """Whether it may send a thread with the credentials `other` a signal (kill(2))."""
        own = (self.user.real, self.user.effective)
        return self.is_root or other.user.real in own or other.user.saved in own

    def may_trace(self, other: Credentials) -> bool:
        """Whether all ids of a thread are its real ones."""
        pairs = ((self.user, other.user), (self.group, other.group))
        return all({ids.real} == {theirs.real, theirs.effective, theirs.saved} for ids, theirs in pairs)

    def execute(self, mode: int, owner: int, group: int) -> None:
        """A program is executed whose file has these set-id bits and this owner; 0 for what does not count."""
        if mode & 0o4000:
            self.user.effective = self.user.file = owner
        if mode & 0o2010 == 0o2010:
            self.group.effective = self.group.file = group
        for ids in (self.user, self.group):
            ids.saved = ids.file = ids.effective

    @property
    def is_secure(self) -> bool:
        """AT_SECURE: whether its ids came from a set-id program."""
        return self.user.real != self.user.effective or self.group.real != self.group.effective


class Numbers:
    """What one run has numbered: inodes of pipes and sockets, cookies of inotify."""

    __slots__ = ("cookie", "pipe", "socket")

    def __init__(self) -> None:
        self.pipe, self.socket, self.cookie = 1000, 5000, 0


class Current:
    """Whose turn it is, as far as files are concerned: the kernel sets it before it works for a thread."""

    __slots__ = ("credentials", "numbers")

    def __init__(self) -> None:
        self.credentials = Credentials.of_host()
        self.numbers = Numbers()


current = Current()
