"""Profiles: what is wrong with one is said with its place."""

from __future__ import annotations

import pytest

from broadstreet.devices import parse_profile
from broadstreet.devices.profile import TimeFormat, ValueType
from broadstreet.model.errors import InvalidInput
from broadstreet.model.terms import expand

HEAD = '[profile]\nname = "air"\ntype = "AirQualityObserved"\n'
ATTRIBUTE = '[attributes.NO2]\nfield = "no2"\n'


def test_a_profile_is_read_whole() -> None:
    profile = parse_profile(
        HEAD
        + 'time = "meta.ts"\ntime_format = "unix_ms"\ninterval_s = 60\n'
        + ATTRIBUTE
        + 'unit = "GQ"\nscale = 0.5\noffset = 1\nminimum = 0\nmaximum = 9\nlimit = 8\n'
        + '[attributes."urn:x:status"]\nfield = "a.b"\ntype = "text"\n'
    )
    assert (profile.name, profile.type, profile.time) == ("air", expand("AirQualityObserved"), "meta.ts")
    assert (profile.time_format, profile.interval_s) == (TimeFormat.UNIX_MS, 60)
    assert profile.iris == [expand("NO2"), "urn:x:status"]
    no2, status = profile.attributes.values()
    assert (no2.scale, no2.offset, no2.minimum, no2.maximum, no2.limit, no2.unit) == (0.5, 1, 0, 9, 8, "GQ")
    assert (status.field, status.type) == ("a.b", ValueType.TEXT)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[profile", "profile", "not TOML"),
        (HEAD, "profile", "attributes"),
        (ATTRIBUTE, "profile", "profile"),
        (HEAD + "[attributes]", "attributes", "1 to 64"),
        (HEAD.replace("air", "Air Quality") + ATTRIBUTE, "profile.name", "cannot name"),
        (HEAD.replace("AirQualityObserved", " ") + ATTRIBUTE, "profile.type", "empty"),
        (HEAD + "colour = 1\n" + ATTRIBUTE, "profile", "unknown field"),
        (HEAD + 'time_format = "sundial"\n' + ATTRIBUTE, "profile.time_format", "sundial"),
        (HEAD + "interval_s = 0\n" + ATTRIBUTE, "profile.interval_s", "> 0"),
        (HEAD + 'time = "a..b"\n' + ATTRIBUTE, "profile.time", "path into a payload"),
        (HEAD + ATTRIBUTE.replace("no2", ""), "attributes.NO2.field", "path into a payload"),
        (HEAD + ATTRIBUTE + "scale = inf\n", "attributes.NO2", "not finite"),
        (HEAD + ATTRIBUTE + "minimum = 2\nmaximum = 1\n", "attributes.NO2", "over maximum"),
        (HEAD + ATTRIBUTE + 'type = "text"\nunit = "GQ"\n', "attributes.NO2", "for numbers"),
        (HEAD + ATTRIBUTE + f'[attributes."{expand("NO2")}"]\nfield = "x"\n', "attributes", "same IRI"),
        (HEAD + ATTRIBUTE + "# " + "x" * 70_000, "profile", "bytes long"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, where: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_profile(text)
    assert message in caught.value.message
    assert caught.value.where is not None and caught.value.where.startswith(where)
