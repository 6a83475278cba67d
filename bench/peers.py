"""Finds the allocators that can be put in front of libc's, and says how to get the one that the table needs."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")


@dataclass(frozen=True)
class Peer:
    """An allocator as a shared library; `install` is the command for Debian."""

    name: str
    libraries: tuple[str, ...]
    install: str
    path: str = ""


PEERS = (
    Peer("mimalloc", ("libmimalloc.so.2", "libmimalloc.so"), "apt-get install libmimalloc2.0"),
    Peer("jemalloc", ("libjemalloc.so.2",), "apt-get install libjemalloc2"),
    Peer("tcmalloc", ("libtcmalloc_minimal.so.4",), "apt-get install libtcmalloc-minimal4"),
)


def loader_cache() -> dict[str, str]:
    """What ldconfig knows: library name to path."""
    ldconfig = shutil.which("ldconfig") or shutil.which("ldconfig", path="/usr/sbin:/sbin")
    if ldconfig is None:
        return {}
    listing = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    pairs = (line.partition("=>") for line in listing.splitlines() if "=>" in line)
    return {name.split()[0]: path.strip() for name, _, path in pairs}


def find(peer: Peer, given: str = "") -> Peer:
    """The peer with its path filled in, empty if it is not installed. FileNotFoundError if `given` is not there."""
    if given:
        if not Path(given).is_file():
            raise FileNotFoundError(f"{peer.name}: no library at {given}")
        return Peer(peer.name, peer.libraries, peer.install, given)
    cache = loader_cache()
    for library in peer.libraries:
        places = [cache.get(library, ""), *(f"{folder}/{library}" for folder in FOLDERS)]
        for place in places:
            if place and Path(place).exists():
                return Peer(peer.name, peer.libraries, peer.install, place)
    return peer


def find_all(mimalloc: str = "") -> list[Peer]:
    """Every peer, found or not; `mimalloc` is a path that the user gave, or empty."""
    return [find(peer, mimalloc if peer.name == "mimalloc" else "") for peer in PEERS]
