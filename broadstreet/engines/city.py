"""The city's own engines: reached by URL, and looked at before anything relies on them.

A wrong version or a missing right is told at the start, in words, instead of failing in the middle of a day.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg
import nats.errors
import nats.js.errors
from nats.aio.client import Client

from broadstreet.engines.nats import connect_once
from broadstreet.model.errors import EngineFailed

MIN_POSTGRES = 180_000
MIN_NATS = (2, 11)
MIN_PAYLOAD_BYTES = 8 * 1024 * 1024
CONNECT_S = 10

LOOK = """
SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_text,
       current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes, pg_is_in_recovery() AS standby,
       has_database_privilege(current_database(), 'CREATE') AS may_create,
       r.rolsuper OR r.rolcreaterole AS may_make_roles, current_user AS who, current_database() AS database
FROM pg_roles r WHERE r.rolname = current_user
"""


def without_secret(url: str) -> str:
    """A URL as it may be shown: without its password."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":…@") if parts.password else url


async def check_postgres(url: str) -> None:
    """Raise EngineFailed, saying what to change, unless Broadstreet can live in this database."""
    shown = without_secret(url)
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_S)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise EngineFailed(
            f"the city's PostgreSQL does not let us in: {error or type(error).__name__}",
            where=shown,
            remedy="Check postgres_url, and that the server runs and accepts this user.",
        ) from error
    try:
        seen = await connection.fetchrow(LOOK)
    finally:
        await connection.close()
    if seen is None:
        raise EngineFailed("the city's PostgreSQL does not know its own user", where=shown)
    if seen["version"] < MIN_POSTGRES:
        raise EngineFailed(
            f"the city's PostgreSQL is {seen['version_text']}, and 18 or later is needed",
            where=shown,
            remedy="Upgrade it.",
        )
    refusals = {
        "it is a standby and takes no writes": seen["standby"],
        f"its encoding is {seen['encoding']}, not UTF8": seen["encoding"] != "UTF8",
        "its fsync is off, so that what it commits can be lost": seen["fsync"] != "on",
        "its full_page_writes is off, so that a power cut can ruin it": seen["full_page_writes"] != "on",
    }
    for why, wrong in refusals.items():
        if wrong:
            raise EngineFailed(f"the city's PostgreSQL cannot be used: {why}", where=shown)
    if not (seen["may_create"] and seen["may_make_roles"]):
        raise EngineFailed(
            f"the user {seen['who']!r} may not create schemas or roles, and every tenant needs one of each",
            where=shown,
            remedy=f'As a superuser: ALTER ROLE "{seen["who"]}" CREATEROLE; '
            f'GRANT CREATE ON DATABASE "{seen["database"]}" TO "{seen["who"]}";',
        )


async def check_nats(url: str) -> None:
    """Raise EngineFailed, saying what to change, unless the log can live on this server."""
    shown = without_secret(url)
    client = Client()
    try:
        await _let_in(client, url, shown)
        version = client.connected_server_version
        if (version.major, version.minor) < MIN_NATS:
            raise EngineFailed(
                f"the city's NATS is {version}, and {'.'.join(map(str, MIN_NATS))} or later is needed",
                where=shown,
                remedy="Upgrade it.",
            )
        if client.max_payload < MIN_PAYLOAD_BYTES:
            raise EngineFailed(
                f"the city's NATS takes messages of {client.max_payload:,} bytes, and packs need {MIN_PAYLOAD_BYTES:,}",
                where=shown,
                remedy="Set max_payload: 8MB in its configuration.",
            )
        await client.jetstream(timeout=CONNECT_S).account_info()
    except (nats.js.errors.Error, nats.errors.Error, TimeoutError) as error:
        raise EngineFailed(
            "the city's NATS has no JetStream for this user",
            where=shown,
            remedy="Turn JetStream on for the account, with sync_interval: always, and allow $JS.API.>.",
        ) from error
    finally:
        await client.close()


async def _let_in(client: Client, url: str, shown: str) -> None:
    """Connect. shown: the address as it may be read. Raises EngineFailed."""
    try:
        await connect_once(client, url, CONNECT_S)
    except (OSError, TimeoutError, ValueError, nats.errors.Error) as error:
        raise EngineFailed(
            f"the city's NATS does not let us in: {error or type(error).__name__}",
            where=shown,
            remedy="Check nats_url, and that the server runs and accepts this user.",
        ) from error
