"""The client for notebooks against a real house, over HTTP."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from argon2 import PasswordHasher

from broadstreet.access import Access
from broadstreet.access.password import Passwords
from broadstreet.apis import Services, create_app
from broadstreet.client import City, Query
from broadstreet.client.link import Patience
from broadstreet.devices import Registry
from broadstreet.engines import Engines
from broadstreet.log import Log, StreamLimits
from broadstreet.model.errors import (
    BadRequest,
    Conflict,
    InvalidInput,
    NotFound,
    NotSignedIn,
    Unavailable,
    UnknownTenant,
)
from broadstreet.store import Store
from tests.conformance.conftest import Ticking
from tests.conformance.test_ngsi_ld_entities import EVERY_KIND
from tests.conftest import Databases
from tests.contract.test_http_server import served
from tests.docs.pages import reference
from tests.docs.python import run

KINDS = {name if name == "location" else f"{name}Of": value for name, value in EVERY_KIND.items()}
FROM = datetime(2026, 2, 1, tzinfo=UTC)
LONG = 2_300
"""More instances than one answer holds, twice."""


@dataclass
class Door:
    """The house's application, which counts who comes, and asks some for patience first."""

    app: Any
    refusals: int = 0
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.asked.append(f"{scope['method']} {scope['path'].removeprefix('/ngsi-ld/v1')}")
            if self.refusals:
                self.refusals -= 1
                await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"0")]})
                await send({"type": "http.response.body", "body": b"not now"})
                return
        await self.app(scope, receive, send)


@dataclass
class Site:
    """A house, somebody with a notebook, and the pauses that were made."""

    door: Door
    address: str
    token: str
    waits: list[float] = field(default_factory=list)

    def city(self, **more: Any) -> City:
        patience = Patience(wait=self.waits.append)
        return City(self.address, **{"token": self.token, "patience": patience, "clock": lambda: FROM, **more})


@pytest.fixture(scope="module")
async def site(engines: Engines, databases: Databases) -> AsyncIterator[Site]:
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with TemporaryDirectory(prefix="broadstreet-") as folder:
        async with (
            databases.with_tenants("city") as dsn,
            await Store.connect(dsn) as store,
            await Log.connect(engines.addresses.nats_url) as log,
        ):
            await log.ensure_streams(StreamLimits())
            clock = Ticking()
            access = Access(store.control, clock, passwords=cheap)
            services = Services(store, log, access, Registry(store), clock)
            await access.accounts.create("root", "Root", tenant="city", roles=["engineer"], by="test")
            token = (await access.tokens.issue("root", "api", "test", 86_400, by="test")).secret
            door = Door(create_app(services))
            port = _free_port()
            async with served(Path(folder), port, door):
                yield Site(door, f"http://127.0.0.1:{port}", token)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def city(site: Site) -> Iterator[City]:
    site.door.asked.clear()
    site.waits.clear()
    with site.city() as opened:
        yield opened


def at_a_desk(test: Callable[..., None]) -> Callable[..., Any]:
    """A test in a thread of its own, as a notebook is in a process of its own: the house runs in this one."""

    @functools.wraps(test)
    async def run(**given: Any) -> None:
        await asyncio.to_thread(test, **given)

    return run


@at_a_desk
def test_an_entity_reads_back_as_it_was_written_in_every_form(city: City) -> None:
    written = {"id": "urn:x:every", "type": ["Lamp", "Thing"], "scope": ["/A", "/B"], **KINDS}
    assert city.create(written).done == ["urn:x:every"]
    entity = city.entity("urn:x:every")
    assert entity.to_dict() == written
    for form, media_type in (("concise", ""), ("simplified", ""), ("geojson", "application/geo+json")):
        parameters = {} if media_type else {"format": form}
        headers = {"accept": media_type or "application/json", "prefer": "body=json"}
        shown = city._link.http.get("/ngsi-ld/v1/entities/urn:x:every", params=parameters, headers=headers).json()
        assert entity.to_dict(form) == shown, form  # type: ignore[arg-type]  # one of the forms
    assert entity.lonlat == (24.9384, 60.1699)
    assert entity["routeOf"].value == ["urn:r:1", "urn:r:2"]
    assert entity["toldOf"]["by"]["since"].value == "2020"
    several = "severalOf"  # concise, its instances cannot be told from a list
    copied = {**entity.to_dict("concise"), "id": "urn:x:copied", several: written[several]}
    city.create(copied)
    assert city.entity("urn:x:copied").to_dict() == {**written, "id": "urn:x:copied"}
    with pytest.raises(InvalidInput, match="no form"):
        entity.to_dict("xml")  # type: ignore[arg-type]  # what is refused


