"""Unix sockets: pairs, names, descriptors on their way. Native and ours are equal; below `--write`, too."""

from errno import ETOOMANYREFS

import pytest
from guests import PAGING, assert_same, program, run_on_ours

from coalmm.linux.vfs.channel import Message


@pytest.mark.parametrize(("flavour", "writable"), [("64", []), ("32", []), ("64", ["/tmp"])])
def test_sockets_are_those_of_linux(flavour, writable):
    ours = assert_same([program("sockets", flavour)], paging=PAGING[flavour], writable=writable)
    assert not ours.unknown


@pytest.mark.parametrize("flavour", ["64", "32"])
@pytest.mark.parametrize("name", ["socket_options", "socket_messages", "socket_garbage", "socket_limits"])
def test_options_and_messages_are_those_of_linux(name, flavour):
    ours = assert_same([program(name, flavour)], paging=PAGING[flavour])
    assert not ours.unknown


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_the_loopback_is_that_of_linux(flavour):
    ours = assert_same([program("inet", flavour)], paging=PAGING[flavour])
    assert not ours.unknown


IN_FLIGHT = """
import array, socket
a, b = socket.socketpair()
keeps = None
for number in range(1000):
    c, d = socket.socketpair()
    try: socket.send_fds(c, [b"x"], [b.fileno()])
    except OSError as error: print(number, error.errno); break
    b = d
b.close()
socket.send_fds(a, [b"x"], [a.fileno()])
"""


def test_files_on_their_way_are_limited_and_let_go(monkeypatch):
    monkeypatch.setattr("coalmm.linux.calls.messages.MOST_IN_FLIGHT", 100)
    before = Message.in_flight
    ours = run_on_ours(["/usr/bin/python3", "-c", IN_FLIGHT])
    assert ours.outcome.stdout == b"%d %d\n" % (101 - before, ETOOMANYREFS)
    assert Message.in_flight == before


SERVER = """
import http.server, threading, urllib.request, asyncio, errno
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(self.path.encode() * 30000)
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever).start()
text = urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/page").read()
print(len(text), text[:12]); server.shutdown(); server.server_close()
async def talk():
    async def serve(reader, writer):
        while line := await reader.readline(): writer.write(line.upper())
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(3): writer.write(b"line\\n"); print(await reader.readline())
    writer.write_eof(); print(await reader.read()); writer.close(); server.close()
    try: await asyncio.open_connection("127.0.0.1", 1)
    except OSError as error: print(errno.errorcode[error.errno])
asyncio.run(talk())
"""
ELSEWHERE = """
import errno, socket
for family in (socket.AF_INET6, socket.AF_NETLINK):
    try: socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error: print(errno.errorcode[error.errno])
for address in (("8.8.8.8", 53), ("192.168.0.1", 80), ("10.0.0.1", 22)):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try: socket.socket(socket.AF_INET, kind).connect(address)
        except OSError as error: print(errno.errorcode[error.errno])
"""


def test_nothing_but_the_loopback_can_be_reached():
    ours = run_on_ours(["/usr/bin/python3", "-c", ELSEWHERE])
    assert ours.outcome.stdout == b"EAFNOSUPPORT\n" * 2 + b"ENETUNREACH\n" * 6, ours


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


SCRIPTS = {"a chain of sockets in each other's messages": CHAIN, "a server stops": STOP, "a web server": SERVER}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_with_sockets_prints_what_it_prints_on_linux(script):
    assert_same(["/usr/bin/python3", "-c", script])
