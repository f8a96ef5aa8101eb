"""How the portal says things: names of types and attributes, times, lengths of time, numbers.

Numbers, values with their units and lengths of time are written as the client writes them: webapp/src/words/format.ts
has the same rules, and webapp/tests/told.json holds both to them.

A name that is not listed is told from its spelling: `averageVehicleSpeed` is "Average vehicle speed".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import timedelta, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from broadstreet.model.clock import US_PER_S, to_datetime
from broadstreet.model.units import unit

_MINUTE_US: Final = 60 * US_PER_S
_FAST: Final = 10
"""A rate is told in whole numbers from here on."""
_ALL_DIGITS: Final = 400
"""As many as the largest float has, and its decimals."""
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_TYPES: Final = {
    "AirQualityObserved": ("Air quality", "air quality station"),
    "CrowdFlowObserved": ("Pedestrians", "pedestrian counter"),
    "OffStreetParking": ("Parking", "car park"),
    "OnStreetParking": ("Street parking", "parking street"),
    "ParkingSpot": ("Parking", "parking spot"),
    "Streetlight": ("Street lights", "street light"),
    "TrafficFlowObserved": ("Traffic", "traffic counter"),
    "WasteContainer": ("Waste", "waste container"),
    "WeatherObserved": ("Weather", "weather station"),
}
"""A type's label, and what one thing of it is called."""
_ATTRIBUTES: Final = {
    "NO2": "NO₂",
    "CO2": "CO₂",
    "SO2": "SO₂",
    "O3": "O₃",
    "PM10": "PM10",
    "PM25": "PM2.5",
    "PM2.5": "PM2.5",
    "illuminanceLevel": "Brightness",
    "availableSpotNumber": "Free spaces",
    "totalSpotNumber": "Spaces",
    "fillingLevel": "Fill level",
    "intensity": "Vehicles",
    "averageVehicleSpeed": "Average speed",
    "relativeHumidity": "Humidity",
    "peopleCount": "People",
}
_DIGITS = re.compile(r"(\d+)")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _spelt_out(name: str) -> str:
    short = re.split(r"[/#:]", name.rstrip("/#"))[-1] or name
    words = [word if word.isupper() and len(word) > 1 else word.lower() for word in _CAPITAL.split(short)]
    told = " ".join(words).replace("_", " ").replace("-", " ").strip()
    return told[:1].upper() + told[1:]


def type_label(name: str) -> str:
    """What things of a type are called together: Street lights."""
    known = _TYPES.get(name)
    return known[0] if known else _spelt_out(name)


def type_noun(name: str) -> str:
    """What one thing of a type is called within a sentence: street light."""
    known = _TYPES.get(name)
    return known[1] if known else _spelt_out(name).lower() + " sensor"


def attribute_label(name: str) -> str:
    """What an attribute is called: Average speed."""
    return _ATTRIBUTES.get(name) or _spelt_out(name)


