"""Languages that somebody would like to read, best first, as in Accept-Language (RFC 9110, 12.5.4)."""

from __future__ import annotations

import re
from typing import Final

from broadstreet.model.errors import InvalidInput

_LANGUAGE: Final = re.compile(r"\s*([A-Za-z0-9-]+|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


def parse_languages(text: str, where: str = "lang") -> tuple[str, ...]:
    """Languages by their weights; none of an empty text. Raises InvalidInput."""
    found = [_LANGUAGE.fullmatch(part) for part in text.split(",")] if text else []
    if not all(found):
        raise InvalidInput("lang names languages, such as fi,en;q=0.5", where=where)
    weighted = [(float(match[2] or 1), match[1]) for match in found if match is not None]
    return tuple(tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight)
