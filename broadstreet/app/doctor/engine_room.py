"""What runs: processes, PostgreSQL with its schema, the log with its streams, what waits and what could not be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

import asyncpg

from broadstreet.app.doctor.finding import Finding, graded, ok, warn, wrong
from broadstreet.app.doctor.sealed_secrets import sealed_secrets
from broadstreet.app.settings import Settings
from broadstreet.engines import HouseStatus, read_addresses
from broadstreet.log import REFUSING, Log
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import BroadstreetError
from broadstreet.store import Store, load_queries
from broadstreet.store.migration import CONTROL_SCHEMA, migrations

MANY_RESTARTS: Final = 5
CLOCK_ODD_S: Final = 1.0
CLOCK_WRONG_S: Final = 30.0
FULL: Final = 0.9
FILLING: Final = 0.6
WAITING: Final = 100
"""Packs of a partition that are not applied: a few seconds' worth at the highest rate."""
WAITING_LONG: Final = 5_000
_SQL = load_queries("doctor")
_READINESS_SQL = load_queries("readiness")
_RECORDER_SQL = load_queries("recorder")


def processes(status: HouseStatus) -> Iterator[Finding]:
    """Whether everything runs, and how often it had to be started again."""
    for process in (*status.engines, *status.roles):
        if process.pid is None:
            yield wrong(process.name, "it is being started again and again", f"See logs/{process.name}.log.")
        else:
            yield graded(
                process.name,
                f"it runs as process {process.pid}, started again {process.restarts} times",
                f"See logs/{process.name}.log for why it ends.",
                is_wrong=False,
                is_odd=process.restarts >= MANY_RESTARTS,
            )


async def engines(settings: Settings, now_us: int) -> AsyncIterator[Finding]:
    """PostgreSQL and the log. What does not answer is a finding."""
    try:
        addresses = read_addresses(settings.data_path)
        async with await Store.connect(addresses.postgres_dsn, pool_size=1, keys=settings.keys_path) as store:
            async for finding in _postgres(store, now_us):
                yield finding
            async for finding in sealed_secrets(store.control):
                yield finding
            async with await Log.connect(addresses.nats_url, name="doctor") as log:
                async for finding in _log(log):
                    yield finding
                async for finding in _work(store, log):
                    yield finding
    except (BroadstreetError, asyncpg.PostgresError, OSError) as error:
        yield wrong("engines", f"they do not answer: {error}", f"See logs/ in {settings.data_path}.")


async def _postgres(store: Store, now_us: int) -> AsyncIterator[Finding]:
    row = await store.control.fetchrow(_SQL["server"])
    assert row is not None  # it always answers
    off_s = abs(row["now"] - now_us) / US_PER_S
    yield graded(
        "PostgreSQL",
        f"version {row['version']}, its clock {off_s:.1f} s from ours, {row['bytes'] / 1e6:,.0f} MB",
        "Keep both machines' clocks right.",
        is_wrong=off_s > CLOCK_WRONG_S,
        is_odd=off_s > CLOCK_ODD_S,
    )
    newest = {kind: migrations(kind)[-1][0] for kind in ("control", "tenant")}
    for schema in await store.control.fetch(_READINESS_SQL["versions"]):
        wanted = newest["control" if schema["schema"] == CONTROL_SCHEMA else "tenant"]
        if schema["version"] != wanted:
            words = f"it is at version {schema['version']}, and this Broadstreet knows {wanted}"
            yield wrong(
                f"schema {schema['schema']}", words, "Restart the house with the newest Broadstreet it has had."
            )


async def _log(log: Log) -> AsyncIterator[Finding]:
    for name in REFUSING:
        info = await log.stream_info(name)
        share = info.state.bytes / info.config.max_bytes if info.config.max_bytes else 0.0
        yield graded(
            f"stream {name}",
            f"{info.state.messages:,} messages, {share:.0%} full",
            f"Raise log.{name.lower()}_bytes, or see to what is not taken out of it: full, it refuses.",
            is_wrong=share > FULL,
            is_odd=share > FILLING,
        )


async def _work(store: Store, log: Log) -> AsyncIterator[Finding]:
    for tenant in await store.tenants():
        database = await store.tenant(tenant)
        waiting = 0
        for cursor in await database.fetch(_RECORDER_SQL["cursors"]):
            waiting = max(waiting, await log.count_raw(tenant, cursor["partition"], cursor["sequence"]))
        yield graded(
            f"lag of {tenant}",
            f"{waiting:,} packs wait to be applied",
            "See logs/recorder.log; if it runs well, the machine is too slow for what is sent.",
            is_wrong=waiting > WAITING_LONG,
            is_odd=waiting > WAITING,
        )
        dead = await log.count_dead(tenant)
        if dead:
            remedy = "See System in the portal, or `broadstreet dead list`; mend the profile and replay them."
            yield warn(f"dead letters of {tenant}", f"{dead:,} messages could not be read", remedy)
        else:
            yield ok(f"dead letters of {tenant}", "there are none")
