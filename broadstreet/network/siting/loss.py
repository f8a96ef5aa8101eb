"""What is lost between a place and a gateway, and how long a message is on the air: formulas of `radio`'s models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from broadstreet.network.siting.radio import VALID, PathLoss, Radio

BANDWIDTH_HZ: Final = 125_000
PREAMBLE_SYMBOLS: Final = 8
HEADER_BYTES: Final = 13
"""What LoRaWAN adds to a message: header, port and check (RP002-1.0.3, and LoRaWAN 1.0.4, 4)."""
LOW_RATE_FROM: Final = 11
"""From this spreading factor on symbols are so long that the low data rate's mode is used."""


def margin_db(radio: Radio) -> float:
    """What is held back: shadows' quantile, and the reserve."""
    return NormalDist().inv_cdf(radio.certainty) * VALID[radio.model].shadow_db + radio.reserve_db


def loss_db(radio: Radio, metres: float, gateway_height_m: float) -> float:
    """The median loss over a distance along the ground, by the radio's model."""
    valid = VALID[radio.model]
    ground_m = max(metres, valid.nearest_m)
    height_m, ghz = radio.sensor_height_m, radio.frequency_ghz
    straight_m = math.hypot(ground_m, gateway_height_m - height_m)
    if radio.model is PathLoss.UMA:
        return 13.54 + 39.08 * math.log10(straight_m) + 20 * math.log10(ghz) - 0.6 * (height_m - 1.5)
    if radio.model is PathLoss.UMI:
        return 22.4 + 35.3 * math.log10(straight_m) + 21.3 * math.log10(ghz) - 0.3 * (height_m - 1.5)
    if radio.model is PathLoss.OULU:
        return 128.95 + 23.2 * math.log10(ground_m / 1000)
    mhz, high = ghz * 1000, math.log10(gateway_height_m)
    for_height = 3.2 * math.log10(11.75 * height_m) ** 2 - 4.97
    slope = 44.9 - 6.55 * high
    return 69.55 + 26.16 * math.log10(mhz) - 13.82 * high - for_height + slope * math.log10(ground_m / 1000)


def airtime_s(factor: int, payload_bytes: int) -> float:
    """How long a message is on the air (Semtech AN1200.13): explicit header, check, coding rate 4/5."""
    low_rate = int(factor >= LOW_RATE_FROM)
    bits = 8 * (payload_bytes + HEADER_BYTES) - 4 * factor + 28 + 16
    symbols = 8 + max(0, math.ceil(bits / (4 * (factor - 2 * low_rate)))) * 5
    return (PREAMBLE_SYMBOLS + 4.25 + symbols) * float(2**factor) / BANDWIDTH_HZ


@dataclass(frozen=True, slots=True)
class Hearing:
    """By which gateway a place is heard best, how far away, the loss, and with which spreading factor; spare_db: what
    is left over at that factor beside the margin. Without a factor: why not."""

    gateway: str
    metres: float
    loss_db: float
    factor: int | None
    spare_db: float
    why: str
