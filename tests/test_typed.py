"""`coalmm.typed.NamedTuple` is what `typing.NamedTuple` is, for what the sources do with it."""

import copy
import inspect
import pickle
import pydoc
import typing

import pytest

import coalmm
from coalmm import typed


class Theirs(typing.NamedTuple):
    """By the standard library."""

    begin: int
    end: int = 7
    name: str = ""

    @property
    def size(self) -> int:
        return self.end - self.begin


class Ours(typed.NamedTuple):
    """By coalmm."""

    begin: int
    end: int = 7
    name: str = ""

    @property
    def size(self) -> int:
        return self.end - self.begin


USES = {
    "all by place": lambda kind: kind(1, 2, "x"),
    "all by name": lambda kind: kind(name="x", end=2, begin=1),
    "defaults": lambda kind: kind(1),
    "place and name": lambda kind: kind(1, name="x"),
    "_make": lambda kind: kind._make([1, 2, "x"]),
    "_replace": lambda kind: kind(1, 2)._replace(end=5),
    "_asdict": lambda kind: kind(1, 2)._asdict(),
    "_fields": lambda kind: kind._fields,
    "defaults of the class": lambda kind: kind._field_defaults,
    "a property": lambda kind: kind(1, 9).size,
    "unpacking": lambda kind: list(kind(1, 2)),
    "equality with a tuple": lambda kind: kind(1, 2, "x") == (1, 2, "x"),
    "order": lambda kind: sorted([kind(2), kind(1)]),
    "a set": lambda kind: len({kind(1), kind(1), kind(2)}),
    "copies": lambda kind: (copy.copy(kind(1, 2)), copy.deepcopy(kind(1, 2))),
    "pickle": lambda kind: pickle.loads(pickle.dumps(kind(1, 2))),
}
MISUSES = {
    "too few": lambda kind: kind(),
    "too many": lambda kind: kind(1, 2, "x", 4),
    "twice": lambda kind: kind(1, begin=2),
    "another name": lambda kind: kind(1, other=2),
    "replacing another name": lambda kind: kind(1)._replace(other=2),
    "a value for a field": lambda kind: setattr(kind(1), "begin", 2),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_use_has_the_result_that_the_standard_library_has(use):
    assert use(Ours) == use(Theirs)


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=MISUSES)
def test_a_misuse_is_the_error_that_the_standard_library_has(misuse):
    with pytest.raises((TypeError, ValueError, AttributeError)) as theirs:
        misuse(Theirs)
    with pytest.raises((TypeError, ValueError, AttributeError)) as ours:
        misuse(Ours)
    assert isinstance(ours.value, TypeError) or type(ours.value) is type(theirs.value)


def test_it_shows_as_the_standard_library_shows_it():
    assert repr(Ours(1)) == repr(Theirs(1)).replace("Theirs", "Ours")
    match Ours(3, 4, "n"):
        case Ours(begin, end, name):
            assert (begin, end, name) == (3, 4, "n")


def test_an_annotation_reads_as_it_was_written():
    def call(
        argv: typed.Sequence[str | bytes],
        env: typed.Mapping[str, str] | None = None,
        done: typed.Callable[[int, "Kernel"], object] | None = None,  # noqa: F821
        then: typed.Callable[..., typed.Any] | int | None = None,
    ) -> dict[str, typed.Any]: ...

    text = str(inspect.signature(call))
    assert text == (
        "(argv: Sequence[str | bytes], env: Mapping[str, str] | None = None, "
        "done: Callable[[int, Kernel], object] | None = None, then: Callable[..., Any] | int | None = None) "
        "-> dict[str, Any]"
    )


def test_help_of_the_kernel_names_the_types():
    text = pydoc.render_doc(coalmm.Kernel, renderer=pydoc.plaintext)
    assert "argv: Sequence[str | bytes]," in text  # newer Pythons give each parameter a line
    assert "env: Mapping[str, str] | None = None" in text
    assert "linux(self, **options: Any) -> 'System'" in text
    assert "report(self) -> dict[str, Any]" in text
    assert "traceback: TracebackType | None" in text
    assert "_Name" not in text
