"""How quick NGSI-LD is over a city of entities with twelve attributes each: read, asked, paged, written, summed up.

    python -m benchmarks.ngsild [--entities 100000] [--seconds 5] [--connections 32] [--times 200] [--batches 24]
                                [--only get,q,…]

A fresh house with every role, open to its machine, is filled through batch upserts and left as autovacuum leaves one.
Then each question is asked by `--connections` at once for `--seconds` (`…_per_s`) and by one client `--times` times
(`…_ms_p50`, `…_ms_p99`), from a process on the same processors that looks at every answer; before that, some answers of
each sort are compared, member by member, with what the city is known to hold. `q` and `geo` are answered whole, 20 to
200 entities each; `q_page` and `geo_page` are the same with 20 at most, `q_half` and `geo_half` match half of all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec
import uvloop

from benchmarks.generator import Generator
from benchmarks.house import Subject, open_house
from benchmarks.ngsild_city import City, iso, number_of
from benchmarks.ngsild_questions import (
    BASE,
    PAGE,
    WHOLE,
    Question,
    by_id,
    deep,
    get,
    half,
    narrow,
    near,
    near_half,
    patches,
    send,
    upserts,
)
from benchmarks.usage import Usage, limit
from broadstreet.app.role import ROLES
from broadstreet.store.migration import tenant_schema

SEED: Final = 1854
BATCH: Final = 1_000
LOADERS: Final = 2
"""Batches on their way at once while the city is filled."""
AT_ONCE: Final = 20
"""Batches that are told the generator at once."""
COMPARED: Final = 12
INSTANCES: Final = 10_000
HISTORY_FROM: Final = datetime(2026, 2, 1, tzinfo=UTC)
HISTORY_ID: Final = "urn:ngsi-ld:Weather:history"
TABLES: Final = "attribute, entity, series, place, observation, meta, term, origin, outbox"
ANSWER_WITHIN_S: Final = 60.0


class Bench:
    """One house, its city, and what is asked of it."""

    def __init__(self, subject: Subject, generator: Generator, options: argparse.Namespace) -> None:
        self._subject = subject
        self._generator = generator
        self._options = options
        self._city = City(options.entities)
        self._chance = random.Random(SEED)
        self._only = set(filter(None, options.only.split(",")))
        self.figures: dict[str, Any] = {"entities": options.entities}

    async def run(self) -> None:
        """Fill, then ask."""
        await self._fill()
        await self._history()
        await self._settle()
        city, chance = self._city, self._chance
        if self._asks("get"):
            await self._measure("get", by_id(city, chance, 20_000))
        for name, most in (("q", WHOLE), ("q_page", PAGE)):
            await self._ask(name, narrow(city, chance, most) if self._asks(name) else [])
        await self._ask("q_half", half(city))
        for name, most in (("geo", WHOLE), ("geo_page", PAGE)):
            await self._ask(name, near(city, chance, most) if self._asks(name) else [])
        await self._ask("geo_half", near_half(city))
        await self._ask("deep_page", deep(city))
        if self._asks("aggregate"):
            await self._aggregate()
        if self._asks("patch"):
            await self._patch()
        if self._asks("batch"):
            await self._batch()

    def _asks(self, name: str) -> bool:
        return not self._only or name in self._only

    async def _round(self, requests: list[dict[str, Any]], connections: int, seconds: float, times: int = 0) -> Any:
        told = {"requests": requests, "connections": connections, "seconds": seconds, "times": times}
        self._generator.tell(msgspec.json.encode(told))
        return await self._generator.hear("done")

    async def _fill(self) -> None:
        """All entities, in batches as a client would send them."""
        began_s = time.monotonic()
        starts = list(range(0, self._city.entities, BATCH))
        for first in range(0, len(starts), AT_ONCE):
            some = upserts(self._city, starts[first : first + AT_ONCE], BATCH, 201)
            await self._round(some, LOADERS, 0, len(some))
        took_s = time.monotonic() - began_s
        rows = await self._subject.database.fetch("SELECT id FROM entity ORDER BY key")
        for place, row in enumerate(rows):
            self._city.place[number_of(row["id"])] = place
        self.figures["filled_entities_per_s"] = round(self._city.entities / took_s)
        print(f"  {self._city.entities:,} entities written in {took_s:.0f} s", flush=True)

    async def _history(self) -> None:
        """One entity with ten thousand instances of one attribute, a minute apart."""
        instances = [
            {"type": "Property", "value": n % 60, "observedAt": iso(HISTORY_FROM + timedelta(minutes=n))}
            for n in range(INSTANCES)
        ]
        body = json.dumps({"id": HISTORY_ID, "type": "Weather", "wind": instances}).encode()
        told = {"raw": send("POST", f"{BASE}/temporal/entities", body), "status": 201, "entities": 0, "needle": ""}
        await self._round([told], 1, 0, 1)

    async def _settle(self) -> None:
        """What autovacuum does within its minute."""
        connection = await asyncpg.connect(self._subject.house.engines.addresses.postgres_dsn)
        try:
            await connection.execute(f"SET search_path = {tenant_schema(self._subject.database.name)}")
            await connection.execute(f"VACUUM ANALYZE {TABLES}", timeout=600)
            await connection.execute("CHECKPOINT")
            size = await connection.fetchval("SELECT pg_database_size(current_database())")
        finally:
            await connection.close()
        self.figures["bytes_per_entity"] = round(size / self._city.entities)

    async def _ask(self, name: str, questions: list[Question]) -> None:
        if not self._asks(name):
            return
        for question in questions[:COMPARED]:
            await self._compare(question)
        self.figures[f"{name}_matches"] = round(sum(len(one.found) for one in questions) / len(questions))
        await self._measure(name, [question.request() for question in questions])

    async def _compare(self, question: Question) -> None:
        """Every entity of an answer, member by member, in order."""
        answer = await asyncio.to_thread(self._fetch, question.path)
        shown = [entity["id"] for entity in answer]
        if shown != question.answered:
            raise SystemExit(f"{question.path} answers {shown[:5]}, and not {question.answered[:5]}")
        for entity, n in zip(answer, question.found[: question.limit], strict=True):
            if _comparable(entity) != _comparable(self._city.entity(int(n))):
                raise SystemExit(f"{entity} is answered, and not {self._city.entity(int(n))}")

    def _fetch(self, path: str) -> Any:
        address = f"http://127.0.0.1:{self._subject.http_port}{path}"
        with urllib.request.urlopen(address, timeout=ANSWER_WITHIN_S) as answer:
            return json.load(answer)

    async def _measure(self, name: str, requests: list[dict[str, Any]]) -> Any:
        """Ask by many at once, and by one."""
        connections, times = self._options.connections, self._options.times
        await self._round(requests, 1, 0, min(times, len(requests), 20))  # what is said first is compiled and planned
        usage = Usage({**self._subject.heads(), "generator": [self._generator.pid]})
        many = await self._round(requests, connections, self._options.seconds)
        shares = await usage.stop(many["seconds"])
        one = await self._round(requests, 1, 0, times)
        cpu_ms = sum(shares[part] for part in ("postgres", "api")) * many["seconds"] / many["answered"] * 1e3
        self.figures |= {
            f"{name}_per_s": many["per_s"],
            f"{name}_many_ms_p99": many["ms_p99"],
            f"{name}_ms_p50": one["ms_p50"],
            f"{name}_ms_p99": one["ms_p99"],
            f"{name}_cpu_ms": round(cpu_ms, 2),
            f"{name}_limit": limit(shares, 0),
        }
        print(
            f"  {name:<10} {many['per_s']:8.0f}/s by {connections}, p99 {many['ms_p99']:.1f} ms; alone p50 "
            f"{one['ms_p50']:.2f} ms, p99 {one['ms_p99']:.2f} ms; {cpu_ms:.2f} ms of processor each (api "
            f"{shares['api']:.2f}, postgres {shares['postgres']:.2f}, generator {shares['generator']:.2f}, others "
            f"{shares['others']:.2f}); {many['mb_per_s']} MB/s",
            flush=True,
        )
        return many["answered"] + one["answered"] + min(times, len(requests), 20)

    async def _aggregate(self) -> None:
        path = (
            f"{BASE}/temporal/entities/{HISTORY_ID}?attrs=wind&aggrMethods=avg,max&aggrPeriodDuration=PT1H"
            f"&options=aggregatedValues&timerel=between&timeAt={iso(HISTORY_FROM)}"
            f"&endTimeAt={iso(HISTORY_FROM + timedelta(minutes=INSTANCES))}"
        )
        answer = await asyncio.to_thread(self._fetch, path)
        means = [value for value, *_ in answer["wind"]["avg"]]
        hours = -(-INSTANCES // 60)
        if len(means) != hours or means[0] != 29.5 or answer["wind"]["max"][-1][0] != (INSTANCES - 1) % 60:
            raise SystemExit(f"the means of {hours} hours are answered as {answer}"[:500])
        told = {"raw": get(path), "status": 200, "entities": 1, "needle": '"avg":[[29.5,'}
        await self._measure("aggregate", [told])

    async def _observations(self) -> int:
        return int(await self._subject.database.fetchval("SELECT count(*) FROM observation"))

    async def _patch(self) -> None:
        """Each PATCH that was answered is an observation more, and stands in the entity."""
        before = await self._observations()
        requests = patches(self._city, self._chance, 50_000)
        done = await self._measure("patch", requests)
        filed = await self._observations() - before
        if filed != done:
            raise SystemExit(f"{done} changes were acknowledged, and {filed} are in the past")

    async def _batch(self) -> None:
        """Whole entities over those that are there: a round by many, and one by one client."""
        before, batches = await self._observations(), self._options.batches
        alone = min(5, batches)
        starts = [self._chance.randrange(self._city.entities - BATCH + 1) for _ in range(batches)]
        requests = upserts(self._city, starts, BATCH, 204)
        usage = Usage({**self._subject.heads(), "generator": [self._generator.pid]})
        many = await self._round(requests, min(self._options.connections, batches), 0, batches)
        shares = await usage.stop(many["seconds"])
        one = await self._round(requests, 1, 0, alone)
        if (filed := await self._observations() - before) < (batches + alone) * BATCH * 10:
            raise SystemExit(
                f"{(batches + alone) * BATCH} entities were written, and {filed} observations are in the past"
            )
        per_s = round(many["answered"] * BATCH / many["seconds"])
        self.figures |= {
            "batch_entities_per_s": per_s,
            "batch_attributes_per_s": per_s * 12,
            "batch_ms_p50": one["ms_p50"],
            "batch_limit": limit(shares, 0),
        }
        print(f"  batch      {per_s:8.0f} entities/s; alone {one['ms_p50']:.0f} ms for {BATCH}; {shares}", flush=True)


def _comparable(entity: dict[str, Any]) -> dict[str, Any]:
    """An entity whose types are a set."""
    types = entity["type"]
    return {**entity, "type": {types} if isinstance(types, str) else set(types)}


async def run(options: argparse.Namespace) -> None:
    async with open_house(ROLES, anonymous_writes=True) as subject:
        generator = await Generator.start("benchmarks.ngsild_load", port=subject.http_port)
        bench = Bench(subject, generator, options)
        await bench.run()
        generator.close()
        await generator.end()
    print(json.dumps(bench.figures))


def main() -> None:
    parser = argparse.ArgumentParser(description="How quick NGSI-LD is over a city of entities.")
    parser.add_argument("--entities", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--times", type=int, default=200, help="requests of one client")
    parser.add_argument("--batches", type=int, default=24, help="batch upserts of a thousand entities")
    parser.add_argument("--only", default="", help="names of what is measured, joined by commas; left out: all")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
