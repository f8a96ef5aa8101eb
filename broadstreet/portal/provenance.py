"""Where one observation comes from, told step by step from its device to its row."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.access import Access
from broadstreet.devices import Profile, parse_profile
from broadstreet.history import Observation, nearest_before
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import NotFound
from broadstreet.model.terms import compact, expand
from broadstreet.portal.series import find_series
from broadstreet.portal.town import Town
from broadstreet.portal.values import in_words
from broadstreet.portal.words import attribute_label, day, moment, unit_label
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    import asyncpg

US_PER_MS: Final = 1000
_SQL = load_queries("portal")


class OriginView(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote something, when, and where it stands in the log."""

    kind: str
    at: str
    who: str
    principal: str
    pack_id: str | None
    stream: str | None
    partition: int | None
    sequence: int | None
    note: str | None


class DeviceName(msgspec.Struct, frozen=True):
    """A device."""

    id: str
    title: str


class ProfileText(msgspec.Struct, frozen=True):
    """A version of a profile, whole."""

    name: str
    version: int
    body: str


class Step(msgspec.Struct, frozen=True):
    """One step of a point's way, in words."""

    title: str
    text: str


class ProvenanceView(msgspec.Struct, frozen=True):
    """Where one observation comes from."""

    observed_at: str
    value: Any
    text: str
    origin: OriginView
    device: DeviceName | None
    profile: ProfileText | None
    steps: list[Step]


def end_of_millisecond(at_us: int) -> int:
    """The last microsecond of a moment given in whole milliseconds, which is how the page's charts count."""
    return at_us + US_PER_MS - 1 if at_us % US_PER_MS == 0 else at_us


async def provenance_view(
    access: Access, town: Town, entity_id: str, attribute: str, at_us: int, now_us: int
) -> ProvenanceView:
    """Where the observation at or before a moment, or within its millisecond, comes from. Raises NotFound."""
    series = await find_series(town, entity_id, attribute)
    found = await nearest_before(town.database, series.key, end_of_millisecond(at_us))
    if found is None:
        raise NotFound(f"nothing was observed until {format_rfc3339(at_us)}", where="at")
    origin = await town.database.fetchrow(_SQL["origin"], found.origin_key)
    if origin is None:
        raise NotFound(
            "it came with a device's readings so long ago that their pack is no longer known",
            remedy="The setting past.pack_days says how long that is.",
        )
    is_sent = origin["kind"] == "pack" and series.device_key is not None
    profile = await _profile_at(town.database, series.device_key, origin["at"]) if is_sent else None
    name = compact(expand(attribute))
    sensor = (await town.roster()).sensors.get(entity_id)
    device = DeviceName(series.device, sensor.title if sensor else series.device) if series.device else None
    titles = await access.accounts.titles([origin["principal"]])
    who = device.title if is_sent and device else titles.get(origin["principal"], origin["principal"])
    return ProvenanceView(
        format_rfc3339(found.observed_at_us),
        found.value,
        in_words(found.value),
        _origin(origin, who),
        device,
        profile,
        _steps(found, origin, who, series.unit, device, profile, name, now_us, town.zone()),
    )


async def _profile_at(database: Database, device_key: int | None, at_us: int) -> ProfileText | None:
    row = await database.fetchrow(_SQL["profile_at"], device_key, at_us)
    return None if row is None else ProfileText(row["name"], row["version"], row["body"])


def _origin(row: asyncpg.Record, who: str) -> OriginView:
    return OriginView(
        kind=row["kind"],
        at=format_rfc3339(row["at"]),
        who=who,
        principal=row["principal"],
        pack_id=None if row["pack_id"] is None else str(row["pack_id"]),
        stream=row["stream"],
        partition=row["partition"],
        sequence=row["sequence"],
        note=row["note"],
    )


def _steps(
    found: Observation,
    origin: asyncpg.Record,
    who: str,
    unit: str | None,
    device: DeviceName | None,
    profile: ProfileText | None,
    name: str,
    now_us: int,
    zone: tzinfo,
) -> list[Step]:
    """The way of one observation, told from its beginning."""
    value, label = in_words(found.value, unit), attribute_label(name)
    observed = f"{label} {value}, observed {_when(found.observed_at_us, now_us, zone)}"
    recorded = _when(origin["at"], now_us, zone)
    steps: list[Step] = []
    if origin["kind"] == "pack" and device is not None:
        steps += [
            Step("Device", f"{device.title} ({device.id}) sent it: {observed}."),
            Step(
                "Gateway",
                f"{origin['principal']} took it in, and acknowledged it once pack {origin['pack_id']} was on disk.",
            ),
            Step(
                "Log",
                f"The pack stands in {str(origin['stream']).partition('@')[0]}, partition {origin['partition']}, "
                f"as number {origin['sequence']:,}.",
            ),
        ]
        if profile is not None:
            steps.append(Step("Profile", _decoding(parse_profile(profile.body), profile, name)))
        steps.append(Step("Store", f"The recorder applied it once, {recorded}."))
    else:
        title, told = _BEGINNINGS.get(origin["kind"], ("Origin", "{who} wrote it"))
        by_token = f" (with the token “{origin['note']}”)" if origin["kind"] == "api" and origin["note"] else ""
        note = by_token or (f" ({origin['note']})" if origin["note"] else "")
        steps += [
            Step(title, f"{told.format(who=who)}{note}: {observed}."),
            Step("Store", f"It was written {recorded}."),
        ]
    if found.modified_at_us is not None:
        steps.append(Step("Correction", f"Another value stood here before; it was corrected {recorded}."))
    return steps


_BEGINNINGS: Final = {
    "api": ("Program or person", "{who} wrote it through an API"),
    "import": ("Import", "{who} imported it from a file"),
    "simulated": ("Simulator", "{who} made it up; nothing measured it"),
    "registry": ("Registry", "{who} gave it when the device was registered"),
}
"""How an observation that no device sent began, by its origin's kind."""


def _decoding(parsed: Profile, profile: ProfileText, name: str) -> str:
    mapping = parsed.attributes.get(name)
    told = f"Version {profile.version} of the profile {profile.name} decoded it"
    if mapping is None:
        return told + "."
    change = "" if mapping.scale == 1.0 else f" × {mapping.scale:g}"
    change += "" if mapping.offset == 0.0 else f" {'+' if mapping.offset > 0 else '-'} {abs(mapping.offset):g}"
    symbol = unit_label(mapping.unit)
    unit = f", in {symbol}" if symbol else ""
    return f"{told}: {attribute_label(name)} is the payload's field {mapping.field}{change}{unit}."


def _when(at_us: int, now_us: int, zone: tzinfo) -> str:
    """A moment with its day: `today at 03:12`, `yesterday at 03:12 (2 March)`, `on 1 March at 03:12`."""
    told = moment(at_us, now_us, zone)
    if told.startswith("at "):
        return f"today {told}"
    return told if told.startswith("on ") else f"{told} ({day(at_us, now_us, zone)})"
