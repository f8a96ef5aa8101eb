"""What is wrong with a plan's ground: what was found as it was put together, and what only a plan shows."""

from __future__ import annotations

import numpy as np

from broadstreet.network.design import Statement
from broadstreet.network.ground import Fault, Ground
from broadstreet.network.plan.second import lone_premises


def faults_of(statement: Statement, ground: Ground) -> tuple[Fault, ...]:
    """The ground's faults, and one for each critical premises that is served by one way alone, since the streets have
    no second."""
    design = statement.design
    critical = np.flatnonzero(ground.premises.demand.is_critical).tolist()
    rows = sorted(set(critical).intersection(design.served) - set(design.second))
    offices = [site.office for site in design.sites if site.office is not None]
    return (*ground.faults, *lone_premises(ground, offices, rows).values())
