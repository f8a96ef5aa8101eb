"""Taking the past away: observations of chosen sensors as CSV (RFC 4180), streamed as they are read."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from broadstreet.history import export
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import NotFound
from broadstreet.model.terms import compact, expand
from broadstreet.portal.roster import Roster
from broadstreet.portal.sensor import Sensor, Value
from broadstreet.portal.words import type_label, unit_label
from broadstreet.store import Database

HEADER: Final = ("entity", "title", "street", "attribute", "unit", "unit_code", "observed_at_utc", "value", "simulated")
MEDIA_TYPE: Final = "text/csv; charset=utf-8; header=present"


def chosen(
    roster: Roster, ids: Sequence[str], street: str | None, attribute: str | None
) -> dict[int, tuple[Sensor, Value]]:
    """Series, by key, of the sensors named, or of a street, or of all. Raises NotFound where none is meant."""
    name = None if attribute is None else compact(expand(attribute))
    wanted = set(ids)
    found = {
        value.series_key: (sensor, value)
        for sensor in roster.sensors.values()
        if (not wanted or sensor.id in wanted) and (street is None or sensor.street == street)
        for value in sensor.values.values()
        if name is None or value.name == name
    }
    if not found:
        raise NotFound("no sensor is meant by these", where="id, street, attribute", remedy="Search for one first.")
    return found


def file_name(
    city: str,
    series: Mapping[int, tuple[Sensor, Value]],
    street: str | None,
    attribute: str | None,
    from_us: int,
    to_us: int,
) -> str:
    """What a browser saves it as: the city, the kind of sensors if it is one, the street, the measure, the days."""
    types = {sensor.type for sensor, _ in series.values()}
    kind = type_label(types.pop()) if len(types) == 1 else "Sensors"
    days = (format_rfc3339(from_us)[:10], format_rfc3339(max(to_us - 1, from_us))[:10])
    named = (_plain(part) for part in (city, kind, street, attribute, *days) if part)
    return "_".join(named) + ".csv"


def _plain(text: str) -> str:
    """A part of a file's name: letters without their accents, figures, hyphens between."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", letters).strip("-")


async def csv_lines(
    database: Database, series: dict[int, tuple[Sensor, Value]], from_us: int, to_us: int
) -> AsyncIterator[bytes]:
    """The file in pieces: its header, then a few thousand rows at a time, by series and time."""
    yield _csv([HEADER])
    async for rows in export(database, list(series), from_us, to_us):
        yield _csv(
            (
                sensor.id,
                sensor.title,
                sensor.street or "",
                value.name,
                unit_label(value.unit),
                value.unit or "",
                format_rfc3339(row.observed_at_us),
                _cell(row.value),
                "true" if row.simulated or sensor.simulated else "false",
            )
            for row in rows
            for sensor, value in (series[row.series_key],)
        )


def _cell(value: Any) -> str:
    """A value as text that reads back as the same: numbers in full, texts as they are, the rest as JSON."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
