"""A migration to be killed: `python -m tests.crash.migrating DSN`; says when it begins."""

from __future__ import annotations

import asyncio
import sys

from broadstreet.store import migrate

if __name__ == "__main__":
    print("begins", flush=True)
    asyncio.run(migrate(sys.argv[1]))
