"""Whether LoRaWAN reaches a place: how much is lost on the way to a gateway, by a stated model, and what is left over.

Four models, each with the range it was made for, beyond which it is not asked; d is in metres, f in gigahertz:

* `uma-nlos`, `umi-nlos`: 3GPP TR 38.901 (release 18), table 7.4.1-1, no line of sight, gateways over the roofs (25 m)
  or below them (10 m): 13.54 + 39.08 log d₃ + 20 log f − 0.6 (h − 1.5), and 22.4 + 35.3 log d₃ + 21.3 log f − 0.3 (h −
  1.5); shadows of 6 and 7.82 dB. Within their range these are never less than the loss with a line of sight.
* `hata-urban`: Hata 1980, a large city from 300 MHz on: for gateways 30 to 200 m high and 1 to 20 km away.
* `oulu`: what Petäjäjärvi and others measured with LoRa at 868 MHz in Oulu (ITST 2015): 128.95 + 23.2 log(d / 1 km),
  shadows of 7.8 dB; to 15 km.

Nearer than a model goes, a place is taken to be as far as its range begins. A share of places, `certainty`, is to hear
the gateway: shadows are normal in decibels, so that their quantile is held back as a margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from broadstreet.network.ground.catalogue import Count, Word

MOST_EIRP_DBM: Final = 16.15
"""EU868's bound: 14 dBm over a dipole (RP002-1.0.3, 2.4; EN 300 220)."""


class PathLoss(StrEnum):
    """The models."""

    UMA = "uma-nlos"
    UMI = "umi-nlos"
    HATA = "hata-urban"
    OULU = "oulu"


@dataclass(frozen=True, slots=True)
class Validity:
    """What a model was made for: metres along the ground, gateways' and sensors' heights, gigahertz; its shadows."""

    nearest_m: float
    farthest_m: float
    gateway_m: tuple[float, float]
    sensor_m: tuple[float, float]
    ghz: tuple[float, float]
    shadow_db: float


VALID: Final = {
    # Gateways' heights are 25 and 10 m in the report; a roof is seldom just that, and d₃ takes account of it.
    PathLoss.UMA: Validity(10, 5_000, (15, 50), (1.5, 22.5), (0.5, 100), 6.0),
    PathLoss.UMI: Validity(10, 5_000, (5, 15), (1.5, 22.5), (0.5, 100), 7.82),
    PathLoss.HATA: Validity(1_000, 20_000, (30, 200), (1, 10), (0.3, 1.5), 8.0),
    PathLoss.OULU: Validity(100, 15_000, (10, 50), (1, 10), (0.86, 0.88), 7.8),
}


class Spreading(msgspec.Struct, frozen=True, kw_only=True):
    """What a spreading factor makes of it: the weakest signal that is understood, and the longest message."""

    sensitivity_dbm: Annotated[float, Meta(ge=-160, le=-80)]
    longest_bytes: Annotated[int, Meta(ge=1, le=242)]


class Radio(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor's radio and how its way to a gateway is reckoned. reserve_db: kept beside the shadows', for interference
    and age. duty: which share of the time a sensor may send."""

    model: PathLoss
    frequency_ghz: Annotated[float, Meta(gt=0.1, le=3)]
    power_dbm: Annotated[float, Meta(ge=-10, le=30)]
    antenna_dbi: Annotated[float, Meta(ge=-20, le=10)]
    gateway_antenna_dbi: Annotated[float, Meta(ge=-20, le=20)]
    gateway_cable_db: Annotated[float, Meta(ge=0, le=20)]
    sensor_height_m: Annotated[float, Meta(gt=0, le=100)]
    certainty: Annotated[float, Meta(ge=0.5, le=0.999)]
    reserve_db: Annotated[float, Meta(ge=0, le=40)]
    duty: Annotated[float, Meta(gt=0, le=1)]
    spreading: dict[Count, Spreading]
    source: Word

    def __post_init__(self) -> None:
        valid = VALID[self.model]
        if self.power_dbm + self.antenna_dbi > MOST_EIRP_DBM + 1e-9:
            raise ValueError(
                f"{self.power_dbm:g} dBm with {self.antenna_dbi:g} dBi are over {MOST_EIRP_DBM:g} dBm EIRP"
            )
        if not valid.ghz[0] <= self.frequency_ghz <= valid.ghz[1]:
            raise ValueError(f"{self.model} is for {valid.ghz[0]:g} to {valid.ghz[1]:g} GHz")
        if not valid.sensor_m[0] <= self.sensor_height_m <= valid.sensor_m[1]:
            raise ValueError(f"{self.model} is for sensors {valid.sensor_m[0]:g} to {valid.sensor_m[1]:g} m high")
        if not set(self.spreading) <= set(range(7, 13)):
            raise ValueError("spreading factors are 7 to 12")
