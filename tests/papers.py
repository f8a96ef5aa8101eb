"""Dossiers for tests of papers: the town in phases, and a street whose names are what a spreadsheet or a browser would
take for orders."""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec

from broadstreet.network.ground import (
    Demand,
    Office,
    PremisesKind,
    default_architecture,
    default_catalogue,
    default_optics,
    put_together,
)
from broadstreet.network.ground.premises import Row
from broadstreet.network.papers import Dossier, Imprint
from tests.designs import Drawn, plain
from tests.ground import at, line, streets, trait
from tests.town import by_the_duct, lined, plant_rows, rows_of, town

IMPRINT: Final = Imprint(title="The <town> & its ring", date="2026-11-23", source="© nobody", seed=1, seconds=2.5)
FORMULA: Final = '=HYPERLINK("http://example.org")'
SCRIPT: Final = "<script>alert(1)</script>"


@cache
def town_dossier() -> Dossier:
    """The town with its second way in a second phase."""
    ground = town()
    late = {*rows_of(ground, "Back Street"), *plant_rows(ground)}
    statement = lined(Drawn(ground, phase_of=dict.fromkeys(late, 2)), by_the_duct(ground))
    return Dossier.of(statement, ground, default_architecture(), default_optics(), IMPRINT)


@cache
def wicked_dossier() -> Dossier:
    """Two premises and an office in a street, all called what nobody should be called."""
    names = (FORMULA, SCRIPT)
    demand = Demand.of(
        Row(f"@p{i}", name, PremisesKind.ADDRESS, *at(40 + 30 * i, 10), 1.0, 0.0, 1, 1.0, False)
        for i, name in enumerate(names)
    )
    ground = put_together(
        streets([line((0, 0), (120, 0))], traits=[trait(f"+{SCRIPT}")]),
        demand,
        default_catalogue(),
        offices=[Office("-co", f"={SCRIPT}", *at(0, -5))],
    )
    statement = plain(Drawn(ground), int(ground.offices.node[0]), (0, 1))
    title = f"={SCRIPT}"
    imprint = msgspec.structs.replace(IMPRINT, title=title, source=SCRIPT)
    return Dossier.of(statement, ground, default_architecture(), default_optics(), imprint)
