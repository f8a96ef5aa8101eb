"""A short form of `python -m tests.crash`: what is acknowledged survives, and is applied once."""

from __future__ import annotations

import pytest

from tests.crash.crew import KEYED, LETTERS, QOS2
from tests.crash.plan import TARGETS, plan_of
from tests.crash.trial import MIN_ACKNOWLEDGED, run_trial
from tests.crash.verdict import CHANGES, COMMANDS, TIMED, UNTIMED

SEEDS = (5, 6)
"""PostgreSQL alone, and everything but the supervisor."""
KINDS = {TIMED, UNTIMED, QOS2, KEYED, LETTERS, CHANGES, COMMANDS}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_acknowledged_is_lost_or_applied_twice(seed: int) -> None:
    outcome = await run_trial(plan_of(seed))
    assert outcome.verdict.words == ()
    assert (outcome.verdict.lost, outcome.verdict.duplicated) == (0, 0)
    assert outcome.verdict.acknowledged >= MIN_ACKNOWLEDGED
    assert outcome.moment.unanswered > 0 and outcome.moment.mid_commit
    assert {kind for kind, tally in outcome.verdict.tallies.items() if tally.acknowledged} == KINDS


def test_a_seed_is_replayed() -> None:
    assert plan_of(3) == plan_of(3)
    assert {plan_of(seed).targets for seed in range(len(TARGETS))} == set(TARGETS)
