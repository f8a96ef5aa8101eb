"""`broadstreet device disable` and `device enable`: shut a device out, and let it in again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broadstreet.cli.console import console
from broadstreet.cli.importing import here, now_us
from broadstreet.cli.options import DataDir, SettingsFile
from broadstreet.cli.reaching import in_store
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.access import Access
    from broadstreet.store import Store

Devices = Annotated[list[str], typer.Argument(metavar="ID…", help="Devices by their ids.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Whose devices.")]


def disable(
    devices: Devices, tenant: Tenant = DEFAULT_TENANT, data_dir: DataDir = None, settings: SettingsFile = None
) -> None:
    """Refuse devices from now on, and end their connections. Their entities and their past stay."""
    switch(devices, tenant, data_dir, settings, is_in=False)
    console.print(f"{len(devices):,} disabled")


def enable(
    devices: Devices, tenant: Tenant = DEFAULT_TENANT, data_dir: DataDir = None, settings: SettingsFile = None
) -> None:
    """Let disabled devices in again, under the secrets they have."""
    switch(devices, tenant, data_dir, settings, is_in=True)
    console.print(f"{len(devices):,} enabled")


def switch(devices: list[str], tenant: str, data_dir: Path | None, settings: Path | None, *, is_in: bool) -> None:
    """Let devices in or shut them out, one after the other. Raises NotFound at the first that is none."""

    async def work(store: Store, access: Access) -> None:
        from broadstreet.devices import Registry

        registry, database, at_us = Registry(store), await store.tenant(tenant), now_us()
        for device in devices:
            await registry.disable(database, device, None if is_in else at_us)
            did = "device.enable" if is_in else "device.disable"
            await access.audit.record(at_us, here(tenant).name, did, device, tenant=tenant)

    in_store(data_dir, settings, work)
