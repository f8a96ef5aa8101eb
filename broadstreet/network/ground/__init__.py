"""What is there before a plan: streets, premises, plant, offices, rules and prices, put together as one `Ground`.

In come an extract of OpenStreetMap (`openstreetmap`) or layers of a city's own (`layer`, `columns`), each in its own
projection, and sheets in TOML that people edit: a `Catalogue` of prices in whole cents, an `Architecture`, `Optics`.
`put_together` makes a graph of the streets, applies `Rules`, hangs premises, offices and plant on the nearest way that
may be dug, and prices every metre. Out comes a `Ground`: columns that cannot be written to, and a digest.

What must always hold: lengths are those on the ellipsoid, and none is lost by splitting or merging; nothing is hung on
what nothing leads to; whatever cannot be joined is a `Fault` with its place and what to do; equal inputs give equal
bytes. Reading sources needs the packages of the `city` extra and takes seconds and no event loop, so those files are
imported where that is done; a plan needs none of them.
"""

from broadstreet.network.ground.architecture import (
    Architecture,
    check_architecture,
    default_architecture,
    read_architecture,
)
from broadstreet.network.ground.assembly import Limits, put_together
from broadstreet.network.ground.catalogue import SURFACES, Catalogue, Surface, default_catalogue, read_catalogue
from broadstreet.network.ground.drawing import faults_geojson, offices_geojson, premises_geojson, ways_geojson
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind
from broadstreet.network.ground.ground import Ground, Offices, Premises, WayTable
from broadstreet.network.ground.obstacles import OBSTACLES, Obstacle, Obstacles
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import Optics, default_optics, read_optics
from broadstreet.network.ground.plant import Plant, PlantLine, plant_of
from broadstreet.network.ground.premises import Demand, Needs, PremisesKind, Site, sites
from broadstreet.network.ground.rules import Rules
from broadstreet.network.ground.streets import Streets, WayKind
from broadstreet.network.ground.worth import Group, Worth, default_worth, read_worth

__all__ = [
    "OBSTACLES",
    "SURFACES",
    "Architecture",
    "BadGround",
    "Catalogue",
    "Demand",
    "Fault",
    "FaultKind",
    "Ground",
    "Group",
    "Limits",
    "Needs",
    "Obstacle",
    "Obstacles",
    "Office",
    "Offices",
    "Optics",
    "Plant",
    "PlantLine",
    "Premises",
    "PremisesKind",
    "Rules",
    "Site",
    "Streets",
    "Surface",
    "WayKind",
    "WayTable",
    "Worth",
    "check_architecture",
    "default_architecture",
    "default_catalogue",
    "default_optics",
    "default_worth",
    "faults_geojson",
    "offices_geojson",
    "plant_of",
    "premises_geojson",
    "put_together",
    "read_architecture",
    "read_catalogue",
    "read_optics",
    "read_worth",
    "sites",
    "ways_geojson",
]
