"""What a process of its own is to plan, all of it in one value."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from broadstreet.network.ground import Site
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.ofds import Taking
from broadstreet.network.scenarios.wish import PlanWish

FileName = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]


class StandingNetwork(Taking, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A network that stands already. file: a source by the Open Fibre Data Standard; with it what is known beside."""

    file: FileName

    @classmethod
    def of(cls, named: str | StandingNetwork) -> StandingNetwork:
        """A network that is named by its file alone, or with what is known beside."""
        return named if isinstance(named, StandingNetwork) else cls(file=named)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be planned. sites: of the registry, beside those of the inputs; networks: files of networks by the
    Open Fibre Data Standard, whose plant counts."""

    inputs: Inputs
    networks: tuple[str | StandingNetwork, ...] = ()
    sites: tuple[Site, ...] = ()
    wish: PlanWish = PlanWish()
