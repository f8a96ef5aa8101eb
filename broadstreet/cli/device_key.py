"""`broadstreet device key …`: the keys by which a fleet's new devices come to credentials of their own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.table import Column, Table

from broadstreet.cli.console import console
from broadstreet.cli.importing import here, now_us
from broadstreet.cli.options import DataDir, SettingsFile
from broadstreet.cli.reaching import in_store
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.access import Access
    from broadstreet.access.audit import Audit
    from broadstreet.devices import Provisioning
    from broadstreet.store import Database, Store

T = TypeVar("T")

DAY_S: Final = 86_400

app = typer.Typer(
    help="Provisioning keys: by them a fleet's new devices come to credentials of their own.", no_args_is_help=True
)

Tenant = Annotated[str, typer.Option("--tenant", help="Whose devices.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")]


def with_keys(
    data_dir: Path | None,
    settings: Path | None,
    tenant: str,
    work: Callable[[Provisioning, Database, Audit], Coroutine[Any, Any, T]],
) -> T:
    """What a piece of work on the keys of a data folder answers, whether its house runs or not."""

    async def at_hand(store: Store, access: Access) -> T:
        from broadstreet.devices import Provisioning, Registry

        provisioning = Provisioning(store, Registry(store), access.audit)
        return await work(provisioning, await store.tenant(tenant), access.audit)

    return in_store(data_dir, settings, at_hand)


@app.command()
def create(
    name: Name,
    profile: Annotated[str, typer.Option(help="What its devices are: a profile.")],
    devices: Annotated[int, typer.Option(min=1, help="How many it lets in.")],
    pattern: Annotated[str, typer.Option(help="Which hardware ids: * and ? stand for others.")] = "*",
    days: Annotated[int, typer.Option(min=1, help="How long it holds.")] = 30,
    place: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LON LAT", help="Where a device stands that does not say where it is."),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Whose data its devices give.")] = None,
    renews: Annotated[bool, typer.Option("--renews", help="A device that was heard may have another secret.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Make a key. It is shown this once, alone on the last line."""
    from broadstreet.devices import KeySpec

    lon, lat = place or (None, None)
    spec = KeySpec(
        name=name,
        profile=profile,
        max_devices=devices,
        pattern=pattern,
        dataset=dataset,
        lon=lon,
        lat=lat,
        renews=renews,
        lifetime_s=days * DAY_S,
    )

    async def make(provisioning: Provisioning, database: Database, audit: Audit) -> str:
        by = here(tenant).name
        made = await provisioning.create(database, spec, by=by, at_us=now_us())
        await audit.record(now_us(), by, "provisioning-key.create", name, tenant=tenant)
        return made.secret

    console.print(with_keys(data_dir, settings, tenant, make), soft_wrap=True)


@app.command("list")
def list_keys(tenant: Tenant = DEFAULT_TENANT, data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """The keys, without their secrets, with how many devices each has let in."""
    from broadstreet.model.clock import format_rfc3339

    keys = with_keys(data_dir, settings, tenant, lambda provisioning, database, _: provisioning.list(database.name))
    table = Table(Column("name", no_wrap=True), "profile", "pattern", "devices", "holds until", "revoked", box=None)
    for key in keys:
        ended = "" if key.revoked_us is None else format_rfc3339(key.revoked_us)[:10]
        taken = f"{key.devices} of {key.max_devices}"
        table.add_row(key.name, key.profile, key.pattern, taken, format_rfc3339(key.expires_us)[:10], ended)
    console.print(table if keys else "There is no provisioning key.")


@app.command()
def revoke(
    name: Name, tenant: Tenant = DEFAULT_TENANT, data_dir: DataDir = None, settings: SettingsFile = None
) -> None:
    """End a key. The devices that it has let in stay."""

    async def end(provisioning: Provisioning, database: Database, audit: Audit) -> None:
        await provisioning.revoke(database.name, name, now_us())
        await audit.record(now_us(), here(tenant).name, "provisioning-key.revoke", name, tenant=tenant)

    with_keys(data_dir, settings, tenant, end)
