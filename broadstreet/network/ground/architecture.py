"""How premises are reached: by a passive optical network with one or two stages of splitters, or each by its own fibre.

`splitters` are the ratios from the central office outwards: `[32]` is one splitter in the cabinet, `[4, 8]` one of four
ways in the cabinet and, behind each of them, one of eight near the premises. A point-to-point network has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.catalogue import Catalogue, Word, default_sheet
from broadstreet.network.ground.optics import Optics
from broadstreet.network.ground.sheet import parse_sheet, read_sheet

MAX_SPLIT: Final = 128
"""The most premises on one fibre of the central office (ITU-T G.984.1, 8.1: logical support for up to 1:128)."""
MAX_STAGES: Final = 2

Share = Annotated[float, Meta(ge=0, le=2)]
Metres = Annotated[float, Meta(gt=0, le=200_000)]


class Kind(StrEnum):
    """PON shares a fibre of the central office among premises; point-to-point gives each its own."""

    PON = "pon"
    POINT_TO_POINT = "point_to_point"


class Architecture(msgspec.Struct, frozen=True, kw_only=True):
    """Spare shares are of what is needed: 0.2 lays 12 fibres where 10 are used. Lengths are along the ways, in
    metres."""

    title: Word
    kind: Kind
    splitters: Annotated[list[Annotated[int, Meta(ge=2, le=MAX_SPLIT)]], Meta(max_length=MAX_STAGES)]
    optical_class: Word
    fibres_per_premises: Annotated[int, Meta(ge=1, le=24)]
    connectors: Annotated[int, Meta(ge=0, le=20)]
    spare_feeder: Share
    spare_distribution: Share
    spare_cabinet: Share
    longest_way_m: Metres
    longest_distribution_m: Metres
    longest_drop_m: Metres

    def __post_init__(self) -> None:
        if self.kind is Kind.PON and not self.splitters:
            raise ValueError("splitters: a PON has one or two stages of splitters, such as [32] or [4, 8]")
        if self.kind is Kind.POINT_TO_POINT and self.splitters:
            raise ValueError("splitters: a point-to-point network has none: write []")
        if self.split > MAX_SPLIT:
            raise ValueError(f"splitters: {self.split} premises on one fibre are over the bound of {MAX_SPLIT}")

    @property
    def split(self) -> int:
        """How many premises share a fibre of the central office; 1 where none do."""
        return math.prod(self.splitters)


def read_architecture(path: Path) -> Architecture:
    """The architecture that a TOML file holds. Raises InvalidInput with every fault and its place."""
    return read_sheet(path, Architecture)


@cache
def default_architecture() -> Architecture:
    """A PON that shares a fibre among 32, split in the cabinet."""
    return parse_sheet(default_sheet("architecture.toml"), Architecture, "the architecture that comes with Broadstreet")


def check_architecture(architecture: Architecture, catalogue: Catalogue, optics: Optics) -> None:
    """Raises InvalidInput where the architecture asks for what has no price, no loss or no class."""
    for ratio in architecture.splitters:
        if ratio not in catalogue.splitter:
            _refuse(f"a splitter of {ratio} has no price", f"splitter.{ratio} of the catalogue", catalogue.splitter)
        if ratio not in optics.splitter:
            _refuse(f"a splitter of {ratio} has no loss", f"splitter.{ratio} of the optics", optics.splitter)
    if architecture.optical_class not in optics.classes:
        name = architecture.optical_class
        _refuse(f"there is no optical class {name}", "optical_class of the architecture", optics.classes)


def _refuse(message: str, where: str, known: Iterable[object]) -> None:
    names = ", ".join(str(name) for name in known)
    raise InvalidInput(message, where=where, remedy=f"Add it, or choose among: {names}.")
