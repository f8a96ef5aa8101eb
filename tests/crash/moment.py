"""The moment of a kill: not any moment, but one in which the recorder has begun to write and has not committed."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from random import Random

import asyncpg

TRIES = 400
LOOK_S = 0.002
"""How long the recorder runs on before it is looked at again, at most."""
SETTLE_S = 0.002
_WRITING = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'broadstreet city' AND backend_xid IS NOT NULL
AND query ~ '(FROM|UPDATE) cursor|INTO (origin|observation|attribute|heard|outbox)|COPY|UPDATE attribute'
"""


async def hold_in_transaction(recorder: int, dsn: str, seed: int) -> bool:
    """Stop the recorder (by process id) within a transaction that has written; whether it was caught in one.

    Caught, it stands still until it is killed or `go_on`; not caught, it runs on.
    """
    chance = Random(seed)
    connection = await asyncpg.connect(dsn)
    try:
        for _ in range(TRIES):
            os.kill(recorder, signal.SIGSTOP)
            await asyncio.sleep(SETTLE_S)  # what it had sent is worked off
            if await connection.fetchval(_WRITING):
                return True
            os.kill(recorder, signal.SIGCONT)
            await asyncio.sleep(chance.uniform(0, LOOK_S))
    except (OSError, asyncpg.PostgresError):
        go_on(recorder)
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close()
    return False


def go_on(recorder: int) -> None:
    """Let it run on, if it still is."""
    with suppress(ProcessLookupError):
        os.kill(recorder, signal.SIGCONT)
