"""Checking a mapping: by itself when it is read, and against a table's columns before a row is.

A refusal names the key that is wrong and what to write instead.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Sequence
from typing import Final

from broadstreet.devices import parse_profile
from broadstreet.history import Period, time_zone
from broadstreet.importer.mapping import FINITE_OPTIONS, SENSOR, UNIX_FORMATS, File, Form, Mapping, Time, template_names
from broadstreet.model.errors import InvalidInput
from broadstreet.model.identifiers import check_uri

MAX_MAPPING_BYTES: Final = 64 * 1024
MAX_ATTRIBUTES: Final = 64


def parse_mapping(text: str) -> Mapping:
    """Parse and check a mapping. Raises InvalidInput that says what, where and what to do."""
    if len(text.encode()) > MAX_MAPPING_BYTES:
        raise InvalidInput(f"a mapping is at most {MAX_MAPPING_BYTES} bytes long", where="mapping")
    mapping = Mapping.parse(text)
    _check_file(mapping.file)
    _check_time(mapping.time)
    _check_sensor(mapping)
    _check_attributes(mapping)
    check_uri(mapping.dataset.id, "dataset.id")
    if mapping.dataset.retention is not None:
        kept = Period.parse(mapping.dataset.retention, "dataset.retention")
        _check(kept.months == 0, "dataset.retention", "months and years differ in length", "Give days, such as P730D.")
    if mapping.sensor.device is not None:
        parse_profile(mapping.profile_text or "")
    return mapping


def check_columns(mapping: Mapping, columns: Sequence[str], where: str) -> None:
    """InvalidInput where the table lacks a column the mapping names, or has it twice."""
    _check_present(_named_columns(mapping), columns, where)
    if mapping.file.form is Form.WIDE:
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            raise InvalidInput(f"two columns are called {twice[0]!r}", where=where, remedy="Rename one of them.")
        if not mapping.sensor_columns(columns):
            raise InvalidInput("no column is left to be a sensor", where=where, remedy="Mend sensor.ignore.")


def _named_columns(mapping: Mapping) -> list[tuple[str, str]]:
    """(column, the mapping's key that names it)."""
    named = [(name, "sensor.ignore") for name in mapping.sensor.ignore]
    if mapping.time.column is not None:
        named.append((mapping.time.column, "time.column"))
    if mapping.sensor.column is not None:
        named.append((mapping.sensor.column, "sensor.column"))
    named += [(a.column, f"attributes.{name}.column") for name, a in mapping.attributes.items() if a.column]
    return named


def _check(holds: bool, where: str, message: str, remedy: str = "See docs/reference/mappings.md.") -> None:
    if not holds:
        raise InvalidInput(message, where=where, remedy=remedy)


def _check_present(named: list[tuple[str, str]], columns: Sequence[str], where: str) -> None:
    missing = [f"{column!r} ({key})" for column, key in named if column not in columns]
    if missing:
        shown = ", ".join(repr(name) for name in list(columns)[:12]) + (", …" if len(columns) > 12 else "")
        raise InvalidInput(
            f"the table has no column {', '.join(missing)}",
            where=where,
            remedy=f"Its columns are {shown}. Mend the mapping's names, or file.delimiter.",
        )
    for column, key in named:
        if columns.count(column) > 1:
            raise InvalidInput(f"two columns are called {column!r} ({key})", where=where, remedy="Rename one of them.")


def _check_file(file: File) -> None:
    try:
        codecs.lookup(file.encoding)
    except LookupError:
        _check(False, "file.encoding", f"there is no encoding {file.encoding!r}", "Use utf-8, cp1252 or latin-1.")
    _check(file.delimiter != file.decimal, "file.decimal", "the decimal sign is the delimiter")
    _check(file.delimiter not in '"\r\n', "file.delimiter", f"{file.delimiter!r} cannot part cells")
    if file.columns is not None:
        _check(len(file.columns) > 0, "file.columns", "the list is empty", "Name the columns, or leave it out.")


def _check_time(time: Time) -> None:
    by_step = time.start is not None or time.step is not None
    _check(
        (time.column is not None) != by_step,
        "time",
        "a time comes from `column`, or from `start` and `step`",
        "Give one of the two.",
    )
    zoned = time.format in UNIX_FORMATS or "%z" in time.format
    _check(
        time.format == "iso" or time.format in UNIX_FORMATS or "%" in time.format,
        "time.format",
        f"{time.format!r} is no format of time",
        "Use iso, unix_s, unix_ms, unix_us, or a pattern such as %d/%m/%Y %H:%M.",
    )
    _check(
        zoned or time.time_zone is not None,
        "time.time_zone",
        "the times' zone is not stated",
        "Name it, such as Europe/Helsinki; UTC is one too.",
    )
    if time.time_zone is not None:
        time_zone(time.time_zone)
    if by_step:
        _check(time.start is not None, "time.start", "`step` needs a `start`", "Give the first row's time.")
        _check(time.step is not None, "time.step", "`start` needs a `step`", "Give it as a duration, such as PT5M.")
        step = Period.parse(time.step or "", "time.step")
        _check(not step.is_whole_range, "time.step", "a step of zero stands still", "Give a duration, such as PT5M.")


def _check_sensor(mapping: Mapping) -> None:
    sensor, wide = mapping.sensor, mapping.file.form is Form.WIDE
    _check(
        bool(sensor.type.strip()), "sensor.type", "the entity type is empty", "Name one, such as TrafficFlowObserved."
    )
    if wide:
        _check(sensor.column is None and sensor.id is None, "sensor", "in a wide table the columns are the sensors")
    else:
        given = (sensor.column is not None) + (sensor.id is not None)
        _check(
            given == 1, "sensor", "a long table's sensor comes from `column`, or is one `id`", "Give one of the two."
        )
        _check(not sensor.ignore, "sensor.ignore", "only a wide table has columns to ignore", "Leave it out.")
    names = set()
    for key in ("entity", "title", "device"):
        template = getattr(sensor, key)
        if template is not None:
            names.update(template_names(template, f"sensor.{key}"))
    _check(
        mapping.locations is not None or names <= {SENSOR},
        "sensor",
        f"the templates name {sorted(names - {SENSOR})}, and there is no [locations] to take it from",
    )
    one = sensor.id is not None
    _check(
        one or SENSOR in template_names(sensor.entity, ""),
        "sensor.entity",
        "every sensor would be one entity",
        "Put {sensor} into the template.",
    )
    if sensor.device is not None:
        _check(
            one or SENSOR in template_names(sensor.device, ""),
            "sensor.device",
            "every sensor would be one device",
            "Put {sensor} into the template.",
        )
        _check(sensor.profile is not None, "sensor.profile", "devices need a profile", "Give it a name.")
        _check(mapping.locations is not None, "sensor.device", "devices need places, and there is no [locations]")
    else:
        _check(
            sensor.profile is None, "sensor.profile", "a profile is for devices", "Give `device` too, or leave it out."
        )
    check_uri(re.sub(r"\{[^{}]*\}", "x", sensor.entity), "sensor.entity")


def _check_attributes(mapping: Mapping) -> None:
    count, wide = len(mapping.attributes), mapping.file.form is Form.WIDE
    _check(1 <= count <= MAX_ATTRIBUTES, "attributes", f"a mapping makes 1 to {MAX_ATTRIBUTES} attributes, not {count}")
    _check(not wide or count == 1, "attributes", "a wide table's cells are one attribute", "Leave one.")
    for name, attribute in mapping.attributes.items():
        where = f"attributes.{name}"
        _check(
            wide == (attribute.column is None),
            f"{where}.column",
            "a wide table's attribute has no column of its own, a long one's has",
            "Mend it.",
        )
        given = {option: getattr(attribute, option) for option in FINITE_OPTIONS}
        _check(all(v is None or math.isfinite(v) for v in given.values()), where, "a number is not finite", "Mend it.")
        if attribute.type != "number":
            plain = attribute.scale == 1.0 and attribute.offset == 0.0 and attribute.unit is None
            _check(
                plain and all(given[o] is None for o in FINITE_OPTIONS[2:]),
                where,
                f"unit, scale, offset and bounds are for numbers, not for type {attribute.type}",
                "Leave them out.",
            )
        if attribute.minimum is not None and attribute.maximum is not None:
            _check(attribute.minimum <= attribute.maximum, where, "minimum is over maximum", "Exchange them.")
