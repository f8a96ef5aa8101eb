"""What a way costs at the least beside being opened."""

from __future__ import annotations

import numpy as np

from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.streets import PLANT_KINDS, WayKind


def least_cents_per_m(ground: Ground) -> F8:
    """For each way what a metre of it costs beside opening it, at the least: the cheapest cable, and where the way is
    dug the cheapest duct; nothing where spare fibres of another's cable are used. No design has a way that is used for
    less."""
    catalogue = ground.catalogue
    cable = min(price.per_m_cents for price in catalogue.cable.values())
    duct = min(price.per_m_cents for price in catalogue.duct.values())
    is_plant = np.isin(ground.ways.kind, PLANT_KINDS)
    is_there = ground.ways.kind == WayKind.FIBRE
    return np.where(is_there, 0, np.where(is_plant, cable, cable + duct)).astype(np.float64)