@at_a_desk
def test_pages_are_asked_for_as_they_are_read(site: Site, city: City) -> None:
    city.upsert({"id": f"urn:x:page-{n}", "type": "Paged", "n": n} for n in range(7))
    site.door.asked.clear()
    found = city.entities(type="Paged", order_by="n;desc", page=3)
    assert site.door.asked == []
    walk = iter(found)
    assert [next(walk)["n"].value for _ in range(3)] == [6, 5, 4]
    assert len(site.door.asked) == 1
    assert [one["n"].value for one in walk] == [3, 2, 1, 0]
    assert len(site.door.asked) == 3
    assert [one.id for one in found.first(2)] == ["urn:x:page-6", "urn:x:page-5"]
    assert (found.count(), found.first(0)) == (7, [])
    assert city.entities(type="Nobody").first(1) == []
    assert "type=Paged" in found.url and "orderBy=n%3Bdesc" in found.url
    with pytest.raises(InvalidInput, match="at least one"):
        city.entities(type="Paged", page=0)


@at_a_desk
def test_places_and_conditions_select(city: City) -> None:
    for n in range(4):
        place = {"type": "Point", "coordinates": [24.90 + n / 64, 60.17]}
        city.create({"id": f"urn:x:post-{n}", "type": "Post", "n": n, "location": place, "scope": f"/Helsinki/P{n}"})
    near = city.entities(type="Post", near=(24.90, 60.17, 1_000))
    assert [one.id for one in near] == ["urn:x:post-0", "urn:x:post-1"]
    box = {"type": "Polygon", "coordinates": [[[24.92, 60], [25, 60], [25, 61], [24.92, 61], [24.92, 60]]]}
    assert [one["n"].value for one in city.entities(type="Post", within=box, q="n<3")] == [2]
    assert city.entities(type="Post", scope="/Helsinki/P3").count() == 1
    ordered = city.entities(type="Post", order_by="location;dist-desc", order_from=(24.90, 60.17), pick=["id", "n"])
    assert ordered.first(1)[0].to_dict("simplified") == {"id": "urn:x:post-3", "n": 3}
    frame = city.entities(type="Post").to_frame()
    assert list(frame.columns) == ["type", "lon", "lat", "n"]
    assert frame.loc["urn:x:post-2", "lon"] == 24.93125 and frame["n"].sum() == 6
    assert len(city.entities(type="Post").to_geojson()["features"]) == 4
    assert list(city.entities(type="Nobody").to_frame().columns) == ["type", "lon", "lat"]


@at_a_desk
def test_what_is_written_is_written(city: City) -> None:
    level = {"value": 1, "unitCode": "C62", "observedAt": "2026-02-01T00:00:00Z"}
    city.create({"id": "urn:x:w", "type": "W", "level": level, "name": "a"})
    city.update("urn:x:w", level=2)
    assert city.entity("urn:x:w")["level"].unit is None, "an update writes an attribute as a whole"
    city.update("urn:x:w", {"level": level})
    city.merge("urn:x:w", {"level": {"value": 3}, "name": "urn:ngsi-ld:null"})
    merged = city.entity("urn:x:w", with_times=True)
    assert (merged["level"].value, merged["level"].unit, list(merged)) == (3, "C62", ["level"])
    assert merged.created_at and merged.modified_at and merged["level"].modified_at
    city.replace({"id": "urn:x:w", "type": "W", "other": 1, "more": [1, 2]})
    city.delete_attribute("urn:x:w", "more")
    replaced = city.entity("urn:x:w")
    assert list(replaced) == ["other"]
    city.delete("urn:x:w")
    city.create(replaced)
    assert city.entity("urn:x:w") == replaced


@at_a_desk
def test_of_many_writes_those_that_failed_are_told(city: City) -> None:
    city.create({"id": "urn:x:there", "type": "Many"})
    many = [{"id": f"urn:x:many-{n}", "type": "Many", "n": n} for n in range(1_100)]
    outcome = city.upsert([*many, {"id": "no uri", "type": "Many"}, {"id": "urn:x:t"}], check=False)
    assert len(outcome.done) == 1_100 and [one for one, _ in outcome.failures] == ["no uri", "urn:x:t"]
    assert repr(outcome) == "<Outcome: 1,100 done, 2 failed>"
    with pytest.raises(BadRequest, match=r"2 of 1,102 entities were not written; no uri: ") as caught:
        outcome.check()
    assert caught.value.where and any("urn:x:t" in note for note in caught.value.__notes__)
    city.upsert([{"id": "urn:x:many-7", "type": "Many", "m": 1}], update=True)
    assert list(city.entity("urn:x:many-7")) == ["n", "m"]
    with pytest.raises(Conflict, match="1 of 2 entities were not written; urn:x:there"):
        city.create({"id": "urn:x:new", "type": "Many"}, {"id": "urn:x:there", "type": "Many"})
    assert len(city.delete("urn:x:new", "urn:x:nobody", check=False).failures) == 1


