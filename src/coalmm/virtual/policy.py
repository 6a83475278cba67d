"""A policy of the user's for a machine: hooks where papers on memory management differ. Every answer is checked.

A policy is a Python object with any of the methods `evict`, `read_window` and `fault_around`; what it does not have is
done as without it. docs/policies.md has the rules and examples.
"""

from coalmm.errors import PolicyError
from coalmm.typed import Any, Callable, NamedTuple
from coalmm.virtual.constants import FAULT_AROUND, READ_AROUND

HOOKS = ("evict", "read_window", "fault_around")
MOST_AROUND = 512  # pages: what a page table of 64-bit modes maps
MOST_READ = 1024


class Page(NamedTuple):
    """Page `number` of a file that may be given up now. `age`: pages that came into the cache after it."""

    pfn: int
    file: int
    number: int
    age: int
    accessed: bool  # since the last time that pages were chosen
    dirty: bool
    mappings: int


class Policy:
    """Asks the hooks of a user's object. ValueError for one without any."""

    def __init__(self, chosen: Any) -> None:
        if not any(hasattr(chosen, name) for name in HOOKS):
            raise ValueError(f"a policy has one of the methods {', '.join(HOOKS)}; {chosen!r} has none")
        self.chosen = chosen
        self.evict: Callable[..., Any] | None = getattr(chosen, "evict", None)

    def ask(self, name: str, *arguments: Any) -> Any:
        """What a hook answers. PolicyError if it raises."""
        try:
            return getattr(self.chosen, name)(*arguments)
        except Exception as error:
            raise PolicyError(f"the policy's {name} raised {type(error).__name__}: {error}") from error

    def victims(self, pages: list[Page], count: int) -> list[Page]:
        """Which of `pages`, the oldest first, to give up so that `count` frames are free; at most so many."""
        if not pages:
            return []
        answer = self.ask("evict", pages, count)
        if not isinstance(answer, (list, tuple)):
            raise PolicyError(f"the policy's evict answered {answer!r}: it must be a list of pages")
        known = {page.pfn: page for page in pages}
        chosen = []
        for page in answer:
            if not isinstance(page, Page) or type(page.pfn) is not int or page.pfn not in known:
                raise PolicyError(f"the policy's evict answered {page!r}: none of its pages, or there twice")
            chosen.append(known.pop(page.pfn))
        return chosen[:count]

    def window(self, index: int, pages: int) -> tuple[int, int]:
        """Which pages [first, last) of a file of `pages` pages to read when page `index` is missing."""
        if not hasattr(self.chosen, "read_window"):
            return max(index - READ_AROUND // 2, 0), index + READ_AROUND // 2
        answer = self.ask("read_window", index, pages)
        is_pair = isinstance(answer, tuple) and len(answer) == 2 and all(type(each) is int for each in answer)
        if not is_pair or not 0 <= answer[0] <= index < answer[1] or answer[1] - answer[0] > MOST_READ:
            raise PolicyError(
                f"the policy's read_window answered {answer!r} for page {index}: it must be (first, last) around it, "
                f"at most {MOST_READ} pages"
            )
        return answer[0], answer[1]

    def around(self) -> int:
        """How many pages, a power of two, a read fault maps around itself if they are in the cache."""
        if not hasattr(self.chosen, "fault_around"):
            return FAULT_AROUND
        answer = self.ask("fault_around")
        if type(answer) is not int or not 1 <= answer <= MOST_AROUND or answer & (answer - 1):
            raise PolicyError(
                f"the policy's fault_around answered {answer!r}: it must be a power of two from 1 to {MOST_AROUND}"
            )
        return answer
