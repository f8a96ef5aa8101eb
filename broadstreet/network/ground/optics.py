"""How much light is lost on the way, and how much may be: optical classes, fibre, splices, connectors, splitters.

Losses are decibels, the greatest that a part may have, so that a path which holds on paper holds in the street. A class
also has a least loss: light that is too strong blinds the receiver. Each value names where it is from.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from broadstreet.network.ground.catalogue import Count, Word, default_sheet
from broadstreet.network.ground.sheet import parse_sheet, read_sheet

Decibels = Annotated[float, Meta(ge=0, le=60)]
Wavelength = Annotated[int, Meta(ge=1200, le=1700)]
"""In nanometres."""

BitRate = Annotated[float, Meta(gt=0, le=10_000_000)]
"""In millions of bits a second."""


class OpticalClass(msgspec.Struct, frozen=True, kw_only=True):
    """Between which losses a path must lie, how long its fibre may be, and how fast the line is: the bits that its
    standard sends, before coding and framing; None: nobody says. is_shared: whether customers have a fibre together."""

    least_loss_db: Decibels
    most_loss_db: Decibels
    longest_m: Annotated[float, Meta(gt=0, le=200_000)]
    wavelengths_nm: Annotated[list[Wavelength], Meta(min_length=1, max_length=8)]
    source: Word
    down_mbit_per_s: BitRate | None = None
    up_mbit_per_s: BitRate | None = None
    is_shared: bool = True

    def __post_init__(self) -> None:
        if self.least_loss_db >= self.most_loss_db:
            raise ValueError(f"least_loss_db ({self.least_loss_db}) is not under most_loss_db ({self.most_loss_db})")


class Fibre(msgspec.Struct, frozen=True, kw_only=True):
    """What a kilometre loses at one wavelength."""

    loss_db_per_km: Annotated[float, Meta(gt=0, le=5)]
    source: Word


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What light loses on its way through one part."""

    loss_db: Decibels
    source: Word


class Optics(msgspec.Struct, frozen=True, kw_only=True):
    """Fibre is by wavelength (nm), splitters by their ratio. `margin_db`: kept for repairs and age."""

    title: Word
    margin_db: Decibels
    classes: dict[Word, OpticalClass]
    fibre: dict[Wavelength, Fibre]
    splice: Part
    connector: Part
    splitter: dict[Count, Part]

    def __post_init__(self) -> None:
        for name, wanted in self.classes.items():
            for wavelength in wanted.wavelengths_nm:
                if wavelength not in self.fibre:
                    raise ValueError(f"classes.{name}: fibre.{wavelength} is missing, so its loss is not known there")

    def worst_db_per_km(self, optical_class: str) -> float:
        """The greatest loss of a kilometre among the class's wavelengths."""
        return max(self.fibre[nm].loss_db_per_km for nm in self.classes[optical_class].wavelengths_nm)


def read_optics(path: Path) -> Optics:
    """The optics that a TOML file holds. Raises InvalidInput with every fault and its place."""
    return read_sheet(path, Optics)


@cache
def default_optics() -> Optics:
    """The classes of G-PON, XGS-PON and Ethernet, and losses as the standards bound them."""
    return parse_sheet(default_sheet("optics.toml"), Optics, "the optics that come with Broadstreet")
