"""What the NGSI-LD benchmark asks, with the right answers: a request, and the numbers of the entities it finds.

Answers are in the order in which the entities came. Each sort of question comes in many
variants, so that no answer can be remembered from the last time.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import quote

import numpy as np
from pyproj import Geod

from benchmarks.ngsild_city import EAST, INSTALLED_S, MOSTLY, NORTH, SOUTH, STATES, WEST, City, Whole, id_of

BASE: Final = "/ngsi-ld/v1"
FEWEST, MOST, AIMED = 20, 200, 100
"""How many entities a narrow question finds."""
WHOLE: Final = 200
"""The limit with which a narrow question is answered whole."""
PAGE: Final = 20
DEEP: Final = 90_000
VARIANTS: Final = 200
_GEOD: Final = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Question:
    """One request. found: the numbers of all entities that match; limit: how many of them are answered."""

    path: str
    found: Whole
    limit: int

    @property
    def answered(self) -> list[str]:
        """The ids in the answer, in order."""
        return [id_of(int(n)) for n in self.found[: self.limit]]

    def request(self) -> dict[str, Any]:
        """As the generator is told: raw bytes, and how many entities the answer holds."""
        return {"raw": get(self.path), "status": 200, "entities": min(self.limit, len(self.found)), "needle": ""}


def get(path: str) -> str:
    """A GET as it is sent."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def send(method: str, path: str, body: bytes) -> str:
    """A request with a JSON body."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body.decode()}"


def by_id(city: City, chance: Random, count: int) -> list[dict[str, Any]]:
    """Entities by id, any of them."""
    chosen = [id_of(chance.randrange(city.entities)) for _ in range(count)]
    return [
        {"raw": get(f"{BASE}/entities/{one}"), "status": 200, "entities": 1, "needle": f'"id":"{one}"'}
        for one in chosen
    ]


def _asked(city: City, q: str, matches: Any, limit: int) -> Question:
    return Question(f"{BASE}/entities?q={quote(q)}&limit={limit}", city.in_order(matches), limit)


def _narrow(city: City, chance: Random, sort: int, limit: int) -> Question:
    """Two conditions on two attributes: text and number, number and number, time and truth value, relationship and
    text."""
    share = 2 * AIMED / city.entities
    match sort:
        case 0:
            street = chance.randrange(city.streets)
            q = f'street=="Street {street}";temperature>=5'
            return _asked(city, q, (city.street == street) & (city.temperature >= 5), limit)
        case 1:
            low = round(chance.uniform(0, 100 * (1 - share)), 5)
            high = round(low + 100 * share, 5)
            matches = (city.no2 >= low) & (city.no2 <= high) & (city.humidity < 50)
            return _asked(city, f"no2=={low}..{high};humidity<50", matches, limit)
        case 2:
            begin = chance.randrange(round(INSTALLED_S * (1 - share)))
            end = begin + round(INSTALLED_S * share)
            matches = (city.installed_s >= begin) & (city.installed_s <= end) & city.is_active
            return _asked(
                city, f"installedAt=={city.installed(begin)}..{city.installed(end)};active==true", matches, limit
            )
        case _:
            operator = chance.randrange(city.operators)
            matches = (city.operator == operator) & np.isin(city.state, [n for n, s in enumerate(STATES) if s == "ok"])
            return _asked(city, f'operatedBy=="urn:ngsi-ld:Organization:{operator}";status=="ok"', matches, limit)


def narrow(city: City, chance: Random, limit: int, variants: int = VARIANTS) -> list[Question]:
    """q with two conditions that FEWEST to MOST entities satisfy."""
    found: list[Question] = []
    while len(found) < variants:
        question = _narrow(city, chance, len(found) % 4, limit)
        if FEWEST <= len(question.found) <= MOST:
            found.append(question)
    return found


def half(city: City, limit: int = PAGE) -> list[Question]:
    """q with two conditions that half of all satisfy."""
    return [
        _asked(city, "active==true;humidity>=0", city.is_active, limit),
        _asked(city, "active==false;temperature>-30", ~city.is_active, limit),
        _asked(city, 'status=="ok";no2>=0', np.isin(city.state, [0, 1]), limit),
        _asked(city, "temperature>10;humidity<=100", city.temperature > 10, limit),
    ]


def around(city: City, lon: float, lat: float, radius_m: float, limit: int) -> Question:
    """Who stands within so many metres."""
    lat_deg = radius_m / 110_000
    lon_deg = lat_deg / math.cos(math.radians(min(abs(lat) + lat_deg, 89)))
    near = np.flatnonzero((abs(city.lon - lon) <= lon_deg) & (abs(city.lat - lat) <= lat_deg))
    ones = np.ones(len(near))
    _, _, metres = _GEOD.inv(ones * lon, ones * lat, city.lon[near], city.lat[near])
    where = f"georel=near;maxDistance=={radius_m:.0f}&geometry=Point&coordinates={quote(json.dumps([lon, lat]))}"
    return Question(f"{BASE}/entities?{where}&limit={limit}", city.in_order(near[metres <= radius_m]), limit)


def near(city: City, chance: Random, limit: int, variants: int = VARIANTS) -> list[Question]:
    """Near-queries that FEWEST to MOST entities satisfy."""
    radius_m = _radius_m(AIMED / city.entities)
    found: list[Question] = []
    while len(found) < variants:
        lon, lat = round(chance.uniform(WEST, EAST), 6), round(chance.uniform(SOUTH, NORTH), 6)
        question = around(city, lon, lat, round(radius_m), limit)
        if FEWEST <= len(question.found) <= MOST:
            found.append(question)
    return found


def near_half(city: City, limit: int = PAGE) -> list[Question]:
    """Near-queries that half of all satisfy."""
    lon, lat = (WEST + EAST) / 2, (SOUTH + NORTH) / 2
    return [around(city, round(lon + n * 1e-4, 6), lat, round(_radius_m(0.5)), limit) for n in range(4)]


def _radius_m(share: float) -> float:
    """How far a circle reaches that holds this share of all."""
    _, _, wide_m = _GEOD.inv(WEST, (SOUTH + NORTH) / 2, EAST, (SOUTH + NORTH) / 2)
    _, _, high_m = _GEOD.inv(WEST, SOUTH, WEST, NORTH)
    return math.sqrt(share * float(wide_m) * float(high_m) / math.pi)


def deep(city: City, limit: int = PAGE) -> list[Question]:
    """Pages of one type far behind; nine tenths of the city, where there are not so many."""
    behind = min(DEEP, city.entities * 9 // 10)
    numbers = np.arange(city.entities)
    typed = city.in_order(numbers[numbers % 20 != 0])
    return [
        Question(f"{BASE}/entities?type={MOSTLY}&offset={offset}&limit={limit}", typed[offset:], limit)
        for offset in range(behind, min(behind + 1_000, len(typed) - limit), 97)
    ]


def patches(city: City, chance: Random, count: int) -> list[dict[str, Any]]:
    """Another value for one attribute of any entity; the attribute is one that no question asks about."""
    found = []
    for n in range(count):
        body = json.dumps({"value": f"Patched {n}"}).encode()
        path = f"{BASE}/entities/{id_of(chance.randrange(city.entities))}/attrs/name"
        found.append({"raw": send("PATCH", path, body), "status": 204, "entities": 0, "needle": ""})
    return found


def upserts(city: City, starts: list[int], size: int, status: int) -> list[dict[str, Any]]:
    """Batches of entities that follow each other, whole."""
    found = []
    for start in starts:
        body = json.dumps([city.entity(n) for n in range(start, min(start + size, city.entities))]).encode()
        raw = send("POST", f"{BASE}/entityOperations/upsert", body)
        found.append({"raw": raw, "status": status, "entities": 0, "needle": ""})
    return found
