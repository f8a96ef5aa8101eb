"""The mapping: a TOML file that says what a table's rows, columns and times mean, and what to make of them.

These are its types; checking.py holds what must be true of them. docs/reference/mappings.md describes every key, and a
test says so.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from datetime import timedelta, tzinfo
from enum import StrEnum
from string import Formatter
from typing import Annotated, Final, Literal, Self

import msgspec
from msgspec import Meta, Struct

from broadstreet.devices import Profile, parse_profile
from broadstreet.devices.dataset import Dataset as DatasetFacts
from broadstreet.history import Period, time_zone
from broadstreet.model.errors import InvalidInput

SENSOR: Final = "sensor"
"""The name that stands for a sensor's id in templates."""
TIME_FIELD: Final = "time"
"""The payload field that carries the device's time in a replay."""

UNIX_FORMATS: Final = {"unix_s", "unix_ms", "unix_us"}
FINITE_OPTIONS: Final = ("scale", "offset", "minimum", "maximum", "limit")


class Form(StrEnum):
    """How readings lie in a table."""

    WIDE = "wide"
    """A row a moment, a column a sensor."""
    LONG = "long"
    """A row a sensor and moment, a column an attribute."""


class OnEmpty(StrEnum):
    """What becomes of a cell that says nothing."""

    SKIP = "skip"
    REJECT = "reject"


class Nonexistent(StrEnum):
    """What becomes of a local time that the clocks skipped."""

    REJECT = "reject"
    SHIFT_FORWARD = "shift_forward"
    """It moves on by as much as the clocks did."""


class Ambiguous(StrEnum):
    """What becomes of a local time that the clocks showed twice."""

    REJECT = "reject"
    EARLIEST = "earliest"
    LATEST = "latest"


class File(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table itself. columns: their names, for a file without a header."""

    form: Form
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    decimal: Annotated[str, Meta(pattern=r"^[.,]$")] = "."
    encoding: str = "utf-8"
    columns: list[str] | None = None
    empty: tuple[str, ...] = ("",)
    on_empty: OnEmpty | None = None


class Time(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When each row was observed: by a column, or by a start and a step."""

    column: str | None = None
    format: str = "iso"
    time_zone: str | None = None
    nonexistent: Nonexistent = Nonexistent.REJECT
    ambiguous: Ambiguous = Ambiguous.REJECT
    start: str | None = None
    step: str | None = None


class Sensor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What makes the readings, and what it becomes: an entity, and a device where `device` is given."""

    type: str
    entity: str
    column: str | None = None
    id: str | None = None
    ignore: list[str] = []
    title: str = "{sensor}"
    device: str | None = None
    profile: str | None = None
    interval_s: Annotated[float, Meta(gt=0, le=31_622_400)] = 300.0


class Locations(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table beside, with a row a sensor."""

    file: str
    sensor: str
    latitude: str
    longitude: str
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"


class Attribute(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a column's cells become: number × scale + offset, in `unit` (a UN/CEFACT common code)."""

    column: str | None = None
    unit: str | None = None
    type: Annotated[str, Meta(pattern="^(number|text|boolean)$")] = "number"
    scale: float = 1.0
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    limit: float | None = None


class Dataset(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The steward's view: who answers for the data, what it is for, how long it stays (in days or weeks, ISO 8601)."""

    id: str
    title: str
    owner: str = ""
    purpose: str = ""
    licence: str = ""
    personal_data: Literal["none", "pseudonymous", "personal", "special"] = "none"
    retention: str | None = None


class Mapping(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole mapping, checked."""

    file: File
    time: Time
    sensor: Sensor
    attributes: dict[str, Attribute]
    dataset: Dataset
    locations: Locations | None = None

    @property
    def zone(self) -> tzinfo | None:
        """The time zone of the table's local times."""
        return None if self.time.time_zone is None else time_zone(self.time.time_zone)

    @property
    def step(self) -> Period | None:
        """How far rows lie apart, where the table has no time."""
        return None if self.time.step is None else Period.parse(self.time.step, "time.step")

    @property
    def dataset_facts(self) -> DatasetFacts:
        """The dataset as the registry keeps it."""
        facts = msgspec.structs.asdict(self.dataset)
        kept = Period.parse(self.dataset.retention, "dataset.retention") if self.dataset.retention else None
        facts["retention"] = None if kept is None else timedelta(days=kept.days, microseconds=kept.us)
        return DatasetFacts(**facts)

    @property
    def on_empty(self) -> OnEmpty:
        """Left out, gaps are usual in a wide table, and a fault in a long one."""
        default = OnEmpty.SKIP if self.file.form is Form.WIDE else OnEmpty.REJECT
        return self.file.on_empty or default

    @property
    def profile_text(self) -> str | None:
        """The TOML of the profile by which the sensors' devices are decoded; None where there are no devices."""
        if self.sensor.device is None:
            return None
        sensor = self.sensor
        head: dict[str, object] = {
            "name": sensor.profile,
            "type": sensor.type,
            "time": TIME_FIELD,
            "interval_s": sensor.interval_s,
        }
        tables = {"profile": head}
        for name, attribute in self.attributes.items():
            tables[f"attributes.{_toml(name)}"] = {"field": payload_field(name), **_profile_options(attribute)}
        return "\n".join(
            line
            for table, keys in tables.items()
            for line in (f"[{table}]", *(f"{key} = {_toml(value)}" for key, value in keys.items()), "")
        )

    @property
    def profile(self) -> Profile | None:
        """The same, parsed."""
        text = self.profile_text
        return None if text is None else parse_profile(text)

    def sensor_columns(self, columns: Sequence[str]) -> list[str]:
        """The columns of a wide table that are sensors."""
        others = {self.time.column, *self.sensor.ignore}
        return [name for name in columns if name not in others]

    @classmethod
    def parse(cls, text: str) -> Self:
        """As parse_mapping, without the checks that need more than types."""
        try:
            return msgspec.toml.decode(text, type=cls)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            raise InvalidInput(
                message, where=path.rstrip("`").lstrip(".") or "mapping", remedy="See docs/reference/mappings.md."
            ) from None
        except msgspec.DecodeError as error:
            raise InvalidInput(f"the mapping is not TOML: {error}", where="mapping") from None


def fill(template: str, values: MappingOf[str, str], where: str) -> str:
    """A template with its {names} filled in. Raises InvalidInput for a name that has no value."""
    parts = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            if name not in values:
                raise InvalidInput(
                    f"the template {template!r} names {{{name}}}, which there is none of",
                    where=where,
                    remedy=f"Use one of {', '.join(f'{{{known}}}' for known in values)}.",
                )
            parts.append(values[name])
    return "".join(parts)


def template_names(template: str, where: str) -> list[str]:
    """The {names} in a template. Raises InvalidInput for braces that do not match."""
    try:
        return [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise InvalidInput(
            f"the template {template!r} cannot be read: {error}", where=where, remedy="Write names as {sensor}."
        ) from None


def payload_field(attribute: str) -> str:
    """The field of a replayed payload that carries an attribute."""
    return attribute.rsplit("/", 1)[-1].replace(".", "_")


def _toml(value: object) -> str:
    """A text or number as TOML writes it: as JSON does."""
    return msgspec.json.encode(value).decode()


def _profile_options(attribute: Attribute) -> dict[str, object]:
    names = ("unit", "type", *FINITE_OPTIONS)
    return {name: value for name in names if (value := getattr(attribute, name)) is not None}
