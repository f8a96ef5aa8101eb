"""`broadstreet import`: take a table of readings in."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.access import Principal
    from broadstreet.app import Settings
    from broadstreet.importer import ImportReport, Totals

SHOWN_REASONS = 6
SHOWN_SENSORS = 5


Table = Annotated[Path, typer.Argument(metavar="FILE", help="The table: CSV, also compressed by gzip, or Parquet.")]
MappingFile = Annotated[Path, typer.Option("--mapping", help="The mapping: what the table means, in TOML.")]
LocationsFile = Annotated[
    Path | None, typer.Option("--locations", help="The table of locations; else where the mapping says.")
]
Tenant = Annotated[str, typer.Option("--tenant", help="Whose data it is.")]


def import_table(
    file: Table,
    mapping: MappingFile,
    locations: LocationsFile = None,
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Import a table of readings by a mapping. Interrupted, it goes on where it was; done, it is not done again."""
    chosen = house_settings(data_dir, settings)
    try:
        report = wait_for(take_in(chosen, file, mapping, locations, tenant))
    except KeyboardInterrupt:
        console.print("Interrupted. Run it again, and it goes on from there.")
        raise typer.Exit(130) from None
    say(report)


def here(tenant: str) -> Principal:
    """Whoever works on the data folder itself: it is theirs."""
    from broadstreet.access import Principal

    return Principal.account("command line", "Command line", tenant, ["administrator"])


def now_us() -> int:
    """The moment, in microseconds since 1970."""
    return time.time_ns() // 1_000


async def take_in(settings: Settings, file: Path, mapping: Path, locations: Path | None, tenant: str) -> ImportReport:
    """Import with a bar of progress."""
    from broadstreet.app.reach import reach_engines
    from broadstreet.importer import Import, prepare
    from broadstreet.importer.source import read_text
    from broadstreet.store import Store

    prepared = await asyncio.to_thread(prepare, file, read_text(mapping), locations)
    async with (
        reach_engines(settings) as addresses,
        await Store.connect(addresses.postgres_dsn, files=settings.past_path) as store,
    ):
        database = await store.tenant(tenant)
        work = Import(store, database, prepared, principal=here(tenant), clock=now_us)
        with bar("rows") as progress:
            task = progress.add_task(file.name, total=prepared.table.rows)

            def show(totals: Totals, rows: int) -> None:
                progress.update(task, completed=totals.rows_done, total=max(rows, totals.rows_done))

            return await work.run(settings.data_path / "rejects", show)


def bar(unit: str) -> Progress:
    """A bar of progress that counts."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=console,
    )


def say(report: ImportReport) -> None:
    """What became of the file, in words."""
    totals = report.totals
    if report.is_repeat:
        console.print(f"{report.file_name} was imported by this mapping before; nothing was done again. Then it had:")
    elif report.resumed_at:
        console.print(f"Went on from row {report.resumed_at:,}. All in all:")
    read = totals.accepted + totals.rejected
    console.print(f"  {read:>12,} readings = {totals.accepted:,} accepted + {totals.rejected:,} rejected")
    for count, words in (
        (totals.skipped, "cells were empty"),
        (totals.repeated, "accepted readings were there already"),
        (totals.corrected, "accepted readings corrected what was there"),
        (totals.ambiguous, "accepted readings had a local time that came twice, and the mapping chose"),
        (totals.shifted, "accepted readings had a local time that did not exist, and the mapping moved it"),
    ):
        if count:
            console.print(f"  {count:>12,} {words}")
    if report.sensors:
        console.print(f"  {report.sensors:>12,} sensors")
    for reason, count in list(report.reasons.items())[:SHOWN_REASONS]:
        console.print(f"  {count:>12,} rejected: {reason}")
    if report.rejects:
        console.print(f"  Rejected lines are in {report.rejects}", soft_wrap=True)
    if report.without_place:
        named = ", ".join(report.without_place[:SHOWN_SENSORS])
        console.print(f"  {len(report.without_place):,} sensors have no place in the table of locations: {named}")
