"""What the devices of a city say: a pure function of seed, device and time.

The past that a new city is given and the live city both come from here, so that they join without a seam.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.fleet import Device, Scene
from simulator.kinds import KINDS
from simulator.moment import moment_of, traits_of
from simulator.noise import Floats, Int64s
from simulator.silence import Bools, lost, silent


@dataclass(frozen=True, slots=True)
class Readings:
    """What n devices of one profile say at m moments.

    fields: the payload's fields, each of shape (n, m), rounded as they are sent. silent: who is cut off when.
    said: which readings are sent and arrive; false wherever silent is true.
    """

    profile: str
    devices: tuple[Device, ...]
    times_us: Int64s
    fields: dict[str, Floats]
    silent: Bools
    said: Bools

    @property
    def device_ids(self) -> list[str]:
        """The devices by id."""
        return [device.id for device in self.devices]


def simulate(scene: Scene, devices: Sequence[Device], times_us: Int64s) -> Iterator[Readings]:
    """The readings of devices at moments in microseconds since 1970, profile by profile."""
    moment = moment_of(scene, times_us)
    by_profile: dict[str, list[Device]] = {}
    for device in devices:
        by_profile.setdefault(device.profile, []).append(device)
    for profile, group in by_profile.items():
        traits = traits_of(scene, group)
        off = silent(group, traits, times_us)
        kind = KINDS[profile]
        yield Readings(
            profile=profile,
            devices=tuple(group),
            times_us=times_us,
            # Adding zero makes -0.0 a plain 0.0.
            fields={
                name: np.round(all_, kind.decimals[name]) + 0.0 for name, all_ in kind.sense(moment, traits).items()
            },
            silent=off,
            said=~off & ~lost(traits, times_us),
        )
