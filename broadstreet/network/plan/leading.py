"""A plan whose drops are part of what is decided: first to which ways they lead, then the network as they hang."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics
from broadstreet.network.ground.worth import Worth
from broadstreet.network.plan.drops import choose_drops
from broadstreet.network.plan.fibre import plan_fibre
from broadstreet.network.plan.joint import Joint

DROPS_SHARE: Final = 0.25
"""Of the time, for where drops lead and the bound of that; a proof ends it earlier."""
QUICK_SHARE: Final = 0.05
"""Where that bound would be none of the plan's: with second ways, or a budget."""


def plan_with_drops(
    ground: Ground,
    architecture: Architecture,
    optics: Optics,
    offices: Sequence[int],
    *,
    seconds: float,
    seed: int = 0,
    served: Sequence[int] | None = None,
    second: Sequence[int] | None = None,
    budget_cents: int | None = None,
    worth: Worth | None = None,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[Statement], None] | None = None,
) -> tuple[Ground, Statement]:
    """The best network that was found, and the ground that it is of: with drops where they cost least together with
    their ways, of the hooks that this one has; itself where there is nothing to choose.

    Everything else is as in `plan_fibre`, which raises what is raised. Premises that two ways are to lead to stay where
    they hang, since that has two. Where the network is refused as drops were chosen (light may not go so far, plant may
    be full), it is planned with all of them as they hang.
    """
    end_s = clock() + seconds
    rows = sorted(set(range(len(ground.premises)) if served is None else served))
    twice = np.flatnonzero(ground.premises.demand.is_critical).tolist() if second is None else second

    def planned(ground: Ground, joint: Joint | None) -> Statement:
        return plan_fibre(
            ground,
            architecture,
            optics,
            offices,
            seconds=max(0.0, end_s - clock()),
            seed=seed,
            served=served,
            second=second,
            budget_cents=budget_cents,
            worth=worth,
            joint=joint,
            clock=clock,
            on_progress=on_progress,
        )

    is_bounded = budget_cents is None and not set(twice).intersection(rows)
    share_s = seconds * (DROPS_SHARE if is_bounded else QUICK_SHARE)
    known = [office for office in offices if 0 <= office < len(ground.offices)]
    chosen = choose_drops(ground, architecture, known, rows, pinned=twice, seconds=share_s, seed=seed, clock=clock)
    if chosen is None:
        return ground, planned(ground, None)
    try:
        return chosen.ground, planned(chosen.ground, chosen.joint)
    except InvalidInput:
        if np.array_equal(chosen.ground.premises.node, ground.premises.node):
            raise
        return ground, planned(ground, chosen.joint)
