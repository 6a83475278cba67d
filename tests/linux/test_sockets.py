"""Unix sockets: pairs, names, descriptors on their way. Native and ours are equal; below `--write`, too."""

import pytest
from guests import PAGING, assert_same, program


@pytest.mark.parametrize(("flavour", "writable"), [("64", []), ("32", []), ("64", ["/tmp"])])
def test_sockets_are_those_of_linux(flavour, writable):
    ours = assert_same([program("sockets", flavour)], paging=PAGING[flavour], writable=writable)
    assert not ours.unknown


@pytest.mark.parametrize("flavour", ["64", "32"])
@pytest.mark.parametrize("name", ["socket_options", "socket_messages", "socket_garbage"])
def test_options_and_messages_are_those_of_linux(name, flavour):
    ours = assert_same([program(name, flavour)], paging=PAGING[flavour])
    assert not ours.unknown


CHAIN = """
import array, socket
last = socket.socketpair()[0]
for _ in range(400):
    left, right = socket.socketpair()
    left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [last.fileno()]))])
    last.close(); left.close(); last = right
last.close(); print("gone")
"""
STOP = """
import socket, threading, time
server = socket.socket(socket.AF_UNIX); server.bind("\\0stop"); server.listen()
seen = []
def accept():
    try: server.accept()
    except OSError as error: seen.append(error.errno)
thread = threading.Thread(target=accept); thread.start(); time.sleep(0.2)
server.shutdown(socket.SHUT_RDWR); thread.join()
try: socket.socket(socket.AF_UNIX).connect("\\0stop")
except OSError as error: seen.append(error.errno)
print(seen)
"""


@pytest.mark.parametrize("script", [CHAIN, STOP], ids=["a chain of sockets in each other's messages", "a server stops"])
def test_a_script_with_sockets_prints_what_it_prints_on_linux(script):
    assert_same(["/usr/bin/python3", "-c", script])
