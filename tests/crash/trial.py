"""One trial: a house under load, killed by plan, and judged when it has come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from broadstreet.devices import DeviceSpec, Registry
from broadstreet.log import Log
from broadstreet.store import Store
from tests.crash.crew import Crew, enlist
from tests.crash.house import TrialHouse, free_port
from tests.crash.load import DEVICES, Device, Load
from tests.crash.moment import go_on, hold_in_transaction
from tests.crash.plan import Plan
from tests.crash.verdict import TENANT, Ledger, Obedience, Verdict, drained, judge, until

MIN_ACKNOWLEDGED = 10_000
AFTER_RECOVERY = 2_000
"""Messages that are acknowledged after the last recovery, at least."""
PATIENCE_S = 120.0
POLL_S = 0.02
UNHEARD_S = 0.1
"""How long before a kill the devices at QoS 2 hear nothing: longer than a pack takes."""
HISTORY_MS = 86_400_000
"""How long ago the devices' own times begin: they all lie in the past."""
PRINCIPAL = "crash trial"
PROFILE = """
[profile]
name = "{name}"
type = "https://example.org/CrashProbe"
{time}

[attributes."https://example.org/v"]
field = "v"
type = "number"
"""
TIMED, UNTIMED = "crash-timed", "crash-untimed"


@dataclass(frozen=True)
class Moment:
    """What was going on when the kill came.

    unanswered: messages that were sent and not acknowledged: in packs, or on their way there. half_way: of QoS 2,
    received and not complete. unheard: of QoS 2, on disk, while the client has not heard of it. asked: requests without
    an answer; mid_replay: whether one of them was a replay of dead letters. mid_commit: whether the recorder stood
    within a transaction that had written.
    """

    unanswered: int
    half_way: int
    unheard: int
    asked: int
    mid_replay: bool
    mid_commit: bool


@dataclass(frozen=True)
class Outcome:
    """What a trial found. ready_s: from a kill until everything is ready again, the longest."""

    plan: Plan
    verdict: Verdict
    ready_s: float
    moment: Moment


async def run_trial(plan: Plan) -> Outcome:
    """Run one seed in a data folder of its own; nothing is left of it."""
    with TemporaryDirectory(prefix="broadstreet-crash-") as folder:
        house = TrialHouse(Path(folder) / "data", free_port)
        try:
            await house.up()
            devices = await register(house.addresses.postgres_dsn)
            crew = await enlist(house.addresses.postgres_dsn, house.settings.http.port)
            load = Load([*devices, *crew.devices], house.settings.mqtt.port)
            load.start()
            crew.asking.start()
            try:
                ready_s, moment = await kill_by_plan(plan, house, load, crew)
                await go_on_and_settle(load, crew)
                await obeyed(house)
            finally:
                await crew.asking.stop()
                await load.stop()
            await settled(house)
            await crew.asking.replay_rest()
            verdict = await verdict_of(house, devices, crew.ledgers(), crew.obedience())
            return Outcome(plan, verdict, ready_s, moment)
        finally:
            await house.end()


async def register(dsn: str) -> list[Device]:
    """Write the devices down in a prepared database."""
    at_us = time.time_ns() // 1000
    async with await Store.connect(dsn) as store:
        database, registry = await store.tenant(TENANT), Registry(store)
        for name, own_time in ((TIMED, 'time = "ts"\ntime_format = "unix_ms"'), (UNTIMED, "")):
            text = PROFILE.format(name=name, time=own_time)
            await registry.register_profile(database, text, principal=PRINCIPAL, at_us=at_us)
        specs = [
            DeviceSpec(
                id=f"probe-{n}", title=f"Probe {n}", profile=UNTIMED if n % 4 < 2 else TIMED, lon=24.94, lat=60.17
            )
            for n in range(DEVICES)
        ]
        registered = await registry.register_many(database, specs, principal=PRINCIPAL, at_us=at_us)
    devices = []
    for number, (spec, written) in enumerate(zip(specs, registered, strict=True)):
        assert written.secret is not None
        begins_ms = at_us // 1000 - HISTORY_MS
        devices.append(Device(spec.id, written.secret, number, begins_ms, timed=spec.profile == TIMED))
    return devices


