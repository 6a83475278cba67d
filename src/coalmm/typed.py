"""What annotations need of `typing`, `types` and `collections.abc`, without importing them: that would take as long as
a small program runs.

A type checker sees the real ones. At run time `NamedTuple` is a base class that makes no code on import, and the
other names stand for themselves: they can be written in annotations, and read so in `help` and `inspect.signature`.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType, ModuleType, TracebackType
    from typing import (
        IO,
        Any,
        BinaryIO,
        Concatenate,
        Generic,
        NamedTuple,
        NoReturn,
        ParamSpec,
        Protocol,
        TypeGuard,
        TypeVar,
        cast,
    )
else:
    from _operator import itemgetter

    class Protocol:
        """What an argument has to offer; nothing asks for it at run time."""

    class Generic:
        """A class with type parameters; nothing asks for them at run time."""

        def __class_getitem__(cls, parameters):
            return cls

    class NamedTuple(tuple):
        """A tuple whose elements have names: the annotations of the class, with its values as defaults.

        The methods are those of `collections.namedtuple`.
        """

        __slots__ = ()

        def __init_subclass__(cls) -> None:
            cls._fields = cls.__match_args__ = tuple(cls.__annotations__)
            cls._field_defaults = {name: vars(cls)[name] for name in cls._fields if name in vars(cls)}
            for place, name in enumerate(cls._fields):
                setattr(cls, name, property(itemgetter(place)))

        def __new__(cls, *values, **named):
            if len(values) != len(cls._fields) or named:
                values = cls._complete(values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _complete(cls, values, named):
            """All values, from those given by place, those given by name, and the defaults. TypeError."""
            given = dict(zip(cls._fields, values, strict=False))
            found = cls._field_defaults | given | named
            if len(values) > len(cls._fields) or given.keys() & named.keys() or found.keys() != set(cls._fields):
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}; not {values!r} and {named!r}")
            return (found[name] for name in cls._fields)

        @classmethod
        def _make(cls, values):
            """An object of values in a row."""
            return cls(*values)

        def _asdict(self):
            """Name to value, in order."""
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **named):
            """The same with other values for some names."""
            return type(self)(**(self._asdict() | named))

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self) -> str:
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

    class _Name:
        """Stands where a type would be, with or without parameters, and is shown as it was written."""

        __slots__ = ("text",)

        def __init__(self, text, bound=None):
            self.text = text

        def __repr__(self) -> str:
            return self.text

        def __getitem__(self, parameters):
            each = parameters if isinstance(parameters, tuple) else (parameters,)
            return _Name(f"{self.text}[{', '.join(map(_shown, each))}]")

        def __or__(self, other):
            return _Name(f"{self.text} | {_shown(other)}")

        def __ror__(self, other):
            return _Name(f"{_shown(other)} | {self.text}")

    def _shown(kind) -> str:
        """A parameter of a type, as it is written."""
        if isinstance(kind, list):
            return f"[{', '.join(map(_shown, kind))}]"
        if kind is None or kind is Ellipsis:
            return "None" if kind is None else "..."
        return kind if isinstance(kind, str) else kind.__name__ if type(kind) is type else repr(kind)

    Any, BinaryIO, FrameType, ModuleType = map(_Name, ("Any", "BinaryIO", "FrameType", "ModuleType"))
    NoReturn, TracebackType, IO, Callable = map(_Name, ("NoReturn", "TracebackType", "IO", "Callable"))
    Iterable, Iterator, Mapping, Sequence = map(_Name, ("Iterable", "Iterator", "Mapping", "Sequence"))
    Concatenate, TypeGuard, ParamSpec, TypeVar = _Name("Concatenate"), _Name("TypeGuard"), _Name, _Name

    def cast(kind, value):
        """The value, as it is."""
        return value


__all__ = [
    "IO",
    "TYPE_CHECKING",
    "Any",
    "BinaryIO",
    "Callable",
    "Concatenate",
    "FrameType",
    "Generic",
    "Iterable",
    "Iterator",
    "Mapping",
    "ModuleType",
    "NamedTuple",
    "NoReturn",
    "ParamSpec",
    "Protocol",
    "Sequence",
    "TracebackType",
    "TypeGuard",
    "TypeVar",
    "cast",
]
