"""Car parks: how many spaces are free. By day those who work and shop fill them, by night those who live there."""

from __future__ import annotations

import numpy as np

from simulator.moment import Moment, Traits
from simulator.noise import Floats, drift, uniform


def sense(moment: Moment, traits: Traits) -> dict[str, Floats]:
    """free: spaces."""
    lived_in = uniform(traits.stream("lived in"))
    hour = moment.clock.hour
    night = 0.5 + 0.5 * np.cos((hour - 3) / 24 * 2 * np.pi)
    wander = drift(traits.stream("parking"), moment.times_us, 5400.0)
    taken = 0.22 + 0.55 * (1 - lived_in) * np.clip(moment.walking, 0, 1.2) + 0.6 * lived_in * night + 0.06 * wander
    return {"free": np.round(traits.capacity * (1 - np.clip(taken, 0, 1)))}
