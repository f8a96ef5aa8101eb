"""What light loses on its way at most, in decibels: by the fibre's length, its joints and its splitters.

The sum is that of ITU-T G.982; where each part's loss is from stands in the optics."""

from __future__ import annotations

from collections.abc import Iterable

from broadstreet.network.ground.optics import Optics


def loss_db(
    optics: Optics, optical_class: str, length_m: float, *, joints: int, connectors: int, splitters: Iterable[int]
) -> float:
    """The worst loss of a path, the margin not in it. joints: all there are; connectors: so many of them, the others
    are splices; splitters: their ratios."""
    return (
        length_m * optics.worst_db_per_km(optical_class) / 1000
        + connectors * optics.connector.loss_db
        + (joints - connectors) * optics.splice.loss_db
        + sum(optics.splitter[ratio].loss_db for ratio in splitters)
    )
