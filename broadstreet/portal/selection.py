"""A part of the city, chosen as the page's filter chooses it: types, how they stand, a street."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Self, cast, get_args

from broadstreet.model.errors import InvalidQuery
from broadstreet.portal.sensor import Sensor

Standing = Literal["live", "silent", "never", "missing", "imported", "beyond"]
"""A state; or `missing`: what should be heard and is not, silent or never heard and not disabled; or `beyond`: live and
over a limit."""
_STANDINGS: Final = get_args(Standing)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sensors are meant. types: none means all."""

    types: frozenset[str] = frozenset()
    standing: Standing | None = None
    street: str | None = None

    @classmethod
    def of(cls, types: str | None, standing: str | None, street: str | None) -> Self:
        """From a query. types: names with commas between them. Raises InvalidQuery."""
        if standing and standing not in _STANDINGS:
            raise InvalidQuery(
                f"no sensor stands as {standing[:40]!r}", where="state", remedy=f"Ask for {', '.join(_STANDINGS)}."
            )
        names = frozenset(filter(None, (types or "").split(",")))
        return cls(names, cast("Standing", standing) if standing else None, street or None)

    def has(self, sensor: Sensor, now_us: int) -> bool:
        """Whether a sensor is meant, as it stands now."""
        if (self.types and sensor.type not in self.types) or (self.street is not None and sensor.street != self.street):
            return False
        if self.standing is None:
            return True
        state = sensor.state(now_us)
        if self.standing == "beyond":
            return sensor.beyond and state == "live"
        if self.standing == "missing":
            return state in ("silent", "never") and sensor.disabled_us is None
        return state == self.standing
