"""Figures about the house itself, as one room counts them and another shows them."""

from __future__ import annotations

from typing import Literal, NamedTuple

Labels = tuple[tuple[str, str], ...]


class Sample(NamedTuple):
    """One figure. name: as Prometheus writes it, its unit last; help: what it counts, in a sentence."""

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    value: float
    labels: Labels = ()