def unit_label(code: str | None) -> str:
    """The symbol that follows a value, '' for none."""
    return "" if code is None else unit(code).symbol


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`3 sensors`, `one sensor`."""
    return f"one {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def number(value: float) -> str:
    """A number that somebody chose: as many decimals as its size deserves, none where it is whole."""
    return _written(value, 0 if value == int(value) else _decimals(value))


def quantity(value: float, unit_code: str | None) -> str:
    """What a sensor measured, with its unit: `31.2 µg/m³`, `18.0 °C`, `40%`. Percentages and bare counts stay whole."""
    symbol = unit_label(unit_code)
    if symbol == "%":
        told = _written(value, 0 if value == 0 or abs(value) >= 1 else 1)
    else:
        told = number(value) if symbol == "" or value == 0 else _written(value, _decimals(value))
    return told + _gap(symbol) + symbol


def limit(value: float, unit_code: str | None) -> str:
    """A limit with its unit: `200 µg/m³`, `95%`."""
    symbol = unit_label(unit_code)
    return number(value) + _gap(symbol) + symbol


def rate(value: float) -> str:
    """So many a second: `1,240`, `4.5`."""
    return _written(value, 0 if value == 0 or value >= _FAST else 1)


def _gap(symbol: str) -> str:
    return "" if symbol in ("%", "°", "") else " "


def _decimals(value: float) -> int:
    """How many decimals a size deserves. What would round up to a hundred is told as one."""
    return 0 if abs(value) >= 99.95 else 1 if abs(value) >= 0.995 else 2


def _written(value: float, digits: int) -> str:
    """Rounded as people round, halves away from nought, and with a minus that is as wide as a plus."""
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, Context(prec=_ALL_DIGITS))
    return f"{rounded or abs(rounded):,}".replace("-", "−")  # nought has no sign


def duration(us: int) -> str:
    """A length of time in its largest sensible unit: `90 minutes`, `2 hours`, `5 days`."""
    for size_us, noun in ((86_400 * US_PER_S, "day"), (60 * _MINUTE_US, "hour"), (_MINUTE_US, "minute")):
        if us >= (2 * size_us if noun != "minute" else size_us):
            return _plain(us // size_us, noun)
    return "less than a minute" if us < _MINUTE_US else _plain(us // _MINUTE_US, "minute")


def _plain(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def moment(at_us: int, now_us: int, zone: tzinfo) -> str:
    """A time within a sentence, by the city's clocks: `at 03:12`, `yesterday at 03:12`, `on 3 March at 03:12`."""
    at, now = to_datetime(at_us).astimezone(zone), to_datetime(now_us).astimezone(zone)
    clock = f"at {at:%H:%M}"
    if at.date() == now.date():
        return clock
    if at.date() == now.date() - timedelta(days=1):
        return f"yesterday {clock}"
    return f"on {day(at_us, now_us, zone)} {clock}"


def since(at_us: int, now_us: int, zone: tzinfo) -> str:
    """A time after `since`: `03:12`, `yesterday at 03:12`, `3 March at 03:12`."""
    return moment(at_us, now_us, zone).removeprefix("at ").removeprefix("on ")


def since_for(at_us: int, now_us: int, zone: tzinfo) -> str:
    """A time after `since`, and how long ago that is: `03:12 (7 hours)`."""
    return f"{since(at_us, now_us, zone)} ({duration(now_us - at_us)})"


def day(at_us: int, now_us: int, zone: tzinfo) -> str:
    """A date: `3 March`, with its year where that is not this one."""
    at, now = to_datetime(at_us).astimezone(zone), to_datetime(now_us).astimezone(zone)
    return f"{at.day} {_MONTHS[at.month - 1]}" + (f" {at.year}" if at.year != now.year else "")


def span(begin_us: int, end_us: int, zone: tzinfo) -> str:
    """From when to when, as coarse as it is long: `2012–2015`, `March–June 2012`, `1–7 March 2012`, `4 March 2012`."""
    begin, end = to_datetime(begin_us).astimezone(zone), to_datetime(end_us).astimezone(zone)
    if begin.year != end.year:
        return f"{begin.year}–{end.year}"
    if begin.month != end.month:
        return f"{_MONTHS[begin.month - 1]}–{_MONTHS[end.month - 1]} {end.year}"
    days = f"{begin.day}–{end.day}" if begin.day != end.day else f"{end.day}"
    return f"{days} {_MONTHS[end.month - 1]} {end.year}"


def plain(text: str) -> str:
    """Text as it is compared: lower case, without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def in_order(title: str) -> list[tuple[int, str]]:
    """A title as people order it: light 2 before light 10."""
    return [(int(part), "") if part.isdecimal() else (0, plain(part)) for part in _DIGITS.split(title)]


def sentences(parts: Sequence[str]) -> str:
    """Sentences in a row, each begun with a capital and ended with a full stop."""
    told = [part[:1].upper() + part[1:] for part in parts if part]
    return " ".join(part if part.endswith((".", "?", "!")) else part + "." for part in told)
