"""Sealing what the key in force has not sealed: what stood open before there were keys, and all of it after a new one.

A few rows at a time, each few in one transaction: killed, it goes on where it was. A secret whose key is gone is left
as it is, and counted, so that the rest of the house goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from broadstreet.model.errors import BroadstreetError
from broadstreet.store.database import Database
from broadstreet.store.queries import load_queries
from broadstreet.store.seal import Sealed

BATCH: Final = 200
_SQL: Final = load_queries("sealed")
PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "totp": (_SQL["totp"], _SQL["seal_totp"]),
    "webhook": (_SQL["webhook"], _SQL["seal_webhook"]),
}
"""Where secrets stand: by which queries they are found, and written. What a secret is bound to begins with its name."""


class Resealed(NamedTuple):
    """How many secrets were sealed, and how many could not be opened for it."""

    sealed: int
    lost: int


def about(place: str, row: str) -> str:
    """What a secret is bound to. row: what its place calls the row."""
    return f"{place} {row}"


async def reseal(control: Database) -> Resealed:
    """Seal everything by the key in force. Raises EngineFailed where the keys cannot be read."""
    done = [await _reseal_place(control, place) for place in PLACES]
    return Resealed(sum(one.sealed for one in done), sum(one.lost for one in done))


async def keys_in_use(control: Database) -> frozenset[bytes | None]:
    """The ids of the keys that seal something; None among them where something stands open."""
    return frozenset(row["sealed_by"] for row in await control.fetch(_SQL["keys"]))


async def _reseal_place(control: Database, place: str) -> Resealed:
    find, write = PLACES[place]
    seal, after, sealed, lost = control.seal, 0, 0, 0
    key_id = seal.key_ids[0]
    while True:
        async with control.transaction() as connection:
            rows = await connection.fetch(find, key_id, after, BATCH)
            for row in rows:
                bound, secret = about(place, row["about"]), bytes(row["secret"])
                try:
                    if row["sealed_by"] is not None:
                        secret = seal.open(Sealed(secret, bytes(row["sealed_by"])), bound)
                except BroadstreetError:
                    lost += 1
                    continue
                await connection.execute(write, row["key"], *seal.seal(secret, bound))
                sealed += 1
        if len(rows) < BATCH:
            return Resealed(sealed, lost)
        after = rows[-1]["key"]
