"""HTML and SVG from values: whatever is text is escaped, and only what was made here is not."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

VOID: Final = frozenset({"meta", "br", "col", "link"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element. Attributes: a trailing underscore falls away, others become hyphens; None is none, True is bare."""
    told = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        said = key.rstrip("_").replace("_", "-") if key != "viewBox" else key
        told.append(f" {said}" if value is True else f' {said}="{html.escape(str(value))}"')
    opening = f"<{name}{''.join(told)}>"
    return Markup(opening if name in VOID else f"{opening}{together(*children)}</{name}>")


def together(*children: object) -> Markup:
    """Children one after another: markup as it is, text escaped, lists by their members, None as nothing."""
    return Markup("".join(map(_child, children)))


def _child(child: object) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return str(child)
    if isinstance(child, str):
        return html.escape(child, quote=False)
    if isinstance(child, Iterable):
        return together(*child)
    return html.escape(str(child), quote=False)
