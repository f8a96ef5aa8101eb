"""`broadstreet dead …`: messages that could not be applied: look at them, replay them, discard them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.table import Column, Table

from broadstreet.cli.console import console
from broadstreet.cli.importing import here, now_us
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.devices import Letters

T = TypeVar("T")

LISTED: Final = 50

app = typer.Typer(
    help="Dead letters: messages that could not be applied, kept whole with the reason.", no_args_is_help=True
)


Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Letters, as the list shows them.")]
All = Annotated[bool, typer.Option("--all", help="All letters, or all that the next options choose.")]
Device = Annotated[str | None, typer.Option("--device", help="Those of one device.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Those of one reason, such as 'no known field'.")]
Profile = Annotated[str | None, typer.Option("--profile", help="Those of a profile, such as 'air' or 'air 3'.")]
Why = Annotated[str, typer.Option("--why", help="Why, for the audit.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Whose letters.")]


def with_letters(data_dir: Path | None, settings: Path | None, work: Callable[[Letters], Coroutine[Any, Any, T]]) -> T:
    """What a piece of work on the dead letters of a data folder answers, whether its house runs or not."""
    chosen = house_settings(data_dir, settings)

    async def reach() -> T:
        from broadstreet.access import Access
        from broadstreet.app.reach import reach_engines
        from broadstreet.devices import Letters
        from broadstreet.log import Log
        from broadstreet.store import Store

        async with (
            reach_engines(chosen) as addresses,
            await Store.connect(addresses.postgres_dsn) as store,
            await Log.connect(addresses.nats_url, name="broadstreet dead") as log,
        ):
            return await work(Letters(log, Access(store.control, now_us).audit, partitions=chosen.log.partitions))

    return wait_for(reach())


@app.command("list")
def list_letters(
    device: Device = None,
    reason: Reason = None,
    profile: Profile = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = LISTED,
    before: Annotated[int | None, typer.Option(help="Where to go on, as the page before says.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """The newest letters, with the reason of each."""
    from broadstreet.devices import Wanted
    from broadstreet.model.clock import format_rfc3339

    wanted = Wanted(device=device, reason=reason, profile=profile)
    page = with_letters(data_dir, settings, lambda letters: letters.page(tenant, wanted, before=before, limit=limit))
    table = Table(Column("id", no_wrap=True), "received", "device", "profile", "reason", "detail", box=None)
    for one in page.letters:
        letter = one.letter
        received = format_rfc3339(letter.received_us)[:19]
        table.add_row(one.id, received, letter.device, letter.profile, letter.reason, letter.detail)
    console.print(table if page.letters else "No letter found.")
    if page.before is not None:
        console.print(f"Older ones: --before {page.before}")


@app.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="The letter, as the list shows it.")],
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """One letter, with its whole payload."""
    from broadstreet.model.clock import format_rfc3339

    found = with_letters(data_dir, settings, lambda letters: letters.find(tenant, letter)).letter
    for name, value in (
        ("received", format_rfc3339(found.received_us)),
        ("device", found.device or f"unknown, key {found.device_key}"),
        ("profile", found.profile or "none"),
        ("reason", found.reason),
        ("detail", found.detail),
        ("topic", found.topic),
    ):
        console.print(f"{name:<10}{value}", markup=False, soft_wrap=True)
    console.print(found.payload.decode(errors="backslashreplace"), markup=False, soft_wrap=True)


@app.command()
def replay(
    why: Why,
    ids: Ids = None,
    everything: All = False,
    device: Device = None,
    reason: Reason = None,
    profile: Profile = None,
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Send letters through the recorder again, under the time at which they came. Each is applied once."""
    settle(data_dir, settings, tenant, ids, everything, (device, reason, profile), why, is_replay=True)


@app.command()
def discard(
    why: Why,
    ids: Ids = None,
    everything: All = False,
    device: Device = None,
    reason: Reason = None,
    profile: Profile = None,
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Delete letters for good."""
    settle(data_dir, settings, tenant, ids, everything, (device, reason, profile), why, is_replay=False)


def settle(
    data_dir: Path | None,
    settings: Path | None,
    tenant: str,
    ids: list[str] | None,
    everything: bool,
    chosen: tuple[str | None, str | None, str | None],
    why: str,
    *,
    is_replay: bool,
) -> None:
    """Settle letters, and tell how many were, and which were left."""
    from broadstreet.devices import Wanted

    if everything == bool(ids):
        raise typer.BadParameter("name letters by their ids, or all with --all")
    device, reason, profile = chosen
    wanted, by = Wanted(device=device, reason=reason, profile=profile), here(tenant)

    async def work(letters: Letters) -> tuple[int, list[tuple[str, str]]]:
        if ids:
            done = await letters.settle_some(by, now_us(), ids, why=why, is_replay=is_replay)
            return done.settled, done.left
        done = await letters.settle_all(by, now_us(), wanted, why=why, is_replay=is_replay)
        settled, left = done.settled, done.left
        while done.after is not None:
            done = await letters.settle_all(
                by, now_us(), wanted, why=why, is_replay=is_replay, after=done.after, until=done.until
            )
            settled, left = settled + done.settled, left + done.left
        return settled, left

    settled, left = with_letters(data_dir, settings, work)
    console.print(f"{settled:,} letters {'replayed' if is_replay else 'discarded'}.")
    for letter, words in left:
        console.print(f"  {letter} was left: {words}", soft_wrap=True)
