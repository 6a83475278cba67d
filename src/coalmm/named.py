"""Names that an object has for what one of its parts does: the kernel's `kmalloc` is `kernel.heap.kmalloc`."""

from __future__ import annotations

from coalmm.typed import Any, Callable, Concatenate, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Named(Generic[P, R]):
    """`name = Named("part", Part.method)` in a class: `thing.name` is `thing.part.method`.

    Looked up once for each object, so that calls cost what those of the part cost. `help` shows the part's method.
    """

    def __init__(self, part: str, function: Callable[Concatenate[Any, P], R]) -> None:
        self.part = part
        self.function = function

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, thing: Any, owner: type) -> Callable[P, R]:
        if thing is None:
            return self.function  # type: ignore[return-value] # with the part in the place of self
        found: Callable[P, R] = getattr(getattr(thing, self.part), self.function.__name__)
        thing.__dict__[self.name] = found
        return found
