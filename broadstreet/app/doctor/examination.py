"""All checks, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Callable

from broadstreet.app.doctor import engine_room, machine
from broadstreet.app.doctor.finding import Finding, warn, wrong
from broadstreet.app.settings import Settings
from broadstreet.engines import read_status
from broadstreet.engines.city import check_nats, check_postgres
from broadstreet.model.errors import EngineFailed


async def examine(settings: Settings, clock: Callable[[], int]) -> list[Finding]:
    """Everything about the house of these settings. clock: now, in microseconds since 1970."""
    findings = [
        *machine.versions(),
        *machine.data_folder(settings),
        *machine.disk(settings),
        *machine.open_files(),
        *machine.clock(),
        *machine.ports(settings),
        *machine.exposure(settings),
        *machine.certificates(settings, clock()),
        *machine.backups(settings, clock()),
    ]
    for about, url, check in (
        ("the city's PostgreSQL", settings.engines.postgres_url, check_postgres),
        ("the city's NATS", settings.engines.nats_url, check_nats),
    ):
        if url:
            try:
                await check(url)
            except EngineFailed as error:
                findings.append(wrong(about, error.message, error.remedy or "Check its address."))
    status = read_status(settings.data_path)
    if status is None:
        findings.append(
            warn("house", "it does not run, so engines and streams were not looked at", "Start it: `broadstreet up`.")
        )
        return findings
    findings += engine_room.processes(status)
    findings += [finding async for finding in engine_room.engines(settings, clock())]
    return findings
