"""`broadstreet device import`: a table of devices, registered line by line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from broadstreet.cli.console import console
from broadstreet.cli.importing import here, now_us
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.devices import TableReport

SHOWN: Final = 20
"""Rejected lines that are shown; the file of credentials has all."""


def import_devices(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header line: id, lon, lat and more.")],
    profile: Annotated[str | None, typer.Option(help="The profile of lines that name none.")] = None,
    credentials: Annotated[
        Path | None, typer.Option(help="Where every line's outcome goes, with the new secrets, for its owner's eyes.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    tenant: Annotated[str, typer.Option("--tenant", help="Whose devices.")] = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Register a table of devices. Status 1 where a line was rejected."""
    from broadstreet.model.errors import InvalidInput, NotFound

    if credentials is None and not dry_run:
        raise InvalidInput(
            "the secrets are to go into a file", where="--credentials", remedy="Name one, or look first with --dry-run."
        )
    try:
        body = file.read_bytes()
        written = None if credentials is None else os.open(credentials, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidInput("there is a file already", where=str(credentials), remedy="Name another one.") from None
    except OSError as error:
        raise NotFound(f"it cannot be opened: {error.strerror}", where=str(error.filename)) from None
    chosen = house_settings(data_dir, settings)

    async def register() -> TableReport:
        from broadstreet.access import Access
        from broadstreet.app.reach import reach_engines
        from broadstreet.devices import Registry, register_table
        from broadstreet.store import Store

        async with reach_engines(chosen) as addresses, await Store.connect(addresses.postgres_dsn) as store:
            by, at_us = here(tenant).name, now_us()
            report = await register_table(
                Registry(store),
                await store.tenant(tenant),
                body,
                profile=profile,
                is_dry=dry_run,
                principal=by,
                at_us=at_us,
            )
            if not dry_run:
                audit = Access(store.control, now_us).audit
                await audit.record(at_us, by, "device.create", f"{report.registered} devices", tenant=tenant)
            return report

    report = wait_for(register())
    if written is not None:
        with os.fdopen(written, "w", encoding="utf-8") as out:
            out.write(report.csv())
    say(report, is_dry=dry_run)
    if report.rejected:
        raise typer.Exit(1)


def say(report: TableReport, *, is_dry: bool) -> None:
    """What became of a table, in words."""
    would = "would be " if is_dry else ""
    console.print(
        f"{report.registered:,} {would}registered, {report.there:,} there already, {report.rejected:,} rejected"
    )
    rejected = [line for line in report.lines if line.outcome == "rejected"]
    for line in rejected[:SHOWN]:
        console.print(f"  line {line.line}, {line.id or 'no id'}: {line.reason}", markup=False)
    if len(rejected) > SHOWN:
        console.print(f"  and {len(rejected) - SHOWN:,} more")
