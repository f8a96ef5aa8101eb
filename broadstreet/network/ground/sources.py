"""The words of what a plan is made from: which files, which column of each says what, which rules.

Each kind of thing has a struct that names columns; one that is None is not there, and what stands for it is said beside
it. These are words alone: who only keeps them, or asks for them over HTTP, needs no package that reads maps.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.assembly import Limits
from broadstreet.network.ground.catalogue import Surface
from broadstreet.network.ground.office import MAX_CANDIDATES, Office
from broadstreet.network.ground.premises import Needs, PremisesKind, Site
from broadstreet.network.ground.rules import Rules


class StreetColumns(msgspec.Struct, frozen=True, kw_only=True):
    """id: by default the feature's number. beside: the street to which a line without a name belongs. surfaces: what
    the layer's own words for surfaces mean."""

    id: str | None = None
    name: str | None = None
    beside: str | None = None
    surface: str | None = None
    surfaces: dict[str, Surface] = {}
    surface_otherwise: Surface = Surface.ASPHALT
    category: str | None = None
    level: str | None = None
    may_dig: str | None = None
    meet_where_they_cross: bool = True


class DemandColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Without columns that count, each feature is one household. A line or area is where its middle is. all_critical:
    each is critical whose column does not say otherwise."""

    id: str | None = None
    label: str | None = None
    persons: str | None = None
    households: str | None = None
    jobs: str | None = None
    fibres: str | None = None
    critical: str | None = None
    all_critical: bool = False
    kind: PremisesKind | None = None


class PlantColumns(msgspec.Struct, frozen=True, kw_only=True):
    """kind: what all of the layer is, or by `kind_column` each feature: duct, trench, pole_line or fibre."""

    id: str | None = None
    label: str | None = None
    kind: str = "duct"
    kind_column: str | None = None
    room: str | None = None


class OfficeColumns(msgspec.Struct, frozen=True, kw_only=True):
    """given: whether it stands already; without it all of the layer are candidates."""

    id: str | None = None
    label: str | None = None
    given: str | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A layer: a file within the folder; the layer's name where it has several; its projection where it says none."""

    file: str
    layer: str | None = None
    crs: str | None = None


class StreetSource(Source, frozen=True, kw_only=True):
    """A layer of streets."""

    columns: StreetColumns = StreetColumns()


class DemandSource(Source, frozen=True, kw_only=True):
    """A layer of premises, or of sites of the city's own."""

    columns: DemandColumns = DemandColumns()


class PlantSource(Source, frozen=True, kw_only=True):
    """A layer of plant."""

    columns: PlantColumns = PlantColumns()


class OfficeSource(Source, frozen=True, kw_only=True):
    """A layer of central offices."""

    columns: OfficeColumns = OfficeColumns()


class Inputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Streets are of a layer where one is named, and otherwise of the extract; what lies across them is the extract's.

    addresses: the extract's addresses are premises. merged_addresses: the same address is one. houses: so are its
    houses without one. critical: ids of premises that two ways must lead to. office_candidates: how many further
    candidates are spread by where fibres are needed. area: a GeoJSON polygon.
    """

    extract: str | None = None
    streets: StreetSource | None = None
    addresses: bool = True
    merged_addresses: bool = True
    houses: bool = True
    demand: tuple[DemandSource, ...] = ()
    sites: tuple[Site, ...] = ()
    site_layers: tuple[DemandSource, ...] = ()
    critical: tuple[str, ...] = ()
    plant: tuple[PlantSource, ...] = ()
    chambers: tuple[Source, ...] = ()
    offices: tuple[Office, ...] = ()
    office_layers: tuple[OfficeSource, ...] = ()
    office_candidates: Annotated[int, Meta(ge=0, le=MAX_CANDIDATES)] = 0
    catalogue: str | None = None
    rules: Rules = Rules()
    limits: Limits = Limits()
    needs: Needs = Needs()
    area: dict[str, Any] | None = None


def check_places(inputs: Inputs) -> None:
    """Raises InvalidInput for an office or a site that is nowhere on Earth."""
    for where, given in (("offices", inputs.offices), ("sites", inputs.sites)):
        for one in given:
            # What is no number is not within bounds either.
            if not (abs(one.lon) <= 180 and abs(one.lat) <= 90):
                raise InvalidInput(
                    f"{one.label} ({one.id}) is at lon {one.lon:g}, lat {one.lat:g}, which is no place on Earth",
                    where=where,
                    remedy="Longitude comes first, both in degrees, such as 24.9443 and 60.1712.",
                )
