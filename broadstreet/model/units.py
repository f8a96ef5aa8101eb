"""Units of measurement by their UN/CEFACT common code, as NGSI-LD's `unitCode` gives them.

The list is what a city's devices measure in, not all 2,000 codes of Recommendation 20; a code that is not in it is
shown as it stands. Symbols are those of the recommendation, set the way people write them.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """A unit: its common code, the symbol that follows a value, and its name in words."""

    code: str
    symbol: str
    label: str


_LISTED: Final = (
    Unit("C62", "", "one"),
    Unit("P1", "%", "percent"),
    Unit("59", "ppm", "parts per million"),
    Unit("61", "ppb", "parts per billion"),
    Unit("GQ", "µg/m³", "micrograms per cubic metre"),
    Unit("GP", "mg/m³", "milligrams per cubic metre"),
    Unit("M1", "mg/l", "milligrams per litre"),
    Unit("Q30", "pH", "pH"),
    Unit("CEL", "°C", "degrees Celsius"),
    Unit("KEL", "K", "kelvin"),
    Unit("A97", "hPa", "hectopascals"),
    Unit("PAL", "Pa", "pascals"),
    Unit("BAR", "bar", "bar"),
    Unit("MMT", "mm", "millimetres"),
    Unit("CMT", "cm", "centimetres"),
    Unit("MTR", "m", "metres"),
    Unit("KMT", "km", "kilometres"),
    Unit("H67", "mm/h", "millimetres per hour"),
    Unit("MTS", "m/s", "metres per second"),
    Unit("KMH", "km/h", "kilometres per hour"),
    Unit("HM", "mph", "miles per hour"),
    Unit("DD", "°", "degrees"),
    Unit("LUX", "lx", "lux"),
    Unit("LUM", "lm", "lumens"),
    Unit("D54", "W/m²", "watts per square metre"),
    Unit("2N", "dB", "decibels"),
    Unit("DBM", "dBm", "decibel-milliwatts"),
    Unit("WTT", "W", "watts"),
    Unit("KWT", "kW", "kilowatts"),
    Unit("WHR", "Wh", "watt hours"),
    Unit("KWH", "kWh", "kilowatt hours"),
    Unit("VLT", "V", "volts"),
    Unit("2Z", "mV", "millivolts"),
    Unit("AMP", "A", "amperes"),
    Unit("4K", "mA", "milliamperes"),
    Unit("HTZ", "Hz", "hertz"),
    Unit("C26", "ms", "milliseconds"),
    Unit("SEC", "s", "seconds"),
    Unit("MIN", "min", "minutes"),
    Unit("HUR", "h", "hours"),
    Unit("DAY", "d", "days"),
    Unit("GRM", "g", "grams"),
    Unit("KGM", "kg", "kilograms"),
    Unit("TNE", "t", "tonnes"),
    Unit("LTR", "l", "litres"),
    Unit("MTQ", "m³", "cubic metres"),
    Unit("MQH", "m³/h", "cubic metres per hour"),
    Unit("L2", "l/min", "litres per minute"),
    Unit("MTK", "m²", "square metres"),
    Unit("E20", "Mbit/s", "megabits per second"),
    Unit("B80", "Gbit/s", "gigabits per second"),
    Unit("P72", "µSv/h", "microsieverts per hour"),
)

UNITS: Final[dict[str, Unit]] = {unit.code: unit for unit in _LISTED}
"""The units known by name, by common code."""


def unit(code: str) -> Unit:
    """The unit of a common code; an unlisted code stands for itself."""
    return UNITS.get(code) or Unit(code, code, code)
