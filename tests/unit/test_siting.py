"""Where sensors go: what covers whom, what reaches a place and for how much, and how the answer is told."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.premises import NOBODY
from broadstreet.network.ground.sheet import parse_sheet
from broadstreet.network.siting import (
    Audience,
    Covariance,
    Means,
    Measurement,
    Objective,
    SensorPrices,
    choose_sites,
    default_sensor_prices,
    fit,
    grid,
    prove,
    read_sensor_prices,
    sites_csv,
    sites_geojson,
    spread,
)
from broadstreet.network.siting.case import MAX_FIELD, MAX_MAP_POINTS
from broadstreet.network.siting.hanging import hang, walkable
from broadstreet.network.siting.kernel import covariances
from broadstreet.network.siting.loss import airtime_s, loss_db, margin_db
from broadstreet.network.siting.place import MAX_PLACES
from broadstreet.network.siting.prices import sensor_sheet
from broadstreet.network.siting.radio import PathLoss, Radio
from broadstreet.network.siting.reach import Reach, reaches
from broadstreet.network.siting.targets import covered_by, targets_of
from broadstreet.network.siting.worth import present_cents, worth_cents
from tests.ground import line, streets
from tests.siting import HOMES, gateway, map_of, place, spots, town_case, town_ground

to = msgspec.structs.replace
PRICES = default_sensor_prices()


@pytest.fixture(scope="module")
def ground() -> Ground:
    return town_ground(HOMES)


def radio(**changes: Any) -> Radio:
    return to(PRICES.radio, **changes)


def test_candidates_stand_at_equal_steps_along_the_streets(ground: Ground) -> None:
    found = spread(ground, 31)
    step = (4 * 400 + 5 * 300) / 31
    assert len({one.id for one in found}) == 31
    assert (found[0].id, found[30].id, found[0].kind) == ("place-01", "place-31", "lamp_post")
    hung = hang(ground, found, walkable(ground))
    assert hung.lead_m.max() < 0.02
    assert len(set(spots(found))) == 31
    assert step == pytest.approx(100.0)
    assert spread(ground, 0) == ()


def test_on_foot_one_is_covered_along_the_streets_and_through_the_air_straight() -> None:
    ground = town_ground([((100, 105), 1.0), ((50, 105), 1.0), ((150, 205), 1.0), ((390, 290), 2.0)])
    case = town_case(ground, places=1, today=(), radius_m=120.0)
    targets = targets_of(case)
    # 30 m beyond the corner: the house at (50, 105) is 30 + 50 + 5 m away, that at (150, 205) 70 + 50 + 5.
    at_corner = (place("a", (100, 130)),)
    assert covered_by(case, targets, at_corner)[0].tolist() == [0, 1]
    through_air = dataclasses.replace(case, is_on_foot=False)
    assert covered_by(through_air, targets, at_corner)[0].tolist() == [0, 1, 2]
    # As near to either end of its way, and where no way is near.
    for spot, found in (((10, 100), [0, 1]), ((90, 100), [0, 1]), ((200, 150.0), [2]), ((150, 3000), [])):
        assert covered_by(case, targets, (place("a", spot),))[0].tolist() == found, spot
    assert covered_by(case, targets, ()) == []


def test_a_place_near_the_far_end_of_a_long_way_walks_on_from_there() -> None:
    case = town_case(audience=Audience.STREETS, radius_m=60.0, piece_m=4.0)
    targets = targets_of(case)
    # 60 m back, 5 m to the end, and 55 m each way from there: at a junction of three two ways, at a corner one.
    for spot, metres in (((395, 100), 175), ((5, 100), 175), ((395, 300), 120), ((5, 0), 120)):
        (rows,) = covered_by(case, targets, (place("a", spot),))
        assert targets.weight[rows].sum() == pytest.approx(metres, abs=12), spot


def test_people_customers_and_metres_are_whole(ground: Ground) -> None:
    people = targets_of(town_case(ground))
    assert people.weight.sum() == sum(round(2.2 * households) for _, households in HOMES)
    customers = targets_of(town_case(ground, audience=Audience.CUSTOMERS))
    assert customers.weight.sum() == sum(1 + i % 3 for i in range(len(HOMES)))
    metres = targets_of(town_case(ground, audience=Audience.STREETS, piece_m=7.0))
    assert metres.weight.sum() == pytest.approx(3100, rel=0.05)
    assert metres.weight.max() <= 7


def test_a_tunnel_is_no_street_to_walk_along_and_one_that_a_rule_closes_is(ground: Ground) -> None:
    part = ground.part.copy()
    part[:] = -1
    assert not walkable(dataclasses.replace(ground, part=part)).any()
    usable = ground.ways.usable.copy()
    usable[0] = False
    assert walkable(dataclasses.replace(ground, ways=dataclasses.replace(ground.ways, usable=usable)))[0]


def test_a_loss_is_the_published_formulas() -> None:
    assert loss_db(radio(), 1000, 25) == pytest.approx(
        13.54 + 39.08 * math.log10(math.hypot(1000, 21)) - 1.2296 - 1.5, abs=1e-3
    )
    assert loss_db(radio(model=PathLoss.UMI), 500, 10) == pytest.approx(22.4 + 35.3 * 2.69900 - 1.3095 - 0.75, abs=1e-2)
    assert loss_db(radio(model=PathLoss.OULU), 1000, 24) == pytest.approx(128.95)
    # Hata, 900 MHz, 100 m and 1.5 m, 10 km, a large city: 69.55 + 77.28 − 27.64 − 0.00 + 31.8.
    hata = radio(model=PathLoss.HATA, frequency_ghz=0.9, sensor_height_m=1.5)
    assert loss_db(hata, 10_000, 100) == pytest.approx(150.99, abs=0.02)
    assert loss_db(hata, 200, 100) == loss_db(hata, 1000, 100)
    assert margin_db(radio(certainty=0.5, reserve_db=3)) == pytest.approx(3)
    assert margin_db(radio(certainty=0.95, reserve_db=0)) == pytest.approx(1.6449 * 6, abs=1e-3)


def test_a_message_is_on_the_air_as_long_as_semtech_says() -> None:
    # 20 bytes and LoRaWAN's 13, 125 kHz, 4/5: Semtech's calculator.
    assert airtime_s(7, 20) == pytest.approx(0.071936)
    assert airtime_s(12, 20) == pytest.approx(1.810432)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("power_dbm = 20", "over 16.15 dBm EIRP"),
        ("frequency_ghz = 0.3", "uma-nlos is for 0.5 to 100 GHz"),
        ("sensor_height_m = 60", "sensors 1.5 to 22.5 m high"),
        ('model = "guess"', "radio.model"),
    ],
)
def test_what_a_model_was_not_made_for_is_refused(line: str, said: str) -> None:
    name = line.split(" ")[0]
    sheet = "\n".join(line if old.startswith(f"{name} ") else old for old in sensor_sheet().decode().splitlines())
    with pytest.raises(InvalidInput, match="radio") as caught:
        parse_sheet(sheet.encode(), SensorPrices, "mine")
    assert said in str(caught.value)
    with pytest.raises(InvalidInput, match="7 to 12"):
        parse_sheet(sensor_sheet().replace(b"spreading.12", b"spreading.13"), SensorPrices, "mine")


def test_what_is_paid_by_the_month_counts_as_if_paid_today(tmp_path: Any) -> None:
    assert present_cents(1000, 10, 0.0) == 120_000
    assert present_cents(1000, 1, 0.12) == pytest.approx(11_293, abs=1)  # ordinary annuity at 1.12^(1/12) - 1
    path = tmp_path / "sensors.toml"
    path.write_bytes(sensor_sheet())
    assert read_sensor_prices(path) == PRICES
    assert worth_cents(PRICES, PRICES.lorawan) == 5500 + present_cents(50, 10, 0.03)


def means(reach: Reach) -> dict[Means, str]:
    return {offer.means: offer.why for offer in reach.offers if offer.cents is None}


def test_the_cheapest_connection_that_works_is_taken_and_the_others_say_why_not() -> None:
    ground = town_ground(HOMES)
    spot = place("a", (200, 100))
    (first,) = reaches(dataclasses.replace(town_case(ground), candidates=(spot,)))
    assert first.best is not None
    assert first.best.means is Means.LORAWAN
    assert (first.best.gateway, first.best.spreading_factor) == ("roof", 7)
    assert first.cents == sum(
        worth_cents(PRICES, service) for service in (PRICES.sensor, PRICES.power["lamp_post"], PRICES.lorawan)
    )
    case = dataclasses.replace(town_case(ground), candidates=(spot,), gateways=(), fibre_nodes=(), has_mobile=False)
    (nothing,) = reaches(case)
    assert nothing.best is None
    assert means(nothing) == {
        Means.FIBRE: "no plan and no office is given that fibre could come from",
        Means.LORAWAN: "there is no gateway",
        Means.MOBILE: "no subscription is offered",
    }


def test_lorawan_says_why_it_does_not_work() -> None:
    case = dataclasses.replace(town_case(), candidates=(place("a", (200, 100)),))

    def why(**changes: Any) -> str:
        (one,) = reaches(dataclasses.replace(case, **changes))
        return means(one).get(Means.LORAWAN, "")

    assert why() == ""
    assert "is too long for spreading factor 7" in why(measurement=Measurement(message_bytes=223))
    assert "on the air too long" in why(measurement=Measurement(messages_per_hour=3000))
    assert "no gateway is within" in why(gateways=(gateway("far", (9000, 0)),))
    assert "no gateway is within" in why(gateways=(gateway("low", (300, 0), height_m=3.0),))
    assert "too weak at edge" in why(gateways=(gateway("edge", (4900, 0)),))
    (far,) = reaches(dataclasses.replace(case, gateways=(gateway("away", (1500, 0)),)))
    lora = far.offers[1]
    assert (lora.spreading_factor or 0) > 7
    assert lora.loss_db == pytest.approx(loss_db(PRICES.radio, 1303.8, 25), abs=0.05)


def test_fibre_costs_its_trench_its_cable_and_its_drop(ground: Ground) -> None:
    case = dataclasses.replace(town_case(ground), candidates=(place("a", (150, 205)), place("b", (150, 900))))
    near, far = reaches(case)
    catalogue = ground.catalogue
    # The office's node is at (200, 150): 50 m up, 50 m along, a drop of 5 m.
    asphalt = catalogue.trench.asphalt.per_m_cents + catalogue.permit.permit_per_m
    per_m = asphalt + catalogue.duct["1 x 40"].per_m_cents + catalogue.cable[4].per_m_cents
    expected = 100 * per_m + catalogue.drop.cents(5.0) + worth_cents(PRICES, PRICES.fibre)
    assert near.offers[0].cents == pytest.approx(expected, rel=1e-3)
    assert means(far)[Means.FIBRE] == "no way that may be dug lies within 100 m"
    everything = tuple(range(len(ground.ways)))
    (open_, _) = reaches(dataclasses.replace(case, opened=everything))
    lying = 100 * catalogue.cable[4].per_m_cents + catalogue.drop.cents(5.0) + worth_cents(PRICES, PRICES.fibre)
    assert open_.offers[0].cents == pytest.approx(lying, rel=1e-3)


def test_fibre_does_not_come_from_another_part_of_the_streets() -> None:
    apart = streets([line((0, 0), (600, 0)), line((0, 90), (600, 90))])
    ground = put_together(apart, NOBODY, default_catalogue())
    start = int(np.flatnonzero(ground.part == 0)[0])
    case = dataclasses.replace(
        town_case(ground), fibre_nodes=(start,), candidates=(place("a", (5, 0)), place("b", (5, 90)))
    )
    found = [reach.offers[0] for reach in reaches(case)]
    assert sorted(offer.cents is None for offer in found) == [False, True]
    assert "no way that may be dug leads here" in " ".join(offer.why for offer in found)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"candidates": ()}, "no place where a sensor may stand"),
        ({"count": None}, "nothing bounds"),
        ({"count": 0}, "so few"),
        ({"budget_cents": -1}, "so few"),
        ({"map": None, "objective": Objective.VARIANCE}, "no map"),
        ({"radius_m": 0.0}, "longer than nothing"),
        ({"candidates": (place("a", (0, 0), "tree"),)}, "'tree' is no kind of place"),
        ({"candidates": (place("a", (0, 0)), place("a", (9, 0)))}, "have the id a"),
        ({"today": (place("a", (0, 0)), place("a", (9, 0)))}, "have the id a"),
    ],
)
def test_a_question_without_an_answer_is_refused(ground: Ground, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        town_case(ground, **changes)


def test_what_is_over_a_bound_is_refused(ground: Ground) -> None:
    with pytest.raises(TooLarge, match="over the bound"):
        town_case(ground, today=tuple(place(f"{i}", (0, 0)) for i in range(MAX_PLACES + 1)))
    many = map_of()
    wide = dataclasses.replace(many, lon=np.zeros(MAX_MAP_POINTS), lat=np.zeros(MAX_MAP_POINTS))
    with pytest.raises(InvalidInput, match="over the bound of"):
        town_case(ground, places=MAX_FIELD - MAX_MAP_POINTS + 1, map=wide)
    with pytest.raises(InvalidInput, match="not within 1 and"):
        town_case(ground, map=dataclasses.replace(many, lon=np.zeros(0), lat=np.zeros(0)))


def test_a_map_has_points_where_streets_are(ground: Ground) -> None:
    lon, lat = grid(ground, 50.0)
    assert len(lon) == len(lat) == 9 * 7
    with pytest.raises(TooLarge, match="more than"):
        grid(ground, 2.0)
    with pytest.raises(TooLarge, match="more than"):
        grid(ground, 0.01)
    with pytest.raises(InvalidInput, match="longer than nothing"):
        grid(ground, 0.0)


def test_a_covariance_is_found_again_in_what_was_drawn_from_it() -> None:
    chance = np.random.default_rng(5)
    points = chance.uniform(0, 1000, (40, 2))
    true = Covariance(range_m=200.0, sill=4.0, nugget=0.5)
    lower = np.linalg.cholesky(covariances(true, points, points) + true.nugget * np.eye(40))
    means = chance.normal(0, 20, (150, 1))  # a mean of each moment's own is no part of it
    found = fit(points, means + (lower @ chance.normal(size=(40, 150))).T)
    assert found.range_m == pytest.approx(200, rel=0.15)
    assert found.sill == pytest.approx(4, rel=0.2)
    assert found.nugget == pytest.approx(0.5, rel=0.3)
    assert found.source == "restricted maximum likelihood, 150 moments of 40 sensors"


@pytest.mark.parametrize(
    ("points", "readings", "said"),
    [
        (np.zeros((4, 2)), np.zeros((20, 4)), "too little"),
        (np.zeros((6, 2)), np.zeros((9, 6)), "too little"),
        (np.arange(12.0).reshape(6, 2), np.ones((20, 6)), "do not vary"),
        (np.zeros((6, 2)), np.arange(120.0).reshape(20, 6) ** 2 % 7, "at one place"),
    ],
)
def test_readings_that_say_nothing_are_refused(points: Any, readings: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        fit(points, readings)


def test_too_many_sensors_to_fit_by_are_refused() -> None:
    with pytest.raises(TooLarge, match="over the bound"):
        fit(np.zeros((501, 2)), np.zeros((10, 501)))


def test_a_choice_is_told_as_a_map_and_as_a_table(ground: Ground) -> None:
    case = town_case(ground)
    case = dataclasses.replace(case, candidates=tuple(to(one, label="=1+1") for one in case.candidates))
    statement = choose_sites(case, seconds=2, tries=3)
    assert prove(statement, case) == []
    drawn = json.loads(sites_geojson(statement, case.today, case.gateways))
    assert [feature["properties"].get("order") for feature in drawn["features"]] == [1, 2, 3, None, None, None]
    assert drawn["features"][0]["geometry"]["coordinates"] == [statement.sites[0].lon, statement.sites[0].lat]
    rows = list(csv.DictReader(io.StringIO(sites_csv(statement).decode())))
    assert [row["place"] for row in rows] == [site.place for site in statement.sites]
    assert {row["label"] for row in rows} == {"'=1+1"}
    assert float(rows[0]["cost"]) == pytest.approx(statement.sites[0].cents / 100)
    assert msgspec.json.decode(msgspec.json.encode(statement), type=type(statement)) == statement


def test_a_budget_that_nothing_fits_leaves_what_stands(ground: Ground) -> None:
    for objective in Objective:
        case = town_case(ground, objective=objective, count=None, budget_cents=1000)
        statement = choose_sites(case, seconds=1, tries=2)
        assert statement.sites == ()
        assert statement.outcome == statement.today
        assert statement.gap == pytest.approx(0.0, abs=1e-6)
        assert prove(statement, case) == []
