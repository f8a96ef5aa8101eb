"""Secrets on loan: a piece of work signs in as devices whose own secrets nobody knows, and they stay good meanwhile.

A loan is given back when its block is left. Where the process was killed instead, it runs out by itself; nobody holds
its secrets any more by then, which were in that process's memory alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from broadstreet.devices.credential import hash_secret, new_secret
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import NotFound
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

LONGEST_LOAN_S: Final = 31 * 86_400
_SQL = load_queries("device_login")


@asynccontextmanager
async def lend_secrets(
    store: Store, database: Database, devices: Sequence[str], clock: Callable[[], int]
) -> AsyncIterator[dict[str, str]]:
    """A secret for each of these devices, which holds for as long as the block takes, at most LONGEST_LOAN_S.

    clock: now, in microseconds since 1970. Raises NotFound for a device that the tenant does not have.
    """
    secrets = {device: new_secret() for device in devices}
    hashed = [hash_secret(secret) for secret in secrets.values()]
    salts, hashes = [salt for salt, _ in hashed], [kept for _, kept in hashed]
    now_us = clock()
    async with store.control.transaction() as connection:
        await connection.execute(_SQL["forget_loans"], now_us)
        until_us = now_us + LONGEST_LOAN_S * US_PER_S
        rows = await connection.fetch(_SQL["lend"], database.name, list(secrets), hashes, salts, until_us)
        if missing := sorted(secrets.keys() - {row["username"] for row in rows}):
            raise NotFound(f"there is no device {missing[0][:80]!r}")
    try:
        yield secrets
    finally:
        await store.control.execute(_SQL["give_back"], salts)
