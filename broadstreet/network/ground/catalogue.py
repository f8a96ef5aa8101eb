"""What things cost: the catalogue that a plan is priced with.

A catalogue is a sheet (TOML) of prices, labour and material apart. Prices are whole cents of one currency and are held
against whatever they are multiplied by at the end: metres, pieces, streets. `default_catalogue()` is the one that comes
with Broadstreet, with prices as they are plausible in a European city; a real plan is made with one's own.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from broadstreet.network.ground.sheet import Cents, parse_sheet, read_sheet

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Word = Annotated[str, Meta(min_length=1, max_length=100)]


class Surface(StrEnum):
    """What is opened to lay a duct, and made good again."""

    ASPHALT = "asphalt"
    CONCRETE = "concrete"
    PAVING = "paving"
    SETT = "sett"
    UNPAVED = "unpaved"
    GRASS = "grass"
    STEPS = "steps"
    BRIDGE = "bridge"


SURFACES: Final = tuple(Surface)


class PerMetre(msgspec.Struct, frozen=True, kw_only=True):
    """What a metre costs."""

    labour_per_m: Cents
    material_per_m: Cents

    @property
    def per_m_cents(self) -> int:
        return self.labour_per_m + self.material_per_m


class Each(msgspec.Struct, frozen=True, kw_only=True):
    """What one of a kind costs, built in."""

    labour_each: Cents
    material_each: Cents

    @property
    def each_cents(self) -> int:
        return self.labour_each + self.material_each


class Trenches(msgspec.Struct, frozen=True, kw_only=True):
    """Opening, bedding, filling and making good, by surface. `bridge`: a duct fixed to the structure."""

    asphalt: PerMetre
    concrete: PerMetre
    paving: PerMetre
    sett: PerMetre
    unpaved: PerMetre
    grass: PerMetre
    steps: PerMetre
    bridge: PerMetre

    def of(self, surface: Surface) -> PerMetre:
        found: PerMetre = getattr(self, surface.value)
        return found


class Crossings(msgspec.Struct, frozen=True, kw_only=True):
    """What crossing costs once, beside the metres: a carriageway, tram tracks, a railway, water."""

    street: Each
    tram: Each
    railway: Each
    water: Each


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """What the city asks for: once for each named street that is dug, and for each metre of trench."""

    each_street: Cents
    permit_per_m: Cents


class Duct(PerMetre, frozen=True, kw_only=True):
    """A duct or bundle of tubes: how many cables it takes, each of how many fibres at most."""

    cables: Count
    largest_cable_fibres: Count


class Cabinet(Each, frozen=True, kw_only=True):
    """A cabinet or chamber; its name is how many premises' fibres it takes. Splitters: how many find room in it."""

    splitters: Annotated[int, Meta(ge=0, le=100_000)]


class Drop(Each, frozen=True, kw_only=True):
    """From the way to the customer's socket: what it costs whatever its length, and each metre."""

    labour_per_m: Cents
    material_per_m: Cents

    def cents(self, length_m: float) -> int:
        """The whole drop, in whole cents."""
        return self.each_cents + round(length_m * (self.labour_per_m + self.material_per_m))


class CentralOffice(Each, frozen=True, kw_only=True):
    """A room with racks and power, how many fibres it can end, and what each port of its equipment costs."""

    port_each: Cents
    fibres: Count


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """Using what lies there already: room in a duct, an open trench, spare fibres of a cable."""

    duct: PerMetre
    trench: PerMetre
    fibre: PerMetre


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Every price of a plan. Cables are by their fibres, splitters by their ratio, cabinets and closures by what they
    take."""

    title: Word
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    trench: Trenches
    crossing: Crossings
    permit: Permit
    duct: dict[Word, Duct]
    cable: dict[Count, PerMetre]
    cabinet: dict[Count, Cabinet]
    splitter: dict[Count, Each]
    splice: Each
    closure: dict[Count, Each]
    drop: Drop
    central_office: CentralOffice
    pole_line: PerMetre
    existing: Existing

    def __post_init__(self) -> None:
        widest = max(duct.largest_cable_fibres for duct in self.duct.values())
        if widest < min(self.cable):
            raise ValueError(f"no duct takes a cable: the smallest has {min(self.cable)} fibres, ducts take {widest}")

    def dig_cents_per_m(self, surface: Surface) -> int:
        """A metre of trench in this surface, with the city's permit for it; no duct yet."""
        return self.trench.of(surface).per_m_cents + self.permit.permit_per_m


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue that a TOML file holds. Raises InvalidInput with every fault and its place."""
    return read_sheet(path, Catalogue)


@cache
def default_catalogue() -> Catalogue:
    """The catalogue that comes with Broadstreet."""
    return parse_sheet(default_sheet("catalogue.toml"), Catalogue, "the catalogue that comes with Broadstreet")


def default_sheet(name: str) -> bytes:
    """A sheet that comes with Broadstreet, as it stands: to begin one's own from."""
    return (resources.files("broadstreet.network.ground") / "defaults" / name).read_bytes()
