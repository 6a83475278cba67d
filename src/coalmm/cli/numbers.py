"""Numbers of the command line that click takes more of than make sense."""

import math

import click
from click.core import Context, Parameter


class Seconds(click.FloatRange):
    """A time: a number as click reads it, and not nan."""

    def convert(self, value: object, param: Parameter | None, ctx: Context | None) -> float:
        """BadParameter for what is none."""
        number = float(super().convert(value, param, ctx))  # type: ignore[arg-type]
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number
