"""The engines room: what it starts, what survives, what is refused."""

from __future__ import annotations

import asyncpg
import nats

from broadstreet.engines import Engines, read_addresses


async def test_both_answer(engines: Engines, postgres_dsn: str, nats_url: str) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    try:
        assert await connection.fetchval("SHOW server_version_num") >= "180000"
        assert await connection.fetchval("SHOW data_checksums") == "on"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
    finally:
        await connection.close()
    client = await nats.connect(nats_url)
    try:
        assert client.max_payload == 8 * 1024 * 1024
        assert await client.jetstream().account_info()  # raises where there is no JetStream
    finally:
        await client.close()
    assert read_addresses(engines.data_dir) == engines.addresses
