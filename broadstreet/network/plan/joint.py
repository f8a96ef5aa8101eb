"""A bound of ways and drops as one, handed from where drops are chosen to where a plan is bounded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Joint:
    """What no ways, offices and drops for these premises cost less than together, to whichever of its hooks each drop
    leads, in whole cents by `way_cents`, and how that was proved. offices: from which; rows: to whom; both in order."""

    cents: int
    method: str
    offices: tuple[int, ...]
    rows: tuple[int, ...]
