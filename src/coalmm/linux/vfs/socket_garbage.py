"""Sockets on their way in each other's messages, which nobody can receive any more. Source: unix(7).

A socket that only messages refer to is alive if one who could receive such a message is. Linux looks at all sockets
that are on their way; here the search goes back from the one that has just lost a descriptor, from message to
receiver. It meets either somebody alive, or all that keeps the socket, which is garbage then.
"""

from __future__ import annotations

from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.vfs.sockets import SocketFile


def keepers(socket: SocketFile) -> list[SocketFile] | None:
    """Who must be alive for a socket to be; None if it is for another reason."""
    if socket.references > len(socket.carriers):
        return None  # a descriptor
    found = [message.receiver for message in socket.carriers]
    if socket.listener is not None:
        found.append(socket.listener)  # a connection that nobody has accepted
    elif not found:
        return None
    receivers = [each for each in found if each is not None]
    return receivers if len(receivers) == len(found) else None  # a message is being sent now


def collect(start: SocketFile) -> None:
    """Let go of what a socket's messages hold, and of those that keep it, if nobody can receive it."""
    found = {start: None}
    search = [start]
    for socket in search:  # it grows meanwhile
        more = keepers(socket)
        if more is None:
            return
        new = [each for each in dict.fromkeys(more) if each not in found]
        found.update(dict.fromkeys(new))
        search += new
    for socket in search:
        socket.incoming.clear()
