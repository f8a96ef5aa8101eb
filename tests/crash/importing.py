"""An import to be killed: `python -m tests.crash.importing DSN TENANT FILE FOLDER`; says each committed batch.

Batches are small here, so that there are many moments to be killed at.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from broadstreet.access import Principal
from broadstreet.importer import Import, Totals, prepare, readings
from broadstreet.store import Store

BATCH_READINGS = 400
NOW_US = 1_790_000_000_000_000
MAPPING = """
[file]
form = "wide"
[time]
column = "at"
time_zone = "Europe/Berlin"
ambiguous = "earliest"
[sensor]
type = "T"
entity = "urn:ngsi-ld:T:{sensor}"
[attributes.level]
minimum = 0
[dataset]
id = "urn:example:dataset:killed"
title = "Killed"
"""


def say(totals: Totals, rows: int) -> None:
    print(totals.rows_done, rows, flush=True)


async def main(dsn: str, tenant: str, file: str, folder: str) -> None:
    vars(readings)["BATCH_READINGS"] = BATCH_READINGS
    principal = Principal.account("crash", "Crash", tenant, ["administrator"])
    async with await Store.connect(dsn) as store:
        database = await store.tenant(tenant)
        work = Import(store, database, prepare(Path(file), MAPPING), principal=principal, clock=lambda: NOW_US)
        await work.run(Path(folder), say)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
