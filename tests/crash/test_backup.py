"""A backup under load, the house wiped, the backup put back: equal, and nothing acknowledged before it lost."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broadstreet.app.clock import now_us
from broadstreet.backup import House, Sealing, open_vault, put_back, take, verify
from broadstreet.engines import Engines
from tests.contract.content import content
from tests.crash.house import TrialHouse, free_port
from tests.crash.load import Device, Load, Message
from tests.crash.trial import acknowledged, nothing_waits, register, verdict_of

BEFORE = 4_000
"""Messages that are acknowledged before the backup begins, at least."""
AFTER = 4_000
STILL = ("device", "entity", "series", "profile", "term", "meta", "dataset", "device_profile")
"""Tables that the load does not change."""
ORIGINS = "SELECT key, pack_id, sequence FROM tenant_city.origin WHERE kind = 'pack'"
READINGS = """
SELECT origin_key, md5(string_agg(o::text, '' ORDER BY o::text)) AS hash FROM tenant_city.observation o
WHERE origin_key = ANY ($1::bigint[]) GROUP BY 1
"""
Readings = dict[int, str]


async def readings_of(dsn: str, origins: Iterable[int] | None) -> tuple[set[tuple[Any, ...]], Readings]:
    """The packs that were applied, and the readings of each by hash; origins: of these alone."""
    connection = await asyncpg.connect(dsn)
    try:
        packs = {tuple(row) for row in await connection.fetch(ORIGINS)}
        keys = [pack[0] for pack in packs] if origins is None else list(origins)
        rows = await connection.fetch(READINGS, keys)
        return packs, {row["origin_key"]: row["hash"] for row in rows}
    finally:
        await connection.close()


async def still(dsn: str) -> dict[str, tuple[int, str]]:
    """The tables that the load leaves alone."""
    found = await content(dsn)
    return {name: found[name] for name in found if name.split(".")[1] in STILL or name.startswith("control.")}


async def back_up_under_load(house: TrialHouse, load: Load, vault: Path) -> list[Sequence[Message]]:
    """Take a backup while devices send; what each was told before it began."""
    await acknowledged(load, BEFORE)
    ledger: list[Sequence[Message]] = [tuple(device.acknowledged) for device in load.devices]
    place = House(house.settings.data_path, house.addresses, own_postgres=True, settings_file=None)
    await take(place, open_vault(str(vault)), Sealing(), now_us, lambda kind, stored: None)
    assert load.acknowledged > sum(map(len, ledger))  # it went on meanwhile
    await acknowledged(load, load.acknowledged + AFTER)
    load.publishing = False
    await nothing_waits(load)
    await load.stop()
    return ledger


async def judge_restored(house: TrialHouse, devices: list[Device]) -> None:
    """Start the restored house and look for what the devices were told."""
    await house.up()
    try:
        verdict = await verdict_of(house, devices)
        assert verdict.words == ()
        assert (verdict.lost, verdict.duplicated) == (0, 0)
        assert verdict.acknowledged >= BEFORE
    finally:
        await house.end()


@pytest.mark.timeout(300)
async def test_backup_wipe_restore(data_dir: Path) -> None:
    house = TrialHouse(data_dir / "data", free_port)
    vault = data_dir / "backup"
    try:
        await house.up()
        devices = await register(house.addresses.postgres_dsn)
        load = Load(devices, house.settings.mqtt.port)
        load.start()
        ledger = await back_up_under_load(house, load, vault)
        before = await still(house.addresses.postgres_dsn)
        packs, readings = await readings_of(house.addresses.postgres_dsn, None)
    finally:
        await house.end()
    await asyncio.to_thread(shutil.rmtree, data_dir / "data")

    await verify(open_vault(str(vault)), Sealing(), lambda part, words: None)
    again = data_dir / "again"
    await put_back(
        open_vault(str(vault)), Sealing(), again, postgres_url=None, nats_url=None, tell=lambda part, words: None
    )
    async with Engines(again) as engines:
        assert await still(engines.addresses.postgres_dsn) == before
        known, found = await readings_of(engines.addresses.postgres_dsn, None)
        assert known and known < packs  # a moment of the house that was
        assert found == {key: readings[key] for key, _, _ in known}
    for device, told in zip(devices, ledger, strict=True):
        device.acknowledged = list(told)
    await judge_restored(TrialHouse(again, free_port), devices)
