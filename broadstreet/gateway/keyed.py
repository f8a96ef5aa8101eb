"""Requests under an Idempotency-Key: kept exactly once, however often they are sent and wherever the house is killed.

A key is written down before anything goes to the log; the request's packs take their ids from that row and from where
their items stand in the body. So a request that is sent again, after a kill or a lost answer, makes the same packs,
which the recorder applies once. A request that was answered is answered as the first time. A key ends after 24 hours.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import Conflict, InvalidInput
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

KEY_LIFETIME_US: Final = 24 * 3600 * US_PER_S
MAX_KEY_LENGTH: Final = 255
SWEEP_EVERY_US: Final = 600 * US_PER_S
_PACK_ID_BYTES: Final = 16
_SQL = load_queries("keyed_request")


class Claim(NamedTuple):
    """A request under its key. receipt: what was answered before, None where it is to be kept now, or still."""

    tenant: str
    principal: str
    key: str
    at_us: int
    receipt: Any

    def pack_id(self, partition: int, block: int) -> bytes:
        """The id of the pack that holds a block of the request's items for a partition."""
        said = "\n".join(map(str, (self.tenant, self.principal, self.key, self.at_us, partition, block)))
        return hashlib.sha256(said.encode()).digest()[:_PACK_ID_BYTES]


def fingerprint(body: bytes, content_type: str) -> bytes:
    """What tells one request from another."""
    return hashlib.sha256(content_type.encode() + b"\n" + body).digest()


class Keys:
    """The keys of all tenants' requests."""

    def __init__(self) -> None:
        self._swept_us: dict[str, int] = {}

    async def claim(self, database: Database, principal: str, key: str, mark: bytes, now_us: int) -> Claim:
        """Take a key for a request, or find what became of it.

        Raises InvalidInput for what is no key, Conflict for a key under which something else was sent.
        """
        if not (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
            raise InvalidInput(
                f"a key is 1 to {MAX_KEY_LENGTH} visible characters of ASCII",
                where="Idempotency-Key",
                remedy="A UUID will do.",
            )
        ended_us = now_us - KEY_LIFETIME_US
        if now_us - self._swept_us.get(database.name, 0) > SWEEP_EVERY_US:
            self._swept_us[database.name] = now_us
            await database.execute(_SQL["forget"], ended_us)
        async with database.transaction() as connection:
            await connection.execute(_SQL["claim"], principal, key, now_us, mark, ended_us)
            row = await connection.fetchrow(_SQL["find"], principal, key)
        assert row is not None
        if bytes(row["fingerprint"]) != mark:
            raise Conflict(
                "another body was sent under this key",
                where="Idempotency-Key",
                remedy="Give each request a key of its own, and send a request again as it was.",
            )
        return Claim(database.name, principal, key, row["at"], row["receipt"])

    async def finish(self, database: Database, claim: Claim, receipt: Any) -> None:
        """All of a request is on disk: this is what was answered."""
        await database.execute(_SQL["finish"], claim.principal, claim.key, claim.at_us, receipt)