@at_a_desk
def test_an_error_is_the_houses_own(site: Site, city: City) -> None:
    with pytest.raises(NotFound) as caught:
        city.entity("urn:x:nobody")
    assert "urn:x:nobody" in caught.value.message
    assert caught.value.__notes__ == [f"asked: GET {site.address}/ngsi-ld/v1/entities/urn:x:nobody"]
    with pytest.raises(BadRequest) as wrong:
        city.entities(q="a>1;").count()
    assert wrong.value.where == "q"
    with site.city(token="bst_wrong") as stranger, pytest.raises(NotSignedIn):
        stranger.types()
    with pytest.raises(UnknownTenant, match="nowhere"):
        city.within("nowhere").types()


@at_a_desk
def test_who_asks_is_patient_and_who_writes_asks_once(site: Site, city: City) -> None:
    site.door.refusals = 3
    assert isinstance(city.types(), list)
    assert len(site.waits) == 3 and sorted(site.waits) == site.waits
    site.door.refusals = 5
    with pytest.raises(Unavailable, match="503 Service Unavailable: not now"):
        city.types()
    assert site.door.refusals == 0
    site.door.refusals = 1
    with pytest.raises(Unavailable):
        city.create({"id": "urn:x:once", "type": "Once"})
    assert site.door.refusals == 0 and city.entities(type="Once").count() == 0


@at_a_desk
def test_what_there_is(city: City) -> None:
    city.create({"id": "urn:x:kind", "type": "Kindred", "kin": {"object": "urn:x:kind"}})
    (kind,) = (one for one in city.types() if one.name == "Kindred")
    assert kind.names == ("kin",) and kind.count is None
    detailed = city.type("Kindred")
    assert (detailed.count, detailed.attributes[0].kinds, detailed.names) == (1, ("Relationship",), ("kin",))
    assert city.attribute("kin").count == 1
    assert next(one for one in city.attributes() if one.name == "kin").types == ("Kindred",)


@at_a_desk
def test_names_are_of_a_context_that_is_kept(city: City) -> None:
    context = city.contexts.add({"speed": "https://example.org/speed", "Car": "https://example.org/Car"})
    spoken = city.speaking(context)
    spoken.create({"id": "urn:x:car", "type": "Car", "speed": 90})
    assert spoken.entity("urn:x:car")["speed"].value == 90
    assert list(city.entity("urn:x:car")) == ["https://example.org/speed"]
    assert city.contexts.get(context)["@context"]["speed"] == "https://example.org/speed"
    assert context in [one["URL"] for one in city.contexts.all()] and context in repr(spoken)
    city.contexts.delete(context)
    with pytest.raises(NotFound):
        city.contexts.get(context)


@pytest.fixture(scope="module")
async def stations(site: Site) -> list[str]:
    """Two stations: one with a value a minute for more than a day and a half, one with three."""
    many = [{"value": n, "observedAt": _at(timedelta(minutes=n))} for n in range(LONG)]
    few = [{"value": str(n), "observedAt": _at(timedelta(hours=n * 12))} for n in range(3)]
    place = "/ngsi-ld/v1/temporal/entities"

    def tell(city: City) -> None:
        for name, told in (("long", {"NO2": many, "state": few}), ("short", {"NO2": many[:3]})):
            document = {"id": f"urn:x:{name}", "type": "Station", **told}
            assert city._link.http.post(place, json=document).status_code == 201

    with site.city() as city:
        await asyncio.to_thread(tell, city)
    return ["urn:x:long", "urn:x:short"]


def _at(after: timedelta) -> str:
    return (FROM + after).isoformat().replace("+00:00", "Z")


@at_a_desk
def test_history_is_whole_however_long(site: Site, city: City, stations: list[str]) -> None:
    frame = city.history(stations[0])
    assert list(frame.columns) == ["NO2", "state"] and frame.index.name == "time"
    assert len(frame) == LONG and frame["NO2"].tolist() == list(range(LONG))
    assert frame["state"].dropna().tolist() == ["0", "1", "2"]
    assert str(frame.index[0]) == "2026-02-01 00:00:00+00:00"
    assert len(site.door.asked) == 3
    part = city.history(stations[0], "NO2", since=FROM + timedelta(hours=1), until=FROM + timedelta(hours=30))
    assert part["NO2"].tolist() == list(range(60, 30 * 60))
    assert city.history(stations[0], "NO2", last=2)["NO2"].tolist() == [LONG - 2, LONG - 1]
    before = city.history(stations[0], "NO2", until=FROM + timedelta(minutes=1_500))
    assert before["NO2"].tolist() == list(range(1_500))
    with pytest.raises(NotFound, match="no such attribute in this time"):
        city.history(stations[0], "NO2", until=FROM)


