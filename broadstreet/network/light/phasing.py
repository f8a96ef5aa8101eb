"""When each piece of a design is built and lit, by the phases of its ways, as `Design` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broadstreet.network.design import Design, Joint
from broadstreet.network.ground.ground import Ground
from broadstreet.network.light.ray import Light, Ray


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """What light passes on its way to one socket: joints by number, the ids of cables, sites and splitters."""

    premises: int
    joints: tuple[int, ...]
    cables: frozenset[str]
    pieces: frozenset[str]


def passings(ground: Ground, design: Design) -> list[Passing]:
    """One for each socket."""
    rays = Light(ground, design.sites, design.cables, design.joints).rays()
    return [_passing(design.joints, ray) for ray in rays]


def _passing(joints: tuple[Joint, ...], ray: Ray) -> Passing:
    cables = {span.cable for span in ray.spans}
    pieces = frozenset(cables | {joints[number].site for number in ray.joints} | set(ray.splitters))
    return Passing(ray.premises, tuple(ray.joints), frozenset(cables), pieces)


@dataclass(frozen=True, slots=True, eq=False)
class Phasing:
    """Phases by way, by cable, of the earliest light through a piece (by id) or joint (by number), and of premises: by
    the end of which all their sockets are lit. What is not named is of the first."""

    last: int
    way: Mapping[int, int]
    cable: Mapping[str, int]
    lit: Mapping[str | int, int]
    premises: Mapping[int, int]

    @classmethod
    def of(cls, ground: Ground, design: Design) -> Phasing:
        if not design.phases:
            return cls(1, {}, {}, {}, {})
        way = dict(zip(design.opened, design.phases, strict=True))
        cable = {
            each.id: max((way[row] for stretch in each.ways for row in stretch), default=1) for each in design.cables
        }
        lit: dict[str | int, int] = {}
        premises: dict[int, int] = {}
        for passing in passings(ground, design):
            phase = max((cable[id] for id in passing.cables), default=1)
            things: tuple[str | int, ...] = (*passing.joints, *passing.pieces)
            for thing in things:
                lit[thing] = min(phase, lit.get(thing, phase))
            premises[passing.premises] = max(phase, premises.get(passing.premises, phase))
        return cls(max(design.phases), way, cable, lit, premises)
