"""What a sensor costs, what power and connection cost it, and how its radio is reckoned: a sheet (TOML) to be edited.

A sensor is paid for over `years`. What is paid month by month counts by its present value: each month's price at the
end of the month, discounted by the yearly `interest`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from broadstreet.network.ground.catalogue import Each, Word
from broadstreet.network.ground.sheet import Cents, parse_sheet, read_sheet
from broadstreet.network.siting.radio import Radio


class Service(Each, frozen=True, kw_only=True):
    """What is bought and built in once, and paid every month from then on."""

    per_month: Cents


class SensorPrices(msgspec.Struct, frozen=True, kw_only=True):
    """power: by what the sensor stands on. fibre: what stands at its end, beside trench, duct, cable and drop, which
    are the ground's catalogue's."""

    title: Word
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    years: Annotated[float, Meta(gt=0, le=50)]
    interest: Annotated[float, Meta(ge=0, le=1)]
    sensor: Service
    power: dict[Word, Service]
    fibre: Service
    lorawan: Service
    mobile: Service
    radio: Radio


def read_sensor_prices(path: Path) -> SensorPrices:
    """The sheet that a TOML file holds. Raises InvalidInput with every fault and its place."""
    return read_sheet(path, SensorPrices)


@cache
def default_sensor_prices() -> SensorPrices:
    """The sheet that comes with Broadstreet."""
    return parse_sheet(sensor_sheet(), SensorPrices, "the sensors' prices that come with Broadstreet")


def sensor_sheet() -> bytes:
    """The sheet that comes with Broadstreet, as it stands: to begin one's own from."""
    return (resources.files("broadstreet.network.siting") / "defaults" / "sensors.toml").read_bytes()
