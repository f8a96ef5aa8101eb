"""`broadstreet replay`: send a table as the devices themselves would."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broadstreet.cli.console import console
from broadstreet.cli.importing import LocationsFile, MappingFile, Table, Tenant, bar, here, now_us
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.app import Settings
    from broadstreet.importer import Pace, Replay, ReplayTotals

LOOK_EVERY_S = 0.2


def replay(
    file: Table,
    mapping: MappingFile,
    speed: Annotated[
        float, typer.Option(min=0, help="How many times as fast as it was; 0: as fast as it is taken.")
    ] = 1.0,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move all times so that the replay ends now.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many messages.")] = None,
    host: Annotated[str | None, typer.Option(help="Where the MQTT listener is; else as the house has it.")] = None,
    port: Annotated[int | None, typer.Option(help="And its port.")] = None,
    locations: LocationsFile = None,
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Send a table over MQTT as its sensors would: a client and a credential each. The house must be up."""
    from broadstreet.app.edges import running_edges
    from broadstreet.importer import Pace

    chosen = house_settings(data_dir, settings)
    pace = Pace(speed=speed, shift_to_now=shift_to_now, limit=limit)
    edges = running_edges(chosen)
    address = host or edges.mqtt_host, port or edges.mqtt_port
    began: list[Replay] = []
    try:
        wait_for(send(chosen, file, mapping, locations, tenant, pace, address, began))
    except KeyboardInterrupt:
        console.print("Interrupted.")
    if began:
        say(began[0].totals)


async def send(
    settings: Settings,
    file: Path,
    mapping: Path,
    locations: Path | None,
    tenant: str,
    pace: Pace,
    address: tuple[str, int],
    began: list[Replay],
) -> None:
    """Replay with a bar of progress; `began` is handed the replay, to tell of it however it ends."""
    from broadstreet.engines import read_addresses
    from broadstreet.importer import Replay, prepare
    from broadstreet.importer.source import read_text
    from broadstreet.store import Store

    prepared = await asyncio.to_thread(prepare, file, read_text(mapping), locations)
    addresses = read_addresses(settings.data_path)
    async with await Store.connect(addresses.postgres_dsn, files=settings.past_path) as store:
        database = await store.tenant(tenant)
        work = Replay(
            store, database, prepared, pace, host=address[0], port=address[1], principal=here(tenant), clock=now_us
        )
        began.append(work)
        with bar("messages acknowledged") as progress:
            task = progress.add_task(file.name, total=None)

            async def show() -> None:
                while True:
                    progress.update(task, completed=work.totals.acknowledged, total=work.totals.messages or None)
                    await asyncio.sleep(LOOK_EVERY_S)

            showing = asyncio.create_task(show())
            try:
                await work.run()
            finally:
                showing.cancel()
                progress.update(task, completed=work.totals.acknowledged, total=work.totals.messages or None)


def say(totals: ReplayTotals) -> None:
    """How it went, in words."""
    console.print(
        f"  {totals.acknowledged:,} of {totals.sent:,} messages acknowledged, "
        f"{totals.messages:,} in the table; {totals.devices:,} devices"
    )
    for count, words in (
        (totals.refused, "messages were refused"),
        (totals.reconnections, "connections were lost and came back"),
        (totals.rejected, "readings of the table could not be sent"),
    ):
        if count:
            console.print(f"  {count:,} {words}")
