"""In which order entities come (4.23 of the standard): by members, attributes, sub-attributes, or distance.

    name;desc,address[city],location;dist-asc

Values of different sorts come in the order of the standard: numbers, then texts by their code points, then truth
values, objects and lists; what is not there comes last, in either direction. A distance is measured on the ellipsoid,
and can only come first: what the database has ordered by everything else is then sorted by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from broadstreet.context.bounds import MAX_ORDERS
from broadstreet.context.query_language import Path, parse_path
from broadstreet.context.vocabulary import Vocabulary
from broadstreet.model.errors import InvalidInput, OperationNotSupported, TooMany
from broadstreet.model.geometry import Geometry

MEMBERS: Final = ("id", "type", "createdAt", "modifiedAt")
TIMES: Final = {"observedAt": "observed", "createdAt": "created", "modifiedAt": "modified"}
DIRECTIONS: Final = {"asc": False, "desc": True, "dist-asc": False, "dist-desc": True}
_VALUE_MEMBERS: Final = ("value", "object", "languageMap", "vocab", "json", "valueList", "objectList")
# RFC 5646, with the extensions that name a collation; what lies beyond code points cannot be offered here.
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")

Scalar = Callable[..., str]
"""A named query of ordering.sql with its arguments, as an expression."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing to order by. place: what distances are measured from; None: by value."""

    path: Path
    is_descending: bool = False
    place: Geometry | None = None

    def iris(self, vocabulary: Vocabulary) -> list[str]:
        """The attribute's IRI; of a member none."""
        name = self.path.names[0]
        return [] if self._is_member else [vocabulary.expand(name)]

    @property
    def _is_member(self) -> bool:
        return self.path.names in {(member,) for member in MEMBERS} and not self.path.keys

    def expression(self, scalar: Scalar, terms: dict[str, int], vocabulary: Vocabulary) -> str | None:
        """What to order by, with its direction; None where no entity has it."""
        direction = " DESC NULLS LAST" if self.is_descending else " ASC NULLS LAST"
        names, keys = self.path.names, self.path.keys
        if self._is_member:
            which = TIMES.get(names[0])
            return (scalar(names[0]) if which is None else scalar("entity_moment", which)) + direction
        key = terms.get(vocabulary.expand(names[0]))
        if key is None:
            return None
        if len(names) == 2 and names[1] in TIMES and not keys:
            return scalar("moment", key, TIMES[names[1]]) + direction
        if len(names) == 1:
            return scalar("value", key, "$" + _steps(keys)) + direction
        base = "$" + _steps([vocabulary.expand(name) for name in names[1:]])
        return scalar("sub_attribute", key, [base + _steps([member, *keys]) for member in _VALUE_MEMBERS]) + direction


def parse_order(items: Sequence[str], place: Geometry | None, where: str = "orderBy") -> tuple[Criterion, ...]:
    """Criteria as a request names them. place: the geometry that distances are measured from.

    Raises InvalidInput, InvalidQuery, TooMany.
    """
    if len(items) > MAX_ORDERS:
        raise TooMany(f"entities are ordered by at most {MAX_ORDERS} things", where=where)
    criteria: list[Criterion] = []
    for item in items:
        name, _, word = item.strip().partition(";")
        direction = word or "asc"
        if direction not in DIRECTIONS:
            raise InvalidInput(f"{word[:40]!r} is no direction", where=where, remedy=f"Use {', '.join(DIRECTIONS)}.")
        is_distance = direction.startswith("dist")
        if is_distance and place is None:
            raise InvalidInput(
                "a distance is measured from somewhere", where="orderFrom", remedy="Add orderFrom=[24.94,60.17]."
            )
        if is_distance and criteria:
            raise OperationNotSupported("a distance comes first of all that is ordered by", where=where)
        criteria.append(Criterion(parse_path(name, where), DIRECTIONS[direction], place if is_distance else None))
    return tuple(criteria)


def check_collation(tag: str | None) -> None:
    """Texts are compared by code points. Raises InvalidInput for what is no tag, OperationNotSupported for others."""
    if tag is None or tag == "C":
        return
    if _TAG.fullmatch(tag) is None:
        raise InvalidInput(f"{tag[:40]!r} names no collation", where="collation")
    raise OperationNotSupported(
        "texts are ordered by their code points here", where="collation", remedy="Leave it out."
    )


def _steps(keys: Sequence[Any]) -> str:
    return "".join("." + msgspec.json.encode(key).decode() for key in keys)
