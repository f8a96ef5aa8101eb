"""The house's own health: what it takes in, how far behind it is, what failed, what it stands on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import psutil

from broadstreet.engines import HouseStatus, look_at_disk, read_status
from broadstreet.log import STREAMS, Log
from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.model.errors import EngineFailed
from broadstreet.portal.findings import Answer
from broadstreet.portal.portal import Portal
from broadstreet.portal.sensor import State
from broadstreet.portal.snapshot import time_of
from broadstreet.portal.town import MAX_DEAD, Town
from broadstreet.portal.vitals import Pulse
from broadstreet.portal.words import count, rate, sentences
from broadstreet.store import load_queries

MAX_IMPORTS: Final = 20
LAG_FINE_S: Final = 5.0
DAY_US: Final = 86_400 * US_PER_S
_SQL = load_queries("portal")


class DeviceCounts(msgspec.Struct, frozen=True):
    """How many devices there are, and in which state. total: those that are meant to report; imported: the others."""

    total: int
    live: int
    silent: int
    never: int
    imported: int


class DiskView(msgspec.Struct, frozen=True):
    """The disk of the data folder. Below the watermark ingest is refused."""

    used_bytes: int
    free_bytes: int
    watermark_bytes: int


class EngineView(msgspec.Struct, frozen=True):
    """PostgreSQL or NATS."""

    name: str
    version: str
    state: str
    detail: str | None


class RoleView(msgspec.Struct, frozen=True):
    """One process of the house."""

    name: str
    pid: int | None
    uptime_s: int
    restarts: int
    rss_bytes: int


class StreamView(msgspec.Struct, frozen=True):
    """One stream of the log."""

    stream: str
    messages: int
    bytes: int


class ImportView(msgspec.Struct, frozen=True):
    """One import of a file."""

    file_name: str
    started_at: str
    finished_at: str | None
    accepted: int
    rejected: int


class History(msgspec.Struct, frozen=True):
    """The rate of readings over the last hour."""

    t_ms: list[int]
    v: list[float]


class SystemView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page. observations and series are the planner's estimate."""

    at: str
    answer: Answer
    readings_per_s: float
    messages_per_s: float
    lag_s: float
    pending_packs: int
    dead: int
    connections: int
    devices: DeviceCounts
    series: int
    observations: int
    observations_bytes: int
    disk: DiskView
    engines: list[EngineView]
    roles: list[RoleView]
    log: list[StreamView]
    imports: list[ImportView]
    rate_history: History


async def system_view(portal: Portal, town: Town) -> SystemView:
    """The house as it is now."""
    now_us, pulse = portal.clock(), portal.vitals.pulse()
    size = await town.database.fetchrow(_SQL["size"])
    imports = await town.database.fetch(_SQL["imports"], MAX_IMPORTS)
    assert size is not None
    streams, nats = await _log_view(portal.log)
    dead = await town.dead_letters()
    disk = look_at_disk(portal.settings.data_dir, portal.settings.watermark_bytes)
    status = await asyncio.to_thread(read_status, portal.settings.data_dir)
    states = [s.state(now_us) for s in (await town.roster()).sensors.values() if s.device is not None]
    return SystemView(
        at=format_rfc3339(now_us),
        answer=system_answer(
            pulse,
            town.died_since(now_us - DAY_US),
            is_disk_full=disk.is_full,
            is_log_up=nats.state == "up",
            others=await asyncio.to_thread(portal.settings.troubles),
        ),
        readings_per_s=pulse.readings_per_s,
        messages_per_s=pulse.messages_per_s,
        lag_s=pulse.lag_s,
        pending_packs=await _pending(portal.log, town),
        dead=dead,
        connections=pulse.connections,
        devices=_count_devices(states),
        series=size["series"],
        observations=size["observations"],
        observations_bytes=size["observations_bytes"],
        disk=DiskView(disk.used_bytes, disk.free_bytes, disk.watermark_bytes),
        engines=[EngineView("PostgreSQL", size["version"], "up", None), nats],
        roles=await asyncio.to_thread(_roles, status, now_us),
        log=streams,
        imports=[
            ImportView(
                row["file_name"],
                format_rfc3339(row["started_at"]),
                time_of(row["finished_at"]),
                row["accepted"],
                row["rejected"],
            )
            for row in imports
        ],
        rate_history=History(
            [at_us // 1_000 for at_us, _ in portal.vitals.history], [rate for _, rate in portal.vitals.history]
        ),
    )


def _count_devices(states: Sequence[State]) -> DeviceCounts:
    imported = states.count("imported")
    return DeviceCounts(
        len(states) - imported, states.count("live"), states.count("silent"), states.count("never"), imported
    )


def system_answer(
    pulse: Pulse, dead: int, *, is_disk_full: bool, is_log_up: bool, others: Sequence[str] = ()
) -> Answer:
    """How the house is, in a sentence. dead: letters of the last day, at most MAX_DEAD of them. others: what else is
    wrong."""
    troubles = [
        *(["the disk is close to full, and nothing more is taken in: free some room"] if is_disk_full else []),
        *(["the log does not answer"] if not is_log_up else []),
        *(["no recorder reports: what comes in is kept, but not applied"] if pulse.recorders == 0 else []),
        *(["no gateway reports: devices cannot connect"] if pulse.gateways == 0 else []),
        *others,
    ]
    behind = "up to date" if pulse.lag_s < 0.05 else f"{pulse.lag_s:.1f} s behind"
    many = "at least " if dead >= MAX_DEAD else ""
    letters = (
        f"{many}{count(dead, 'message')} of the last day could not be decoded"
        if dead
        else "every message of the last day decoded"
    )
    told = f"Taking in {rate(pulse.readings_per_s)} readings a second, {behind}, {letters}"
    tone = "wrong" if troubles else "degraded" if dead or pulse.lag_s > LAG_FINE_S else "fine"
    return Answer(sentences([*troubles, told]), tone)


async def _log_view(log: Log) -> tuple[list[StreamView], EngineView]:
    try:
        infos = await asyncio.gather(*(log.stream_info(stream) for stream in STREAMS))
    except EngineFailed:
        return [], EngineView("NATS", "", "down", "It does not answer.")
    streams = [
        StreamView(stream, info.state.messages, info.state.bytes) for stream, info in zip(STREAMS, infos, strict=True)
    ]
    version = log.client.connected_server_version
    return streams, EngineView("NATS", f"{version.major}.{version.minor}.{version.patch}", "up", None)


async def _pending(log: Log, town: Town) -> int:
    """Packs that stand in the log and are not yet applied."""
    cursors = await town.database.fetch(_SQL["cursors"])
    waiting = (log.count_raw(town.tenant, row["partition"], row["sequence"]) for row in cursors)
    try:
        return sum(await asyncio.gather(*waiting))
    except EngineFailed:
        return 0


def _roles(status: HouseStatus | None, now_us: int) -> list[RoleView]:
    if status is None:
        return []
    return [
        RoleView(
            role.name,
            role.pid,
            max(now_us - role.started_at_us, 0) // US_PER_S,
            role.restarts,
            0 if role.pid is None else _rss_bytes(role.pid),
        )
        for role in (*status.engines, *status.roles)
    ]


def _rss_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
