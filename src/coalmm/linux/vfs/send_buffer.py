"""What the messages take that a socket has sent and nobody has read: SO_SNDBUF. Source: socket(7), net/core/skbuff.c.

As on Linux a message costs more than its bytes: the room that its allocations round up to, and a struct sk_buff.
One more may be sent while less than the limit is used, so that the last one may go past it.
"""

from __future__ import annotations

DEFAULT_SIZE = 212992  # net.core.wmem_default, net.core.rmem_default
MOST_SIZE = 4 << 20  # net.core.wmem_max: SO_SNDBUF doubles what it is given
LEAST_SIZE = 4608  # SOCK_MIN_SNDBUF
PAGE = 4096
STRUCT_SIZE, SHARED_INFO = 256, 320  # sk_buff; skb_shared_info, behind the bytes
HEAD_OF_PAGE = PAGE - SHARED_INFO  # SKB_MAX_HEAD(0)
HEAD_OF_DATAGRAM = 4 * PAGE - SHARED_INFO  # SKB_MAX_ALLOC
MOST_PAGED = 17 * PAGE  # MAX_SKB_FRAGS
LARGEST_DATAGRAM = (4 << 20) - SHARED_INFO + MOST_PAGED  # KMALLOC_MAX_SIZE is the largest head
LARGEST_PIECE = HEAD_OF_PAGE + 8 * PAGE


def in_pages(size: int) -> int:
    """PAGE_ALIGN."""
    return -(-size // PAGE) * PAGE


def cost(size: int, paged: int) -> int:
    """skb->truesize of a message: `paged` of its bytes lie in pages, the others in its head."""
    head = (size - paged + 63 & ~63) + SHARED_INFO
    return max(1 << (head - 1).bit_length(), 512) + STRUCT_SIZE + in_pages(paged)


def cost_of_piece(size: int) -> int:
    """What a piece of a stream costs."""
    return cost(size, min(in_pages(max(size - HEAD_OF_PAGE, 0)), size))


def cost_of_datagram(size: int) -> int:
    """What a message costs that stays one."""
    paged = in_pages(min(max(size - HEAD_OF_DATAGRAM, 0), MOST_PAGED))
    return cost(max(size, paged), paged)


class SendBuffer:
    """The sent and unread messages of one socket. `used`: sk_wmem_alloc; `settled` counts those that were read."""

    def __init__(self) -> None:
        self.limit = DEFAULT_SIZE
        self.used = 0
        self.settled = 0

    @property
    def has_room(self) -> bool:
        """Whether one more may be sent."""
        return self.used < self.limit

    @property
    def is_writable(self) -> bool:
        """What poll(2) says: a quarter is used at most."""
        return self.used << 2 <= self.limit

    @property
    def piece(self) -> int:
        """Bytes of the largest message that a stream is cut into."""
        return min((self.limit >> 1) - 64, LARGEST_PIECE)

    @property
    def largest(self) -> int:
        """Bytes of the largest datagram."""
        return self.limit - 32

    def settle(self, size: int) -> None:
        """A message was read, or is given up."""
        self.used -= size
        self.settled += 1

    def resize(self, size: int) -> None:
        """SO_SNDBUF with a size that the system allows."""
        self.limit = max(2 * size, LEAST_SIZE)
