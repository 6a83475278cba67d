"""A trace file as a stream of bytes: opened, its compression found by magic bytes, never held whole."""

import bz2
import gzip
import io
import lzma
import os
import sys
import zlib

import zstandard

from coalmm.errors import TraceError, lower_first
from coalmm.typed import BinaryIO, Iterator, Protocol, TracebackType

HEAD = 1 << 16  # bytes looked at to find the format
BLOCK = 1 << 16
LONGEST_LINE = 1 << 20
ZSTD_BLOCK = 1 << 12  # compressed bytes a step: the worst one becomes 128 MiB
ZSTD_WINDOW = 1 << 31  # what `zstd --long=31` writes
DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError, MemoryError)


class Readable(Protocol):
    """What gives the decompressed bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes (a zstd step may give more); b"" at the end."""


class CountedFile(io.RawIOBase):
    """The file as it is on disk, with the bytes read from it counted."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.count = 0
        self.ahead = b""

    def peek(self, size: int) -> bytes:
        """The first bytes, which a later read gives again."""
        self.ahead = self.file.read(size)
        return self.ahead

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes; everything up to the end for -1."""
        data, self.ahead = self.ahead, b""
        if size is not None and 0 <= size < len(data):
            data, self.ahead = data[:size], data[size:]
        elif not data:
            data = self.file.read(size if size is not None else -1)
        self.count += len(data)
        return data

    def readinto(self, buffer: object, /) -> int:
        """Fill as much of `buffer` as one read gives."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


class ZstdFile:
    """Frames of zstd one after the other. Unlike zstandard's own stream, it notices a cut-off file."""

    def __init__(self, file: CountedFile) -> None:
        self.file = file
        self.frames = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self.frame = self.frames.decompressobj()
        self.begun = False

    def read(self, size: int, /) -> bytes:
        """The next bytes, b"" at the end; EOFError if the file ends inside a frame."""
        data = b""
        while not data:
            block = self.frame.unused_data if self.frame.eof else b""
            if self.frame.eof:
                self.frame = self.frames.decompressobj()
                self.begun = False
            block = block or self.file.read(ZSTD_BLOCK)
            if not block:
                if self.begun:
                    raise EOFError("the file ends inside a zstd frame")
                break
            self.begun = True
            data = self.frame.decompress(block)
        return data


def decompressed(raw: CountedFile) -> tuple[str, Readable]:
    """The name of the compression ("" for none) and the stream of its content."""
    magic = raw.peek(6)
    if magic.startswith(b"\x1f\x8b"):
        return "gzip", gzip.GzipFile(fileobj=raw, mode="rb")
    if magic.startswith(b"\xfd7zXZ\x00"):
        return "xz", lzma.LZMAFile(io.BufferedReader(raw))
    if magic.startswith((b"\x28\xb5\x2f\xfd",)) or (magic[1:4] == b"\x2a\x4d\x18" and magic[0] >> 4 == 5):
        return "zstd", ZstdFile(raw)
    if magic.startswith(b"BZh"):
        return "bzip2", bz2.BZ2File(raw)
    return "", raw


class Source:
    """A file or, for "-", standard input. TraceError if it cannot be opened or its data is damaged.

    `name` for messages, `path` for libraries that want one, `size` and `position` in bytes of the file
    as it is (size 0 where not known).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.name = "standard input" if self.path == "-" else self.path
        self.cut = False
        self.line = 0
        try:
            self.file = sys.stdin.buffer if self.path == "-" else open(self.path, "rb")  # noqa: SIM115
            status = os.fstat(self.file.fileno())
        except (OSError, ValueError) as error:
            raise TraceError(f"{self.name}: {lower_first(getattr(error, 'strerror', None) or str(error))}") from None
        self.size = status.st_size if os.path.isfile(self.path) else 0
        self.raw = CountedFile(self.file)
        try:
            self.compression, self.stream = decompressed(self.raw)
        except DAMAGE as error:
            self.close()
            raise TraceError(f"{self.name}: {error}") from None
        self.head = b""
        try:
            self.head = self.read_head()
        except TraceError:
            self.close()
            raise

    @property
    def position(self) -> int:
        """Bytes of the file taken so far."""
        return self.raw.count

    def read_head(self) -> bytes:
        """The first bytes of the content, which read() gives again."""
        parts = []
        length = 0
        while length < HEAD and (part := self.read(HEAD)):
            parts.append(part)
            length += len(part)
        return b"".join(parts)

    def read(self, size: int) -> bytes:
        """The next bytes of the content, about `size`; b"" at the end."""
        if self.head:
            data, self.head = self.head, b""
            return data
        try:
            return self.stream.read(size)
        except DAMAGE as error:
            damage = f"the {self.compression} data is damaged or cut off: " if self.compression else ""
            raise TraceError(f"{self.place()}: {damage}{error}") from None

    def place(self) -> str:
        """The file, and the line that was read last, for messages."""
        return f"{self.name}:{self.line}" if self.line else self.name

    def lines(self) -> Iterator[str]:
        """The lines, without their ends. `cut` is set while the last one, if it has no newline, is out."""
        rest = b""
        while block := self.read(BLOCK):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for line in lines:
                self.line += 1
                yield line.decode("utf-8", "replace").removesuffix("\r")
            if len(rest) > LONGEST_LINE:
                raise too_long(self.name, self.line + 1)
        if rest:
            self.line += 1
            self.cut = True
            yield rest.decode("utf-8", "replace")

    def close(self) -> None:
        """Give the file back."""
        if self.path != "-":
            self.file.close()

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def too_long(name: str, line: int) -> TraceError:
    """The error for a line that no format has."""
    return TraceError(f"{name}:{line}: not a line of text: longer than {LONGEST_LINE} bytes")


def shorten(line: str | bytes) -> str:
    """A line fit for a one-line message: printable, at most 60 characters."""
    text = line.decode("latin-1") if isinstance(line, bytes) else line
    shown = "".join(c if c.isprintable() else "?" for c in text[:60])
    return shown + ("..." if len(text) > 60 else "")
