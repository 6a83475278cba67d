"""What the sources use of Cython's shadow module, typed for mypy."""

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

compiled: bool

def boundscheck(flag: bool) -> Callable[[F], F]: ...
def nonecheck(flag: bool) -> Callable[[F], F]: ...
