"""Changes that the copied log tells of and the copied PostgreSQL does not know, taken out again.

The log is copied after PostgreSQL, so its newest changes may be of transactions that came after PostgreSQL's copy.
The restored house applies those messages once more and tells of them once more, perhaps under other versions: whoever
listens would hear of one reading twice. A batch of changes is one transaction: a version that is not known marks it.
"""

from __future__ import annotations

from typing import Final

import nats.errors
import nats.js.errors

from broadstreet.log import Log
from broadstreet.model.change import decode_changes
from broadstreet.model.errors import EngineFailed
from broadstreet.store import Database, Store, load_queries

CHANGES: Final = "CHANGES"
BATCH: Final = 500
LAST_WORD_S: Final = 0.5
_SQL = load_queries("backup")


async def take_out_unknown(log: Log, store: Store, after: int) -> int:
    """Take them out of the log, of those behind a sequence; how many batches there were. Raises EngineFailed."""
    removed = 0
    for tenant in await store.tenants():
        database = await store.tenant(tenant)
        async with log.changes(tenant, after) as reader:
            while messages := await reader.fetch(BATCH, LAST_WORD_S):
                for message in messages:
                    if not await _is_known(database, message.data):
                        await _remove(log, message.sequence)
                        removed += 1
    return removed


async def _is_known(database: Database, data: bytes) -> bool:
    batch = decode_changes(data)
    return bool(await database.fetchval(_SQL["knows"], batch.series, batch.version))


async def _remove(log: Log, sequence: int) -> None:
    try:
        await log.client.jetstream().delete_msg(CHANGES, sequence)
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
        raise EngineFailed(f"the log does not answer: {error!r}") from error
