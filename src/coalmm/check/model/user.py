"""Copies to and from user space: every byte, the right to each page, and nothing else."""

from coalmm.check.model.call import Call
from coalmm.check.model.paging import Paging
from coalmm.check.pattern import pattern
from coalmm.check.violation import Illegal, Violation

MOST = 1 << 20  # bytes that a sequence copies at once
RESULT = "@return 0 on success, -EFAULT on failure"


class UserMemory:
    """The copies over the pages of `Paging`. `sources` says what the kernel's buffers hold."""

    def __init__(self, paging: Paging, end_of_buffer: int, efault: int) -> None:
        self.paging = paging
        self.end = end_of_buffer
        self.efault = efault
        self.filled = 0, 0  # (bytes, seed) of the last pattern, which ends at the end of the buffer
        self.read: tuple[str, int, int, int] | None = None  # (function, vaddr, bytes, operation) that the buffer holds
        self.cut: int | None = None  # 1 if a string that is cut gets a NUL in its n bytes
        self.counts_nul: dict[str, tuple[int, int]] = {}  # function -> (0 or 1, operation that showed it)

    def fill(self, size: int, seed: int) -> None:
        """The buffer's last `size` bytes are a pattern."""
        self.filled, self.read = (size, seed), None

    def _judge(self, call: Call, vaddr: int, size: int, write: bool) -> bool:
        """Whether the copy took place; Violation if it should not have, or should."""
        allowed = self.paging.allowed(vaddr, size, write)
        if call.value not in (0, -self.efault) and not (call.value < 0 and not allowed):
            raise Violation("value", f"{call.op.name} returned {call.value}", f"(int)${call.out} == 0", RESULT)
        if allowed is False and call.value == 0 and size:
            raise Violation(
                "rights", f"{call.op.name} of {size} bytes at {vaddr:#x} returned 0, and a page there "
                f"{self._lacks(vaddr, size, write)}", f"(int)${call.out} < 0", RESULT,
            )  # fmt: skip
        if allowed and call.value and not (write and self.paging.short):
            raise Violation(
                "refused", f"{call.op.name} of {size} bytes at {vaddr:#x} returned {call.value}, and every page of it "
                "is mapped with that right", f"(int)${call.out} == 0", RESULT,
            )  # fmt: skip
        return call.value == 0

    def _lacks(self, vaddr: int, size: int, write: bool) -> str:
        page = next(page for _, page, _, _ in self.paging.pages(vaddr, size) if page is None or not page.allows(write))
        return "is not mapped" if page is None else "is not for user programs" if not page.flags & 4 else "is read-only"

    def copy_to_user(self, call: Call) -> None:
        """The buffer's bytes are in the pages, or it fails; then bytes of the range may have changed."""
        vaddr, source, size = call.args
        if size > MOST:
            return
        done = self._judge(call, vaddr, size, write=True)
        known = source == self.end - size and self.filled[0] >= size
        data = pattern(self.filled[1], self.filled[0])[self.filled[0] - size :] if known else b""
        for at, page, offset, length in self.paging.pages(vaddr, size):
            if page is None or not page.allows(write=True):
                continue
            if done and known:
                first = at + offset - vaddr
                page.content.write(offset, data[first : first + length])
            else:
                page.content.forget(offset, length)

    def copy_from_user(self, call: Call) -> None:
        """A `read` of the buffer that follows looks at the bytes."""
        target, vaddr, size = call.args
        self.filled, self.read = (0, 0), None
        if size > MOST:
            return
        if self._judge(call, vaddr, size, write=False) and target == self.end - size:
            self.read = (call.op.name, vaddr, size, call.out)

    def strncpy_from_user(self, call: Call) -> None:
        """Copies up to the NUL or `n` bytes; whether the NUL counts is open, but always the same."""
        target, vaddr, size = call.args
        self.filled, self.read = (0, 0), None
        if size > MOST:
            return
        length, known = self._string(vaddr, size)
        if not known:
            return
        if length is None:  # runs into a page that may not be read
            if call.value >= 0:
                raise Violation("rights", f"strncpy_from_user at {vaddr:#x} returned {call.value}, and the string runs "
                                "into a page that cannot be read", f"(ssize_t)${call.out} < 0",
                                "@return Number of bytes copied or negative error")  # fmt: skip
            return
        self._length(call, length, size)
        if target == self.end - size:
            self.read = (call.op.name, vaddr, min(length, max(call.value, 0)), call.out)

    def strnlen_user(self, call: Call) -> None:
        """The length, with or without the NUL, but always the same."""
        vaddr, size = call.args
        if size > MOST:
            return
        length, known = self._string(vaddr, size)
        if not known:
            return
        if length is None:
            if call.value > 0:
                raise Violation("rights", f"strnlen_user at {vaddr:#x} returned {call.value}, and the string runs into "
                                "a page that cannot be read", f"(ssize_t)${call.out} <= 0",
                                "@return String length or negative error")  # fmt: skip
        elif length < size:
            self._length(call, length, size)
        elif 0 <= call.value < size:
            raise Violation("length", f"strnlen_user returned {call.value}, and there is no NUL in {size} bytes",
                            f"(ssize_t)${call.out} < 0 || (ssize_t)${call.out} >= {size}",
                            "@return String length or negative error")  # fmt: skip

    def _length(self, call: Call, length: int, size: int) -> None:
        """Judge a length of a string that has its NUL in `size` bytes (length < size), or not (length == size)."""
        name, out = call.op.name, call.out
        if length == size:
            cut = size - call.value
            if cut not in (0, 1) or (size > 1 and self.cut not in (None, cut)):
                raise Violation(
                    "length", f"{name} returned {call.value} for a string longer than the {size} bytes that it may "
                    "copy", f"(ssize_t)${out} == {size - (self.cut or 0)}", "@param n Maximum bytes to copy",
                )  # fmt: skip
            self.cut = cut if size > 1 else self.cut
            return
        extra = call.value - length
        shown = self.counts_nul.get(name)
        if extra not in (0, 1) or (shown is not None and extra != shown[0]):
            right = length + (shown[0] if shown else 0)
            raise Violation(
                "length", f"{name} returned {call.value} for a string of {length} bytes before its NUL"
                + (f", and counted {'' if shown[0] else 'no '}NUL before" if shown and extra in (0, 1) else ""),
                f"(ssize_t)${out} == {right}", "@return Number of bytes copied or negative error",
            )  # fmt: skip
        self.counts_nul[name] = (extra, out)

    def _string(self, vaddr: int, size: int) -> tuple[int | None, bool]:
        """(bytes before the NUL, at most `size`; None if a page stops it, whether that is known)."""
        length = 0
        for _, page, offset, part in self.paging.pages(vaddr, size):
            if page is None or not page.allows(write=False):
                return None, page is not None or self.paging.current.whole
            known = page.content.known[offset : offset + part]
            value = page.content.value[offset : offset + part]
            end = value.find(0)
            while end >= 0 and not known[end]:
                end = value.find(0, end + 1)
            stop = end if end >= 0 else part
            if known.count(1, 0, stop) != stop:
                return None, False
            if end >= 0:
                return length + end, True
            length += part
        return length, True

    def look(self, call: Call) -> None:
        """A `read` of the buffer: it must have the bytes that were copied there."""
        if self.read is None:
            return
        function, vaddr, size, _ = self.read
        data = call.outcome.data[:size]
        if len(data) < size:
            raise Illegal("fewer bytes were looked at than copied")
        for at, page, offset, length in self.paging.pages(vaddr, size):
            assert page is not None
            first = at + offset - vaddr
            part = data[first : first + length]
            wrong = page.content.differs(offset, part)
            if wrong >= 0:
                place, right = first + wrong, page.content.value[offset + wrong]
                raise Violation(
                    "content", f"{function}: byte {place} of what was read at {vaddr:#x} is {part[wrong]:#04x}, and "
                    f"{right:#04x} was written there", f"byte(${call.out}, {place}) == {right:#04x}",
                    "Safe Copy Functions",
                )  # fmt: skip
            page.content.write(offset, part)

    def _valid(self, call: Call) -> None:
        vaddr, size, write = call.args
        if size == 0 or size > MOST:
            return
        allowed = self.paging.allowed(vaddr, size, bool(write))
        touched = write and any(page and page.shared for _, page, _, _ in self.paging.pages(vaddr, size))
        if allowed is None or (touched and allowed):
            return
        if bool(call.value) != allowed:
            raise Violation(
                "rights", f"{call.op.name}({vaddr:#x}, {size}, {'true' if write else 'false'}) is "
                f"{'true' if call.value else 'false'}", f"{'' if allowed else '!'}${call.out}",
                "@return True if valid, false otherwise",
            )  # fmt: skip

    validate_user_pointer = _valid
    validate_user_buffer = _valid