@at_a_desk
def test_history_of_several_has_a_column_for_each(city: City, stations: list[str]) -> None:
    for of in (stations, Query(type="Station", attrs="NO2")):
        frame = city.history(of, "NO2", since=FROM, until=FROM + timedelta(minutes=5))
        assert frame.columns.names == ["entity", "attribute"]
        assert [int(frame[one, "NO2"].count()) for one in stations] == [5, 3]
    assert city.history(Query(type="Nobody"), "NO2").empty


@at_a_desk
def test_history_is_summed_up_by_periods(city: City, stations: list[str]) -> None:
    hours = city.history(stations[0], "NO2", since=FROM, every=timedelta(hours=1), aggregate="avg")
    assert len(hours) == -(-LONG // 60) and hours["NO2"].iloc[0] == 29.5
    assert hours.index[1] == FROM + timedelta(hours=1)
    both = city.history(stations, "NO2", since=FROM, every="P1D", aggregate=["min", "max"])
    assert both.columns.names == ["entity", "attribute", "method"]
    assert both[stations[0], "NO2", "max"].tolist() == [1_439, LONG - 1]
    assert both[stations[1], "NO2", "min"].dropna().tolist() == [0]


@at_a_desk
def test_observations_need_no_data_frame(city: City, stations: list[str]) -> None:
    told = list(city.observations(stations[0], "state"))
    assert [(one.attribute, one.value) for one in told] == [("state", "0"), ("state", "1"), ("state", "2")]
    assert told[1].at == FROM + timedelta(hours=12) and told[1].entity == stations[0]
    city.create({"id": "urn:x:kinds", "type": "Kinds", **KINDS})
    values = {one.attribute: one.value for one in city.observations("urn:x:kinds") if one.dataset_id is None}
    assert values["streetOf"] == {"fi": "Kirjolohenkatu", "@none": ["x", "y"]}
    assert values["rawOf"] == {"a": None, "b": [1]} and values["categoryOf"] == "commercial"
    assert "severalOf@urn:ngsi-ld:Dataset:gps" in city.history("urn:x:kinds").columns


@at_a_desk
def test_a_subscription_is_made_paused_and_ended(city: City) -> None:
    made = city.subscribe(
        type="Watched",
        q="level>1",
        near=(24.9, 60.1, 100),
        to="https://hook.example.org/told",
        watch="level",
        attributes=["level", "name"],
        form="simplified",
        name="Lamps",
        throttle_s=5,
        until=timedelta(days=-3_650),
        headers={"X-Key": "1"},
    )
    said = made.to_dict()
    assert said["entities"] == [{"type": "Watched"}] and said["geoQ"]["georel"] == "near;maxDistance==100"
    assert said["notification"]["attributes"] == ["level", "name"] and said["throttling"] == 5
    assert said["notification"]["endpoint"]["receiverInfo"] == [{"key": "X-Key", "value": "1"}]
    assert (made.status, made.sent, made.failed, made.last_notification) == ("active", 0, 0, None)
    assert made.pause().status == "paused" and city.subscription(made.id).status == "paused"
    assert made.resume().status == "active" and made.update(subscriptionName="x").to_dict()["subscriptionName"] == "x"
    assert [one.id for one in city.subscriptions()] == [made.id]
    assert "hook.example.org" in repr(made) and "hook.example.org" in made._repr_html_()
    made.delete()
    with pytest.raises(NotFound):
        made.refresh()
    with pytest.raises(BadRequest, match="entities or watchedAttributes"):
        city.subscribe(to="https://hook.example.org/told")


@at_a_desk
def test_the_page_on_the_client_says_what_happens(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", site.token)
    names: dict[str, Any] = {}
    blocks = [
        block.replace("http://127.0.0.1:8080", site.address) for block in reference("python-client").blocks("python")
    ]
    assert len(blocks) > 7
    try:
        assert [wrong for block in blocks for wrong in run(block, names)] == []
    finally:
        names["city"].close()


def test_what_is_said_wrong_is_told() -> None:
    assert run("a = 1\na  # → 1\na + 1  # → 3\n[\n    a,\n]  # → [1]\n", {}) == ["a + 1  # → 3: 2"]
