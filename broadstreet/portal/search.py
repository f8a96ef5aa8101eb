"""The search: sensors by title, device, street or id, streets and people by name; what begins so comes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from broadstreet.access import Account
from broadstreet.city import NamedStreet
from broadstreet.portal.roster import Roster
from broadstreet.portal.words import count, in_order, plain, type_label

MAX_HITS: Final = 20
MAX_QUERY_LENGTH: Final = 100


class Hit(msgspec.Struct, frozen=True):
    """Something found. id: an entity's URI, a street's or an account's name; people stand nowhere on the map."""

    kind: Literal["sensor", "street", "person"]
    id: str
    title: str
    subtitle: str
    lon: float | None
    lat: float | None


class _Found(NamedTuple):
    rank: int
    order: list[tuple[int, str]]
    hit: Hit


def search(
    query: str, roster: Roster, streets: Iterable[NamedStreet] = (), people: Iterable[Account] = ()
) -> list[Hit]:
    """At most 20 hits for the words of a query; all words have to be met."""
    words = plain(query[:MAX_QUERY_LENGTH]).split()
    if not words:
        return []
    found = [*_streets(words, roster, streets), *_sensors(words, roster), *_people(words, people)]
    found.sort(key=lambda one: (one.rank, one.order))
    return [one.hit for one in found[:MAX_HITS]]


def _streets(words: list[str], roster: Roster, streets: Iterable[NamedStreet]) -> Iterator[_Found]:
    sensors: dict[str, int] = {}
    for sensor in roster.sensors.values():
        if sensor.street is not None:
            sensors[sensor.street] = sensors.get(sensor.street, 0) + 1
    for street in streets:
        rank = _rank(words, plain(street.name))
        if rank is not None:
            here = count(sensors.get(street.name, 0), "sensor") if street.name in sensors else "no sensor"
            hit = Hit("street", street.name, street.name, f"Street, {here}", street.lon, street.lat)
            yield _Found(rank, in_order(street.name), hit)


def _sensors(words: list[str], roster: Roster) -> Iterator[_Found]:
    for sensor in roster.sensors.values():
        title, device = plain(sensor.title), plain(sensor.device.id if sensor.device else "")
        others = f"{device} {plain(sensor.street or '')} {plain(type_label(sensor.type))} {plain(sensor.id)}"
        rank = 0 if words == [device] else _rank(words, title)
        if rank is None and all(word in f"{title} {others}" for word in words):
            rank = 4
        if rank is not None:
            named = sensor.device.id if sensor.device else None
            imported = "imported" if sensor.is_imported else None
            subtitle = ", ".join(filter(None, (type_label(sensor.type), named, imported)))
            hit = Hit("sensor", sensor.id, sensor.title, subtitle, sensor.lon, sensor.lat)
            yield _Found(rank, in_order(sensor.title), hit)


def _people(words: list[str], people: Iterable[Account]) -> Iterator[_Found]:
    for account in people:
        ranks = [_rank(words, plain(name)) for name in (account.title, account.name)]
        if known := [rank for rank in ranks if rank is not None]:
            told = "Account" if account.disabled_at_us is None else "Account, shut out"
            hit = Hit("person", account.name, account.title, f"{told}, {account.name}", None, None)
            yield _Found(min(known), in_order(account.title), hit)


def _rank(words: list[str], text: str) -> int | None:
    """0 for the very text, 1 for its beginning, 2 for beginnings of its words, 3 for parts; None for another text."""
    if not all(word in text for word in words):
        return None
    whole = " ".join(words)
    if text == whole:
        return 0
    if text.startswith(whole):
        return 1
    return 2 if all(f" {word}" in f" {text}" for word in words) else 3
