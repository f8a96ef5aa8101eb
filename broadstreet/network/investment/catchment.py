"""Which area a premises belongs to, and for whom each piece of a design is there.

An area is a cabinet's catchment: the premises whose light goes through it; those whose light passes no cabinet are an
office's. Light is followed from every socket to its port, joint by joint, and everything that it passes is there for
that premises' area: so a trench is told by the sockets of each area whose light runs in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import msgspec
import numpy as np

from broadstreet.network.design import Design, SiteKind
from broadstreet.network.ground import Ground, PremisesKind
from broadstreet.network.light import Light, Ray

Users = Counter[int]
"""By area how many sockets' light passes."""


class Area(msgspec.Struct, frozen=True):
    """A cabinet's or office's catchment. site: its id in the design. label: its id, and whom it stands near."""

    site: str
    label: str
    premises: int


@dataclass(frozen=True, eq=False)
class Catchment:
    """areas; area_of: of each served premises (its row). Users: of ways by row, of cables' stretches by cable and
    number, of joints by number, of splitters and sites by id. phase_of: of served premises, when light first reaches
    them; lit: of stretches' cables, joints, splitters and sites, by the same keys, the phase of their earliest light.
    """

    areas: tuple[Area, ...]
    area_of: dict[int, int]
    phase_of: dict[int, int]
    ways: dict[int, Users]
    stretches: dict[tuple[str, int], Users]
    joints: dict[int, Users]
    things: dict[str, Users]
    lit: dict[int | str, int]


@dataclass(slots=True)
class _Ray:
    """What a socket's light passes: joints by number; splitters and sites by id; stretches; the last cabinet."""

    row: int
    socket: int
    joints: list[int]
    things: list[str]
    stretches: list[tuple[str, int]]
    home: str
    phase: int = 1


def catchment_of(design: Design, ground: Ground) -> Catchment:
    """Follows the light of every socket. The design is one that was proved."""
    phase_of_way = dict(zip(design.opened, design.phases, strict=True)) if design.phases else {}
    phases = {
        cable.id: max((phase_of_way.get(way, 1) for ways in cable.ways for way in ways), default=1)
        for cable in design.cables
    }
    kinds = {site.id: site.kind for site in design.sites}
    light = Light(ground, design.sites, design.cables, design.joints)
    rays = [_ray(design, kinds, ray) for ray in light.rays()]
    for ray in rays:
        ray.phase = max((phases[cable] for cable, _ in ray.stretches), default=1)
    # A premises' first socket says where it belongs; that of its second way does not.
    first = {ray.row: ray for ray in reversed(rays)}
    order = {site.id: number for number, site in enumerate(design.sites)}
    homes = sorted({ray.home for ray in first.values()}, key=order.__getitem__)
    number = {home: area for area, home in enumerate(homes)}
    area_of = {row: number[first[row].home] for row in sorted(first)}
    phase_of = {row: first[row].phase for row in sorted(first)}
    found = Catchment(_areas(design, ground, homes, area_of), area_of, phase_of, {}, {}, {}, {}, {})
    _count(found, design, rays)
    return found


def _areas(design: Design, ground: Ground, homes: list[str], area_of: dict[int, int]) -> tuple[Area, ...]:
    """Each home with a name that a person knows: that of its premises nearest to it."""
    node_of = {site.id: site.node for site in design.sites}
    demand, members = ground.premises.demand, defaultdict[int, list[int]](list)
    for row, area in area_of.items():
        members[area].append(row)
    areas = []
    for area, home in enumerate(homes):
        # A house without an address has no name to be known by.
        rows = np.array([row for row in members[area] if demand.kind[row] != PremisesKind.BUILDING], dtype=np.int64)
        lon, lat = ground.lon[node_of[home]], ground.lat[node_of[home]]
        east = (demand.lon[rows] - lon) * np.cos(np.radians(lat))
        away = np.hypot(east, demand.lat[rows] - lat)
        label = demand.labels[int(rows[away.argmin()])] if len(rows) else ""
        areas.append(Area(home, f"{home}, near {label}" if label else home, len(members[area])))
    return tuple(areas)


def _count(found: Catchment, design: Design, rays: list[_Ray]) -> None:
    """Adds every socket to the users of all that its light passes."""
    ways_of = {cable.id: cable.ways for cable in design.cables}
    for ray in rays:
        area = found.area_of[ray.row]
        keys: list[int | str] = [*ray.joints, *ray.things, *(cable for cable, _ in ray.stretches)]
        for key in keys:
            found.lit[key] = min(ray.phase, found.lit.get(key, ray.phase))
        for joint in ray.joints:
            found.joints.setdefault(joint, Counter())[area] += 1
        for thing in dict.fromkeys(ray.things):
            found.things.setdefault(thing, Counter())[area] += 1
        for stretch in ray.stretches:
            found.stretches.setdefault(stretch, Counter())[area] += 1
            for way in ways_of[stretch[0]][stretch[1]]:
                found.ways.setdefault(way, Counter())[area] += 1


def _ray(design: Design, kinds: dict[str, SiteKind], ray: Ray) -> _Ray:
    """What is counted of a path."""
    sites = [design.joints[number].site for number in ray.joints]
    home = next((site for site in sites if kinds[site] is SiteKind.CABINET), sites[-1])
    stretches = [(span.cable, stretch) for span in ray.spans for stretch in span.stretches]
    return _Ray(ray.premises, ray.socket, ray.joints, [*sites, *ray.splitters], stretches, home)
