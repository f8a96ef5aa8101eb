"""How far a principal sees into a tenant: what of it a limited token shows, and what everyone may see.

A reach is a list of items as the store's views take it (store/sql/reach.0000.sql): `Store.tenant(name, reach)` opens a
tenant so, and every query asked there is limited by PostgreSQL itself. It is made here alone, and carried by the
`Principal`; None is the whole tenant. Who has a reach comes through routes alone that say they keep to it
(`requires(…, within_reach=True)`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.model.identifiers import check_uri
from broadstreet.model.terms import expand

MAX_NAMES: Final = 64
"""Types, attributes or datasets that one limit or item names."""
MAX_NAME_LENGTH: Final = 1_024


class ReachItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What belongs together, and how it is shown; names are IRIs. None restricts nothing, or coarsens nothing.

    whole: everything is shown as it is. classes: of personal data that may be shown. from_s, until_s: seconds since
    1970, of the first observation that is shown and of the mean that is not complete yet.
    """

    place: int
    whole: bool = False
    types: tuple[str, ...] | None = None
    datasets: tuple[str, ...] | None = None
    attributes: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    grain_s: int | None = None
    position_m: int | None = None
    from_s: int | None = None
    until_s: int | None = None


def reach_text(items: Iterable[ReachItem]) -> str:
    """A reach as the store takes it."""
    return msgspec.json.encode(list(items)).decode()


def reach_of_limits(types: Iterable[str] | None, datasets: Iterable[str] | None) -> str | None:
    """What a token limited to entity types and datasets reaches, which must both hold; None where it is to neither."""
    if types is None and datasets is None:
        return None
    return reach_text(
        [
            ReachItem(
                place=1,
                whole=True,
                types=None if types is None else tuple(types),
                datasets=None if datasets is None else tuple(datasets),
            )
        ]
    )


def check_names(names: Iterable[str], where: str) -> tuple[str, ...]:
    """Names of types or attributes as IRIs, each once. Raises InvalidInput."""
    return _checked((expand(name) for name in names), where)


def check_datasets(ids: Iterable[str], where: str = "datasets") -> tuple[str, ...]:
    """Ids of datasets, each once. Raises InvalidInput for one that is no URI."""
    return _checked((check_uri(one, where) for one in ids), where)


def _checked(names: Iterable[str], where: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(names))
    if not 1 <= len(found) <= MAX_NAMES or not all(0 < len(name) <= MAX_NAME_LENGTH for name in found):
        raise InvalidInput(
            f"{where} holds 1 to {MAX_NAMES} names", where=where, remedy="Leave it out where nothing is to be limited."
        )
    return found
