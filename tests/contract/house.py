"""The application as a house runs it, put together from services on test engines."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from litestar import Litestar

from broadstreet.apis import Services
from broadstreet.app import Settings
from broadstreet.app.api import Ingest, compose
from broadstreet.jobs import Jobs
from broadstreet.portal import Portal, PortalSettings


def portal_of(services: Services, data_dir: Path, origin: str = "", *, is_behind_proxy: bool = False) -> Portal:
    """The portal of a house whose data folder is `data_dir`. Its client is looked for in `data_dir/client`."""
    settings = PortalSettings(
        data_dir,
        mqtt_host="127.0.0.1",
        mqtt_port=1883,
        watermark_bytes=1_000_000,
        origin=origin,
        is_behind_proxy=is_behind_proxy,
        client=data_dir / "client",
    )
    return Portal(services.store, services.log, services.access, services.registry, settings)


def whole_app(services: Services, portal: Portal) -> Litestar:
    """Every route of the house."""
    jobs = Jobs(services.store, portal.settings.data_dir / "exports", services.clock, os.urandom)
    services = replace(services, jobs=jobs)
    return compose(services, portal, Ingest(Settings(), services.store, services.log).taker)
