"""Central offices: where fibres begin. Given, or candidates of which a plan chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OFFICE_LEAD_M: Final = 300.0
"""How far a central office may stand from the way that its cables leave by."""


@dataclass(frozen=True, slots=True)
class Office:
    """given: it stands already. cents: what making it ready costs; None: what the catalogue says, or nothing where it
    is given."""

    id: str
    label: str
    lon: float
    lat: float
    given: bool = True
    cents: int | None = None