async def kill_by_plan(plan: Plan, house: TrialHouse, load: Load, crew: Crew) -> tuple[float, Moment]:
    """Kill when the plan says, and wait until everything is ready.

    Answers how long that took from the last kill, in s, and what was going on at the first.
    """
    await acknowledged(load, plan.after)
    recorder, mid_commit = house.pid_of("recorder"), False
    if recorder is not None and not {"recorder", "postgres"}.isdisjoint(plan.targets):
        mid_commit = await hold_in_transaction(recorder, house.addresses.postgres_dsn, plan.seed)
    for device in crew.dying:
        device.publishing = False
    crew.asking.start_replay()
    await asyncio.sleep(plan.replay_s)
    if not plan.half_way:
        crew.deafen()
        await asyncio.sleep(UNHEARD_S)
    await something_waits(load, lambda: crew.half_way > 0 or not plan.half_way)
    asking = crew.asking
    moment = Moment(load.waiting, crew.half_way, crew.unheard, asking.under_way, asking.is_replaying, mid_commit)
    killed_s = time.monotonic()
    victims = await house.kill(plan.targets)
    if recorder is not None and "recorder" not in victims:
        go_on(recorder)
    if plan.again_in_s is not None and "supervisor" not in victims:
        await asyncio.sleep(plan.again_in_s)
        again_s = time.monotonic()
        if victims_again := await house.kill(plan.targets):
            killed_s, victims = again_s, victims | victims_again
    await house.recover(victims)
    ready_s = time.monotonic() - killed_s
    crew.come_back()
    return ready_s, moment


async def acknowledged(load: Load, at_least: int) -> None:
    """Wait until so many messages have been acknowledged."""
    async with asyncio.timeout(PATIENCE_S):
        while load.acknowledged < at_least:
            load.check()
            await asyncio.sleep(POLL_S)


async def go_on_and_settle(load: Load, crew: Crew | None = None) -> None:
    """Let the load go on for a while after a recovery, then end it with all of it acknowledged."""
    await acknowledged(load, max(MIN_ACKNOWLEDGED, load.acknowledged + AFTER_RECOVERY))
    load.publishing = False
    if crew is not None:
        await crew.asking.settle()
        crew.check()
    await nothing_waits(load)


async def obeyed(house: TrialHouse) -> None:
    """Wait until every command has ended."""
    async with await Store.connect(house.addresses.postgres_dsn) as store:
        async with asyncio.timeout(PATIENCE_S):
            await until(await store.tenant(TENANT), "SELECT NOT EXISTS (SELECT FROM command WHERE ended_at IS NULL)")


async def settled(house: TrialHouse) -> None:
    """Wait until everything is applied and told."""
    async with (
        await Store.connect(house.addresses.postgres_dsn) as store,
        await Log.connect(house.addresses.nats_url) as log,
    ):
        await drained(log, await store.tenant(TENANT), house.settings.log.partitions)


async def verdict_of(
    house: TrialHouse,
    devices: list[Device],
    ledgers: Sequence[Ledger] = (),
    obedience: Obedience | None = None,
) -> Verdict:
    """What the house has of what its devices were acknowledged."""
    async with (
        await Store.connect(house.addresses.postgres_dsn) as store,
        await Log.connect(house.addresses.nats_url) as log,
    ):
        return await judge(log, store, devices, house.settings.log.partitions, ledgers, obedience)


async def something_waits(load: Load, also: Callable[[], bool] = lambda: True) -> None:
    """Wait until a message has been sent that is not acknowledged yet, and something else holds besides."""
    async with asyncio.timeout(PATIENCE_S):
        while not (load.waiting and also()):
            load.check()
            await asyncio.sleep(0)


async def nothing_waits(load: Load) -> None:
    """Wait until every message that was sent has been acknowledged."""
    async with asyncio.timeout(PATIENCE_S):
        while load.waiting:
            load.check()
            await asyncio.sleep(POLL_S)
