"""`broadstreet certificate …`: certificates by which devices sign in to MQTT over TLS."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Column, Table

from broadstreet.cli.account import BY
from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.access.audit import Audit
    from broadstreet.devices import Certificates
    from broadstreet.store import Database

T = TypeVar("T")

app = typer.Typer(
    help="Certificates by which devices sign in to MQTT over TLS, in place of their secrets.", no_args_is_help=True
)

Device = Annotated[str, typer.Argument(metavar="DEVICE", help="The device's id.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Whose device.")]


def with_certificates(
    data_dir: Path | None,
    settings: Path | None,
    tenant: str,
    work: Callable[[Certificates, Database, Audit, int], Coroutine[Any, Any, T]],
) -> T:
    """What a piece of work on the certificates of a data folder answers, whether its house runs or not."""
    chosen = house_settings(data_dir, settings)

    async def reach() -> T:
        from broadstreet.access import Access
        from broadstreet.app.clock import now_us
        from broadstreet.app.reach import reach_engines
        from broadstreet.devices import Certificates
        from broadstreet.store import Store

        async with reach_engines(chosen) as addresses, await Store.connect(addresses.postgres_dsn) as store:
            certificates = Certificates(store, chosen.data_path, now_us)
            audit = Access(store.control, now_us).audit
            return await work(certificates, await store.tenant(tenant), audit, now_us())

    return wait_for(reach())


@app.command()
def create(
    device: Device,
    folder: Annotated[Path, typer.Option(help="Where to leave DEVICE.crt, authority.crt, and DEVICE.key.")] = Path(),
    request: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A signing request (PEM) of the device's own key; no key is made."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="How long it holds.")] = 398,
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Make a certificate for a device. Its key, where one is made, is written once, closed to others."""
    from broadstreet.devices import CertificateWish, NewCertificate
    from broadstreet.engines import write_private
    from broadstreet.model.clock import format_rfc3339
    from broadstreet.model.errors import InvalidInput

    try:
        wish = CertificateWish(None if request is None else request.read_text(encoding="ascii"), days)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"the signing request cannot be read: {error}", where=str(request)) from None

    async def work(certificates: Certificates, database: Database, audit: Audit, at_us: int) -> NewCertificate:
        made = await certificates.issue(database, device, wish, by=BY, at_us=at_us)
        await audit.record(at_us, BY, "device.certificate", device, tenant=database.name)
        return made

    made = with_certificates(data_dir, settings, tenant, work)
    written = {f"{device}.crt": made.certificate, "authority.crt": made.authority}
    if made.key is not None:
        written[f"{device}.key"] = made.key
    for name, pem in written.items():
        write_private(folder / name, pem.encode())
    console.print(f"{', '.join(written)} in {folder}, good until {format_rfc3339(made.expires_us)[:10]}")
    console.print(made.fingerprint, soft_wrap=True)


@app.command("list")
def list_certificates(
    device: Device, tenant: Tenant = DEFAULT_TENANT, data_dir: DataDir = None, settings: SettingsFile = None
) -> None:
    """A device's certificates, newest first."""
    from broadstreet.devices import CertificateRow
    from broadstreet.model.clock import format_rfc3339

    async def work(certificates: Certificates, database: Database, _: Audit, __: int) -> list[CertificateRow]:
        return await certificates.list(database, device)

    table = Table(Column("fingerprint", no_wrap=True), "made by", "made", "holds until", "revoked", box=None)
    for row in with_certificates(data_dir, settings, tenant, work):
        days = [
            "" if at_us is None else format_rfc3339(at_us)[:10]
            for at_us in (row.created_us, row.expires_us, row.revoked_us)
        ]
        table.add_row(row.fingerprint, row.created_by, *days)
    console.print(table)


@app.command()
def revoke(
    device: Device,
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="Which one, as the list shows it.")],
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """End a certificate, and the connections that stand by it."""

    async def work(certificates: Certificates, database: Database, audit: Audit, at_us: int) -> None:
        await certificates.revoke(database, device, fingerprint, at_us=at_us)
        await audit.record(at_us, BY, "device.certificate.revoke", device, tenant=database.name)

    with_certificates(data_dir, settings, tenant, work)
