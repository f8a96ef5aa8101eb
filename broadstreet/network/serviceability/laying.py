"""What laying one small cable costs in each way after a phase, and the items of a bill that it makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.network.design import What
from broadstreet.network.ground import OBSTACLES, SURFACES, Ground, WayKind
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.ground import NO_STREET
from broadstreet.network.ground.laid import least_cents_per_m
from broadstreet.network.ground.streets import PAID_PLANT, PLANT_KINDS
from broadstreet.network.serviceability.stages import Stages
from broadstreet.network.serviceability.tally import Tally

Piece = tuple[int, float]
"""A row of the ground's ways, and how many metres of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """What a small cable costs in each way, by the metre and at once; infinite where none may be laid. is_laid: it goes
    where the network has room for one more. dug: streets that have been dug."""

    ground: Ground
    per_m: F8
    fixed: F8
    is_laid: NDArray[np.bool_]
    dug: frozenset[int]

    @classmethod
    def after(cls, ground: Ground, stages: Stages, phase: int) -> Tariff:
        """As it is after a phase of the design."""
        ways = ground.ways
        opened = [row for row in stages.design.opened if stages.way_phase.get(row, 1) <= phase]
        is_laid = np.zeros(len(ways), dtype=np.bool_)
        is_laid[sorted(stages.with_room.intersection(opened))] = True
        cable = min(price.per_m_cents for price in ground.catalogue.cable.values())
        anew = np.where(
            ways.usable & (ways.kind != WayKind.FIBRE), ways.cents_per_m + least_cents_per_m(ground), np.inf
        )
        dug = ways.street[[row for row in opened if ways.kind[row] not in PLANT_KINDS]]
        fixed = np.where(is_laid, 0.0, ways.fixed_cents)
        return cls(ground, np.where(is_laid, cable, anew), fixed, is_laid, frozenset(dug.tolist()))

    def cents(self, piece: Piece) -> float:
        """What a piece of a way costs; what lies across is paid for with any piece."""
        row, length_m = piece
        return float(length_m * self.per_m[row] + self.fixed[row])

    def dug_m(self, pieces: Iterable[Piece]) -> float:
        """How many metres must be dug for these pieces."""
        kinds = self.ground.ways.kind
        return sum(
            (length_m for row, length_m in pieces if not self.is_laid[row] and kinds[row] not in PLANT_KINDS), 0.0
        )

    def count(self, tally: Tally, pieces: Iterable[Piece]) -> None:
        """Puts what these pieces take into a tally, with permits for streets that are dug for the first time."""
        ground, catalogue, ways = self.ground, self.ground.catalogue, self.ground.ways
        size, cable = min(catalogue.cable.items(), key=lambda item: (item[1].per_m_cents, item[0]))
        kind, duct = min(catalogue.duct.items(), key=lambda item: (item[1].per_m_cents, item[0]))
        streets = set[int]()
        for row, length_m in pieces:
            tally.metres(What.CABLE, str(size), length_m, cable)
            if self.is_laid[row]:
                continue
            what = WayKind(int(ways.kind[row]))
            if what in PAID_PLANT:
                tally.metres(What.PLANT, PAID_PLANT[what], length_m, getattr(catalogue.existing, PAID_PLANT[what]))
            elif what is WayKind.POLE_LINE:
                tally.metres(What.POLE_LINE, "", length_m, catalogue.pole_line)
            else:
                surface = SURFACES[int(ways.surface[row])]
                tally.metres(What.TRENCH, surface.value, length_m, catalogue.trench.of(surface))
                tally.add(What.PERMIT, "", length_m, "m", 0, catalogue.permit.permit_per_m)
                tally.metres(What.DUCT, kind, length_m, duct)
                across = [kind.value for kind, lies in zip(OBSTACLES, ground.ways.crossings[row], strict=True) if lies]
                for name in [*across, *(["street"] if what is WayKind.CROSSING else [])]:
                    tally.each(What.CROSSING, name, getattr(catalogue.crossing, name))
                streets.add(int(ways.street[row]))
        for _ in streets - self.dug - {NO_STREET}:
            tally.add(What.PERMIT, "", 1, "street", 0, catalogue.permit.each_street)
