"""`broadstreet export`: take history or entities away, into a file."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from broadstreet.cli.console import console
from broadstreet.cli.importing import here, now_us
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.app import Settings
    from broadstreet.exports import Wish

HALF_WRITTEN: Final = ".part"


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; its ending says the format.")],
    query: Annotated[
        str, typer.Option("--query", help="All of it as the address of an export says it; options go over that.")
    ] = "",
    what: Annotated[str | None, typer.Option("--what", help="history or entities; else as the query says.")] = None,
    entity: Annotated[list[str] | None, typer.Option("--id", help="An entity; may be repeated.")] = None,
    type_name: Annotated[str | None, typer.Option("--type", help="Entities of a type.")] = None,
    q: Annotated[str | None, typer.Option("--q", help="Entities that an NGSI-LD query finds.")] = None,
    street: Annotated[str | None, typer.Option("--street", help="Entities on a street.")] = None,
    near: Annotated[str | None, typer.Option("--near", help="Longitude, latitude, metres, commas between.")] = None,
    box: Annotated[str | None, typer.Option("--box", help="West, south, east, north, commas between.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Series of a dataset.")] = None,
    attrs: Annotated[str | None, typer.Option("--attrs", help="Attributes, commas between; else all.")] = None,
    begin: Annotated[str | None, typer.Option("--from", help="From this time on (RFC 3339).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Before this time.")] = None,
    last: Annotated[str | None, typer.Option("--last", help="So long until now, as P30D; else a week.")] = None,
    every: Annotated[str | None, typer.Option("--every", help="Summed up by periods so long, as PT1H.")] = None,
    methods: Annotated[str | None, typer.Option("--methods", help="How: avg, min, max and others, as avg,max.")] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="The time zone of periods.")] = None,
    tenant: Annotated[str, typer.Option("--tenant", help="Whose data it is.")] = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Take history or entities away: CSV, NDJSON, Parquet, Arrow or GeoJSON. All of it is of one moment."""
    from broadstreet.exports import parse_wish

    said = {
        "what": what,
        "type": type_name,
        "q": q,
        "street": street,
        "near": near,
        "box": box,
        "dataset": dataset,
        "attrs": attrs,
        "from": begin,
        "to": end,
        "last": last,
        "every": every,
        "methods": methods,
        "zone": zone,
        "format": file.suffix.lower().removeprefix("."),
    }
    given = [(name, text) for name, text in said.items() if text is not None]
    given += [("id", one) for one in entity or ()]
    over = {name for name, _ in given}
    address = parse_qsl(urlsplit(query).query or query.removeprefix("?"), keep_blank_values=True)
    wish = parse_wish([pair for pair in address if pair[0] not in over] + given)
    rows, size = wait_for(take(house_settings(data_dir, settings), tenant, wish, file))
    console.print(f"{rows:,} rows, {size:,} bytes in {file}", soft_wrap=True)


async def take(settings: Settings, tenant: str, wish: Wish, file: Path) -> tuple[int, int]:
    """Write the file with a bar of progress; answers its rows and bytes. It is there whole, or not at all."""
    from broadstreet.access import Access
    from broadstreet.app.reach import reach_engines
    from broadstreet.exports import Exports
    from broadstreet.store import Store

    part, rows, size = file.with_name(file.name + HALF_WRITTEN), 0, 0
    async with (
        reach_engines(settings) as addresses,
        await Store.connect(addresses.postgres_dsn, files=settings.past_path) as store,
    ):
        exports = Exports(store, Access(store.control, now_us))
        made = exports.stream(await store.tenant(tenant), here(tenant), wish, now_us())
        with bar() as progress, part.open("wb") as target:
            task = progress.add_task(file.name, total=1.0, rows=0)
            try:
                async with aclosing(made):
                    async for piece in made:
                        target.write(piece.data)
                        rows, size = piece.rows, size + len(piece.data)
                        progress.update(task, completed=piece.share, rows=rows)
            except BaseException:
                part.unlink()
                raise
    part.replace(file)
    return rows, size


def bar() -> Progress:
    """A bar of progress by share."""
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)
