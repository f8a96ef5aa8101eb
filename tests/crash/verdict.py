"""What was acknowledged, against what is stored and what was said of it: lost, or applied twice?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import nats.js.errors

from broadstreet.log import Log
from broadstreet.model.change import decode_changes
from broadstreet.store import Database, Store
from tests.crash.load import Device

TENANT = "city"
DRAIN_S = 120.0
SERIES = """
SELECT s.key, d.id FROM series s JOIN device d USING (entity_key) JOIN term t ON t.key = s.term_key
WHERE t.iri LIKE '%/v'
"""
OBSERVATIONS = """
SELECT series_key, observed_at, number, n, modified_at IS NOT NULL AS corrected FROM observation
WHERE series_key = ANY ($1::int[])
"""
MessageId = tuple[bytes, int]


@dataclass(frozen=True)
class Verdict:
    """acknowledged: messages. lost, duplicated: readings. republished: changes the stream holds a second time, which
    consumers drop by (series, version)."""

    acknowledged: int
    lost: int
    duplicated: int
    republished: int
    words: tuple[str, ...]
    """The first faults, for whoever looks into them."""


@dataclass
class Changes:
    """What CHANGES says of the devices' series, each change once."""

    by_time: Counter[tuple[int, int]]
    by_message: Counter[tuple[int, MessageId]]
    by_value: dict[tuple[int, float], set[MessageId]]
    republished: int


async def drained(log: Log, database: Database, partitions: int) -> None:
    """Wait until the recorder has applied everything and the relay has published everything."""
    jetstream = log.client.jetstream()
    async with asyncio.timeout(DRAIN_S):
        for partition in range(partitions):
            try:
                last = (await jetstream.get_last_msg("RAW", f"raw.{TENANT}.{partition}")).seq
            except nats.js.errors.NotFoundError:
                continue
            await until(database, "SELECT sequence >= $2 FROM cursor WHERE partition = $1", partition, last)
        await until(database, "SELECT NOT EXISTS (SELECT FROM outbox)")


async def until(database: Database, question: str, *arguments: object) -> None:
    """Ask until the answer is yes."""
    while True:
        if await database.fetchval(question, *arguments):
            return
        await asyncio.sleep(0.05)


async def read_changes(log: Log, series: dict[int, str]) -> Changes:
    """Read CHANGES from its beginning."""
    changes = Changes(Counter(), Counter(), {}, 0)
    seen: set[tuple[int, int]] = set()
    async with log.changes(TENANT, 0) as reader:
        while messages := await reader.fetch(500, 1.0):
            for message in messages:
                batch = decode_changes(message.data)
                for index, key in enumerate(batch.series):
                    if key not in series or not batch.pack:
                        continue
                    if (key, batch.version[index]) in seen:
                        changes.republished += 1
                        continue
                    seen.add((key, batch.version[index]))
                    message_id = (batch.packs[batch.pack[index]], batch.entry[index])
                    changes.by_time[key, batch.as_of_us[index]] += 1
                    changes.by_message[key, message_id] += 1
                    changes.by_value.setdefault((key, batch.value[index]), set()).add(message_id)
    return changes


async def judge(log: Log, store: Store, devices: Sequence[Device], partitions: int) -> Verdict:
    """Compare the devices' ledgers with the store and the stream."""
    database = await store.tenant(TENANT)
    await drained(log, database, partitions)
    series = {row["key"]: row["id"] for row in await database.fetch(SERIES)}
    keys = {device: key for key, device in series.items()}
    rows = await database.fetch(OBSERVATIONS, list(series))
    changes = await read_changes(log, series)
    stored: dict[tuple[int, int], list[float]] = {}
    by_value: Counter[tuple[int, float]] = Counter()
    for row in rows:
        stored.setdefault((row["series_key"], row["observed_at"]), []).append(row["number"])
        by_value[row["series_key"], row["number"]] += 1
    lost: list[str] = []
    twice: list[str] = []
    for device in devices:
        key = keys[device.id]
        for message in device.acknowledged:
            name = f"{device.id} {message.value} (sent {message.sent} times)"
            if message.at_ms is not None:
                found = stored.get((key, message.at_ms * 1000), [])
                if message.value not in found or not changes.by_time[key, message.at_ms * 1000]:
                    lost.append(f"{name}: stored as {found}")
                if len(found) > 1:
                    twice.append(f"{name}: stored as {found}")
                continue
            said = len(changes.by_value.get((key, message.value), ()))
            if not said or not by_value[key, message.value]:
                lost.append(f"{name}: stored {by_value[key, message.value]} times, said {said} times")
            if max(said, by_value[key, message.value]) > message.sent:
                twice.append(f"{name}: stored {by_value[key, message.value]} times, said {said} times")
    twice += [f"series {key} time {at}: said {n} times" for (key, at), n in changes.by_time.items() if n > 1]
    twice += [f"series {key} message {one}: said {n} times" for (key, one), n in changes.by_message.items() if n > 1]
    twice += [f"series {row['series_key']} at {row['observed_at']}: corrected" for row in rows if row["corrected"]]
    acknowledged = sum(len(device.acknowledged) for device in devices)
    return Verdict(acknowledged, len(lost), len(twice), changes.republished, (*lost[:10], *twice[:10]))
