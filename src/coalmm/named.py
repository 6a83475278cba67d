"""Names that an object has for what one of its parts does: the kernel's `kmalloc` is `kernel.heap.kmalloc`."""

from __future__ import annotations

from coalmm.typed import Any, Callable, Concatenate, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class Named(Generic[P, R]):
    """`name = Named("part", Part.method)` in a class: `thing.name` is `thing.part.method`.

    Looked up once for each object, so that calls cost what those of the part cost. `help` shows the part's method.
    Results less than `fails_below`, if that is given, are told to `thing.failed`.
    """

    def __init__(self, part: str, function: Callable[Concatenate[Any, P], R], fails_below: int | None = None) -> None:
        self.part = part
        self.function = function
        self.fails_below = fails_below

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, thing: Any, owner: type) -> Callable[P, R]:
        if thing is None:
            return self.function  # type: ignore[return-value] # with the part in the place of self
        found: Callable[P, R] = getattr(getattr(thing, self.part), self.function.__name__)
        if self.fails_below is not None:
            found = told(thing, self.name, found, self.fails_below)
        thing.__dict__[self.name] = found
        return found


def told(thing: Any, name: str, function: Callable[P, R], fails_below: int) -> Callable[P, R]:
    """`function`, whose failures are told to `thing.failed`."""

    def call(*arguments: P.args, **named: P.kwargs) -> R:
        result: Any = function(*arguments, **named)
        if result < fails_below:
            thing.failed(name, *(in_order(function, arguments, named) if named else arguments), result=result)
        return cast(R, result)

    call.__doc__ = function.__doc__
    call.__name__ = call.__qualname__ = name
    call.__wrapped__ = function  # type: ignore[attr-defined] # where inspect finds the signature
    return call


def in_order(
    function: Callable[..., object], arguments: tuple[object, ...], named: dict[str, object]
) -> tuple[object, ...]:
    """Arguments, given by name or not, in the order of the function's parameters."""
    from inspect import signature

    return signature(function).bind(*arguments, **named).args
