"""What a seed decides: what is killed, when, and whether again while it is coming back."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

ROLES = ("gateway", "recorder", "notifier", "api")
ENGINES = ("nats-server", "postgres")
TARGETS: tuple[tuple[str, ...], ...] = (
    *((name,) for name in (*ROLES, *ENGINES)),
    (*ROLES, *ENGINES),
    ("supervisor", *ROLES, *ENGINES),
)
"""Each one alone, all of them, and all of them with the supervisor: as in a power cut."""
FIRST_KILL_AFTER = (500, 6_000)
"""Between how many acknowledged messages the first kill falls."""
SECOND_KILL_SHARE = 0.3
SECOND_KILL_WITHIN_S = 1.5
REPLAY_WITHIN_S = 0.25
HALF_WAY_SHARE = 0.5


@dataclass(frozen=True)
class Plan:
    """One trial.

    targets:    what is killed, all in one moment.
    after:      how many acknowledged messages before that.
    again_in_s: how long after it the same is killed once more; None: not at all.
    replay_s:   how long before it dead letters begin to be replayed.
    half_way:   whether it waits for a message of QoS 2 that is received and not complete; else what the devices at
                QoS 2 are told is lost for a moment before, so that they send again what is on disk.
    """

    seed: int
    targets: tuple[str, ...]
    after: int
    again_in_s: float | None
    replay_s: float
    half_way: bool


def plan_of(seed: int) -> Plan:
    """The plan of a seed; eight seeds in a row kill eight different things."""
    chance = Random(seed)
    after = chance.randint(*FIRST_KILL_AFTER)
    again_in_s = chance.uniform(0, SECOND_KILL_WITHIN_S) if chance.random() < SECOND_KILL_SHARE else None
    replay_s, half_way = chance.uniform(0, REPLAY_WITHIN_S), chance.random() < HALF_WAY_SHARE
    return Plan(seed, TARGETS[seed % len(TARGETS)], after, again_in_s, replay_s, half_way)
