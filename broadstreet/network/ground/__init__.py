"""What is there before a plan: what things cost, how premises are reached, how much light may be lost.

In come sheets in TOML that people edit: a `Catalogue` of prices in whole cents, an `Architecture`, `Optics`. Each has a
default that comes with Broadstreet. What is wrong in a sheet is told at once, each fault with its place.
"""

from broadstreet.network.ground.architecture import (
    Architecture,
    check_architecture,
    default_architecture,
    read_architecture,
)
from broadstreet.network.ground.catalogue import Catalogue, Surface, default_catalogue, read_catalogue
from broadstreet.network.ground.optics import Optics, default_optics, read_optics

__all__ = [
    "Architecture",
    "Catalogue",
    "Optics",
    "Surface",
    "check_architecture",
    "default_architecture",
    "default_catalogue",
    "default_optics",
    "read_architecture",
    "read_catalogue",
    "read_optics",
]
