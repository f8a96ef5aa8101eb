"""What a process of its own is to plan, all of it in one value."""

from __future__ import annotations

import msgspec

from broadstreet.network.ground import Site
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.scenarios.wish import PlanWish


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be planned. sites: of the registry, beside those of the inputs; networks: files of networks by the
    Open Fibre Data Standard, whose plant counts."""

    inputs: Inputs
    networks: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    wish: PlanWish = PlanWish()
