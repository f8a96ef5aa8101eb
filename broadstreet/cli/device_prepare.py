"""`broadstreet device prepare`: devices written down before they are installed, with secrets and claim codes."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Annotated

import typer

from broadstreet.cli.console import console
from broadstreet.cli.importing import here, now_us
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.identifiers import DEFAULT_TENANT


def prepare(
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="Serial numbers; - reads them from standard input.")],
    profile: Annotated[str, typer.Option(help="What they are: a profile.")],
    credentials: Annotated[
        Path, typer.Option(help="Where their secrets and claim codes go: a new file, for its owner's eyes.")
    ],
    dataset: Annotated[str | None, typer.Option(help="Whose data they give.")] = None,
    tenant: Annotated[str, typer.Option("--tenant", help="Whose devices.")] = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Write devices down that are installed later, by whoever has their claim code in hand."""
    from broadstreet.devices import Prepared, PreparedSpec
    from broadstreet.model.errors import InvalidInput

    named = typer.get_text_stream("stdin").read().split() if ids == ["-"] else ids
    specs = [PreparedSpec(id=name, profile=profile, dataset=dataset) for name in named]
    chosen = house_settings(data_dir, settings)
    try:
        written = os.open(credentials, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"it cannot be made: {error.strerror}", where=str(credentials), remedy="Name a new file."
        ) from None

    async def write_down() -> list[Prepared]:
        from broadstreet.access import Access
        from broadstreet.app.reach import reach_engines
        from broadstreet.devices import Preparation, Registry
        from broadstreet.store import Store

        async with reach_engines(chosen) as addresses, await Store.connect(addresses.postgres_dsn) as store:
            by, at_us = here(tenant).name, now_us()
            preparation = Preparation(store, Registry(store))
            made = await preparation.prepare(await store.tenant(tenant), specs, by=by, at_us=at_us)
            audit = Access(store.control, now_us).audit
            await audit.record(at_us, by, "device.prepare", f"{len(made)} devices", tenant=tenant)
            return made

    with os.fdopen(written, "w", encoding="utf-8", newline="") as out:
        made = wait_for(write_down())
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("id", "secret", "code"))
        writer.writerows((one.id, one.secret, one.code) for one in made if one.code is not None)
    new = sum(one.code is not None for one in made)
    console.print(f"{new:,} prepared, {len(made) - new:,} known already; secrets and codes are in {credentials}")
