"""The entities of the NGSI-LD benchmark: twelve attributes each, of every kind that matters, computed from a number.

What entity n says follows from n and how many there are, so that the benchmark knows the right answer to each question
without asking. Groups grow with the city: a street, an operator or a slice of values holds about as many entities at a
million as at a hundred thousand.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

STREET_SIZE: Final = 100
OPERATOR_SIZE: Final = 200
DISTRICTS: Final = 50
STATES: Final = ("ok", "ok", "weak battery", "silent")
WEST, SOUTH, EAST, NORTH = 24.6, 60.05, 25.4, 60.35
"""Where they stand, evenly: 44 by 33 km."""
INSTALLED_FROM: Final = datetime(2016, 1, 1, tzinfo=UTC)
INSTALLED_S: Final = 10 * 365 * 86_400
OBSERVED_FROM: Final = datetime(2026, 3, 1, tzinfo=UTC)
MOSTLY, RARELY, ALSO = "AirQualityObserved", "ParkingSpot", "Device"
_WORD: Final = np.uint64(0x9E3779B97F4A7C15)
_SALT: Final = 0xD1342543DE82EF95
_ALL: Final = 2**64 - 1


def chance(numbers: Whole, salt: int) -> Numbers:
    """A number from 0 to 1 for each of these numbers, as by chance (splitmix64)."""
    word = (numbers.astype(np.uint64) + np.uint64(1)) * _WORD + np.uint64(salt * _SALT & _ALL)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((word ^ (word >> np.uint64(31))) >> np.uint64(11), np.float64) / 2.0**53


def iso(moment: datetime) -> str:
    """A time as the house shows it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def id_of(n: int) -> str:
    """The id of entity n; ids sort as their numbers do."""
    return f"urn:ngsi-ld:{MOSTLY}:{n:07d}"


def number_of(entity_id: str) -> int:
    """The number of the entity with this id."""
    return int(entity_id.rpartition(":")[2])


class City:
    """All entities, column by column."""

    def __init__(self, entities: int) -> None:
        self.entities = entities
        self.place = np.arange(entities)
        """The how many-th in the house each entity is; batches that are written at once may pass each other."""
        numbers = np.arange(entities)
        self.streets = max(1, entities // STREET_SIZE)
        self.operators = max(1, entities // OPERATOR_SIZE)
        self.street = (chance(numbers, 1) * self.streets).astype(np.int64)
        self.operator = (chance(numbers, 2) * self.operators).astype(np.int64)
        self.temperature = np.round(chance(numbers, 3) * 60 - 20, 1)
        self.no2 = np.round(chance(numbers, 4) * 100, 5)
        self.humidity = np.floor(chance(numbers, 5) * 100)
        self.is_active = chance(numbers, 6) < 0.5
        self.state = (chance(numbers, 7) * len(STATES)).astype(np.int64)
        self.installed_s = (chance(numbers, 8) * INSTALLED_S).astype(np.int64)
        self.lon = np.round(WEST + chance(numbers, 9) * (EAST - WEST), 6)
        self.lat = np.round(SOUTH + chance(numbers, 10) * (NORTH - SOUTH), 6)

    def in_order(self, matches: npt.NDArray[np.bool_] | Whole) -> Whole:
        """Numbers of these entities, in the order in which they came."""
        found = np.flatnonzero(matches) if matches.dtype == np.bool_ else matches
        return np.asarray(found[np.argsort(self.place[found], kind="stable")], np.int64)

    def installed(self, at_s: int) -> str:
        """A time of installation."""
        return iso(INSTALLED_FROM + timedelta(seconds=int(at_s)))

    def types(self, n: int) -> str | list[str]:
        """One in twenty is a parking spot, one in ten a device too."""
        if n % 20 == 0:
            return RARELY
        return sorted((ALSO, MOSTLY)) if n % 10 == 1 else MOSTLY

    def entity(self, n: int) -> dict[str, Any]:
        """Entity n as it is written, and as it is answered."""
        observed = iso(OBSERVED_FROM + timedelta(seconds=n % 86_400))
        return {
            "id": id_of(n),
            "type": self.types(n),
            "scope": f"/Helsinki/District{n % DISTRICTS}",
            "name": {"type": "Property", "value": f"Station {n}"},
            "location": {
                "type": "GeoProperty",
                "value": {"type": "Point", "coordinates": [float(self.lon[n]), float(self.lat[n])]},
            },
            "temperature": {
                "type": "Property",
                "value": float(self.temperature[n]),
                "unitCode": "CEL",
                "observedAt": observed,
            },
            "no2": {"type": "Property", "value": float(self.no2[n]), "unitCode": "GQ", "observedAt": observed},
            "humidity": {"type": "Property", "value": int(self.humidity[n]), "unitCode": "P1"},
            "status": {"type": "Property", "value": STATES[int(self.state[n])]},
            "street": {"type": "Property", "value": f"Street {self.street[n]}"},
            "active": {"type": "Property", "value": bool(self.is_active[n])},
            "installedAt": {
                "type": "Property",
                "value": {"@type": "DateTime", "@value": self.installed(self.installed_s[n])},
            },
            "operatedBy": {"type": "Relationship", "object": f"urn:ngsi-ld:Organization:{self.operator[n]}"},
            "title": {"type": "LanguageProperty", "languageMap": {"en": f"Station {n}", "fi": f"Asema {n}"}},
            "maker": {"type": "JsonProperty", "json": {"model": f"AQ-{n % 7}", "channels": [1, 2, n % 5]}},
        }
