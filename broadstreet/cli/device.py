"""`broadstreet device …`: devices, one to run oneself among them."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from broadstreet.cli import device_import, device_key, device_prepare, device_switch
from broadstreet.cli.options import wait_for

SECRET_VARIABLE = "BROADSTREET_DEVICE_SECRET"
KEY_VARIABLE = "BROADSTREET_PROVISIONING_KEY"

app = typer.Typer(help="Devices: one of one's own to run, and how new ones come in.", no_args_is_help=True)
app.add_typer(device_key.app, name="key")
app.command("import")(device_import.import_devices)
app.command()(device_prepare.prepare)
app.command()(device_switch.disable)
app.command()(device_switch.enable)


class Spoken(StrEnum):
    """Versions of MQTT."""

    V5 = "5"
    V3_1_1 = "3.1.1"


@app.command()
def run(
    folder: Annotated[Path, typer.Option(help="Its own folder: what waits, what it was told, its credential.")] = Path(
        "device"
    ),
    house: Annotated[
        str, typer.Option(metavar="URL", help="The house: mqtt://, mqtts://, http:// or https://.")
    ] = "mqtt://127.0.0.1:1883",
    device: Annotated[str | None, typer.Option("--id", help="Who it is; needed once.")] = None,
    secret: Annotated[
        str | None, typer.Option(envvar=SECRET_VARIABLE, help="Its secret; needed once.", show_envvar=False)
    ] = None,
    key: Annotated[
        str | None, typer.Option(envvar=KEY_VARIABLE, help="Its fleet's provisioning key.", show_envvar=False)
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="Certificates to trust, in place of the machine's own.")] = None,
    mqtt: Annotated[Spoken, typer.Option(help="The version of MQTT.")] = Spoken.V5,
    simulate: Annotated[str, typer.Option(metavar="KIND", help="A simulated sensor of this kind.")] = "air-quality",
    readings: Annotated[
        str | None, typer.Option(metavar="FILE", help="Readings from a CSV or NDJSON file; - for standard input.")
    ] = None,
    every: Annotated[float | None, typer.Option(min=0.001, metavar="SECONDS", help="How often it reports.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many readings of a sensor.")] = None,
    time_field: Annotated[str, typer.Option(help="Where in a payload its time stands, as the profile says.")] = "ts",
    keep: Annotated[int, typer.Option(min=1, help="How many readings may wait on disk.")] = 100_000,
) -> None:
    """Be a device: send readings, keep them over outages, do what the house orders, once. Ctrl-C ends it."""
    from broadstreet.app.device import DeviceWish, run_device
    from broadstreet.mqtt import Version

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    version = Version.V5 if mqtt is Spoken.V5 else Version.V3_1_1
    wish = DeviceWish(
        folder, house, device, secret, ca, version, simulate, readings, every, count, time_field, keep, key
    )
    wait_for(run_device(wish))
