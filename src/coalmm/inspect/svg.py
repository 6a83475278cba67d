"""The few shapes that pictures are made of, as SVG."""

from __future__ import annotations

from html import escape


def svg(width: float, height: float, parts: list[str]) -> str:
    """A picture that takes the width there is."""
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img">{"".join(parts)}</svg>'


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def text(x: float, y: float, content: str, kind: str = "") -> str:
    """A line of text; `kind` is a class of the page's style."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(content)}</text>'


def legend(colours: dict[str, str]) -> str:
    """What the colours mean."""
    return "<p class=legend>" + " ".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in colours.items()
    ) + "</p>"  # fmt: skip
