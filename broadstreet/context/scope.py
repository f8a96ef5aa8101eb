"""Scopes (4.18 of the standard): paths such as /Helsinki/Kallio that entities are filed under, and queries over them.

A scope query (scopeQ, 4.19) is an expression over scopes: `/A/B` is that scope alone, `+` stands for any one level, and
a final `#` takes in what lies below as well.
"""

from __future__ import annotations

import re
from typing import Final

from broadstreet.context.expression import Expression, Scanner, parse_expression
from broadstreet.model.errors import InvalidInput

_LEVEL: Final = r"[^\W\d_]\w*"
_SCOPE: Final = re.compile(rf"/?{_LEVEL}(?:/{_LEVEL})*")
_WHOLE: Final = re.compile(rf"\^((?:/{_LEVEL}(?![^/($]))+)")
_PATTERN: Final = re.compile(rf"/?(?:{_LEVEL}|\+)(?:/(?:{_LEVEL}|\+))*(?:/#)?|/?#")


def check_scope(text: str) -> str:
    """A scope, written from the root. Raises InvalidInput."""
    if _SCOPE.fullmatch(text) is None:
        raise InvalidInput(f"{text[:80]!r} is no scope", where="scope", remedy="Write it as /Helsinki/Kallio.")
    return text if text.startswith("/") else "/" + text


def parse_scope_query(text: str) -> Expression[str]:
    """An expression of regular expressions that a scope must match. Raises InvalidInput, TooLarge, TooMany."""
    return parse_expression(Scanner(text, "scopeQ", InvalidInput), _leaf, ("|", ","))


def _leaf(scanner: Scanner) -> str:
    found = scanner.match(_PATTERN)
    if found is None:
        scanner.fail("a scope such as /Helsinki/Kallio or /Helsinki/#")
    levels = found[0].lstrip("/").split("/")
    parts = [r"/[^/]+" if level == "+" else f"/{level}" for level in levels if level != "#"]
    below = "(/.*)?" if parts else "/.*"
    return "^" + "".join(parts) + (below if levels[-1] == "#" else "") + "$"


def whole_levels(regex: str) -> str:
    """The levels that every scope begins with that matches such a regular expression; '' where it names none."""
    found = _WHOLE.match(regex)
    return found[1] if found is not None else ""
