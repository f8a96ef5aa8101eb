"""Where the sensors stand: the table of locations beside the data."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from pathlib import Path
from typing import Final

import msgspec

from broadstreet.importer.mapping import SENSOR, Locations, Mapping, Sensor, template_names
from broadstreet.importer.source import Format, inspect, open_bytes
from broadstreet.importer.table import open_table
from broadstreet.model.errors import InvalidInput, TooLarge

MAX_PLACES: Final = 100_000


class Place(msgspec.Struct, frozen=True):
    """A sensor's place in degrees (WGS 84), and the row it was found in, by column."""

    lon: float
    lat: float
    row: dict[str, str]


class Places(msgspec.Struct, frozen=True):
    """Every place by sensor, and the SHA-256 of the file they came from."""

    by_sensor: dict[str, Place]
    sha256: bytes


NOWHERE: Final = Places({}, b"")


def read_places(mapping: Mapping, data: Path, given: Path | None) -> Places:
    """The places of a mapping's [locations]; none where it has no such section.

    data: the data file, beside which the locations lie unless `given` says where. Raises InvalidInput or NotFound,
    naming the line that is wrong: a sensor in a wrong place is worse than an import that waits.
    """
    locations = mapping.locations
    if locations is None:
        return NOWHERE
    path = given or data.parent / locations.file
    source = inspect(path, locations.encoding)
    rows = _rows(path, source.format, locations)
    _check_templates(mapping.sensor, list(rows[0][1]) if rows else [], path)
    places: dict[str, Place] = {}
    for line, row in rows:
        name = row[locations.sensor].strip()
        where = f"{path}, line {line}"
        if name in places:
            raise InvalidInput(f"the sensor {name!r} has two places", where=where, remedy="Leave one.")
        lat, lon = _degrees(row, locations.latitude, 90, where), _degrees(row, locations.longitude, 180, where)
        places[name] = Place(lon, lat, row)
    return Places(places, source.sha256)


def _rows(path: Path, form: Format, locations: Locations) -> list[tuple[int, dict[str, str]]]:
    """The table's rows with their line numbers. Cells may hold line breaks here."""
    needed = (locations.sensor, locations.latitude, locations.longitude)
    if form is Format.PARQUET:
        table = open_table(inspect(path, locations.encoding), locations.encoding, locations.delimiter)
        columns, rows = table.columns, [(record.line, record.cells) for record in table.records()]
    else:
        with io.TextIOWrapper(open_bytes(path, form), encoding=locations.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=locations.delimiter)
            columns = [name.strip().removeprefix("\ufeff") for name in next(reader, [])]
            rows = [(reader.line_num, cells) for cells in reader if cells]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise InvalidInput(
            f"the table of locations has no column {missing[0]!r}",
            where=str(path),
            remedy=f"Its columns are {', '.join(map(repr, columns[:12]))}. Mend [locations].",
        )
    if len(rows) > MAX_PLACES:
        raise TooLarge(f"a table of locations has at most {MAX_PLACES} rows", where=str(path))
    for line, cells in rows:
        if len(cells) != len(columns):
            raise InvalidInput(
                f"{len(cells)} cells instead of {len(columns)}", where=f"{path}, line {line}", remedy="Mend the line."
            )
    return [(line, dict(zip(columns, cells, strict=True))) for line, cells in rows]


def _degrees(row: dict[str, str], column: str, most: float, where: str) -> float:
    try:
        degrees = float(row[column])
    except ValueError:
        degrees = math.nan
    if not -most <= degrees <= most:
        raise InvalidInput(
            f"{column} is {row[column]!r}, not degrees from {-most:g} to {most:g}", where=where, remedy="Mend the line."
        )
    return degrees


def _check_templates(sensor: Sensor, columns: list[str], path: Path) -> None:
    for key in ("entity", "title", "device"):
        for name in template_names(getattr(sensor, key) or "", f"sensor.{key}"):
            if name != SENSOR and name not in columns:
                raise InvalidInput(
                    f"the template names {{{name}}}, and the table of locations has no such column",
                    where=f"sensor.{key}",
                    remedy=f"Its columns are {', '.join(map(repr, columns[:12]))}, in {path}.",
                )


def mapping_hash(text: str, places: Places) -> bytes:
    """What tells a mapping, with its places, from another."""
    return hashlib.sha256(hashlib.sha256(text.encode()).digest() + places.sha256).digest()
