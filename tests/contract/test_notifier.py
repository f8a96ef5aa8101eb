"""The notifier on real engines: what docs/reference/ngsi-ld.md promises of notifications, each promise once."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from broadstreet.access import Principal
from broadstreet.app.clock import now_us
from broadstreet.context import CORE, parse_attribute, parse_subscription
from broadstreet.store import create_tenant
from tests.contract.notifying import BASE, City
from tests.contract.recording import House

NULL = "urn:ngsi-ld:null"
LINK = 'rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


async def test_what_is_created_updated_and_deleted_is_told(city: City) -> None:
    kind = city.fresh("Lamp")
    triggers = ["entityCreated", "entityUpdated", "entityDeleted"]
    made = await city.subscribe(f"/{kind}", kind, notificationTrigger=triggers)
    lamp = await city.create(kind, power=5, name="one")
    await city.patch(lamp, power=6)
    await city.delete(lamp)
    created, updated, deleted = await city.receiver.wait(f"/{kind}", 3)
    shown = {"id": lamp, "type": kind, "name": {"type": "Property", "value": "one"}}
    assert created.data == [{**shown, "power": {"type": "Property", "value": 5}}]
    assert updated.data == [{**shown, "power": {"type": "Property", "value": 6}}]
    (gone,) = deleted.data
    assert gone.pop("deletedAt") <= deleted.body["notifiedAt"]
    null = {"type": "Property", "value": NULL}
    assert gone == {"id": lamp, "type": kind, "power": null, "name": null}
    body = created.body
    assert (body["type"], body["subscriptionId"]) == ("Notification", made)
    assert body["id"].startswith("urn:ngsi-ld:Notification:")
    assert len({one.body["id"] for one in (created, updated, deleted)}) == 3
    assert body["notifiedAt"].endswith("Z")
    assert "@context" not in body
    assert created.headers["content-type"] == "application/json"
    assert created.headers["link"] == f"<https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld>; {LINK}"
    assert "ngsild-tenant" not in created.headers


TRIGGERED: dict[str, list[dict[str, Any]]] = {
    "entityCreated": [{"power": 1}],
    "attributeCreated": [{"power": 1}, {"power": 1, "name": "x"}],
    "attributeUpdated": [{"power": 2, "name": "x"}],
    "attributeDeleted": [{"power": 2, "name": NULL}, {"power": NULL}],
    "entityDeleted": [{}],
    "entityUpdated": [
        {"power": 1},
        {"power": 1, "name": "x"},
        {"power": 2, "name": "x"},
        {"power": 2, "name": NULL},
        {"power": NULL},
    ],
    "": [{"power": 1}, {"power": 1, "name": "x"}, {"power": 2, "name": "x"}],
}
"""What each trigger, or none, tells of what happens below."""


async def test_a_trigger_says_what_is_told(city: City) -> None:
    kind = city.fresh("Lamp")
    for trigger in TRIGGERED:
        triggers = [trigger] if trigger else None
        form = {"format": "keyValues"}
        await city.subscribe(f"/{kind}/{trigger}", kind, notificationTrigger=triggers, notification=form)
    async with city.silence():  # and then all of it is at hand at once
        lamp = await city.create(kind, power=1)
        await city.patch(lamp, name="x")
        await city.patch(lamp, power=2)
        await city.broker.delete_attribute(city.principal, now_us(), lamp, _attribute("name"), all_instances=False)
        await city.delete(lamp)
    await city.quiet()
    members = {"id", "type", "deletedAt"}
    for trigger, told in TRIGGERED.items():
        found = [one for request in city.receiver.told[f"/{kind}/{trigger}"] for one in request.data]
        assert [{name: value for name, value in one.items() if name not in members} for one in found] == told, trigger


async def test_only_what_is_watched_is_told(city: City) -> None:
    kind = city.fresh("Lamp")
    triggers = ["entityCreated", "attributeUpdated"]
    await city.subscribe(f"/{kind}", kind, watchedAttributes=["power"], notificationTrigger=triggers)
    lamp = await city.create(kind, name="a")  # came without what is watched
    await city.patch(lamp, power=1)
    await city.patch(lamp, name="b")
    await city.patch(lamp, power=2)
    await city.quiet()
    (request,) = city.receiver.told[f"/{kind}"]
    assert (request.values("power"), request.values("name")) == ([2], ["b"])


async def test_only_instances_that_are_meant_are_told(city: City) -> None:
    kind, inner = city.fresh("Car"), "urn:x:inner"
    await city.subscribe(f"/{kind}", kind, datasetId=[inner], notificationTrigger=["attributeUpdated"])
    speed = [{"type": "Property", "value": 1}, {"type": "Property", "value": 2, "datasetId": inner}]
    car = await city.create(kind, speed=speed)
    await city.patch(car, speed={"type": "Property", "value": 3})
    await city.patch(car, speed={"type": "Property", "value": 4, "datasetId": inner})
    await city.quiet()
    (request,) = city.receiver.told[f"/{kind}"]
    assert request.data[0]["speed"] == {"type": "Property", "value": 4, "datasetId": inner}


def _near(longitude: float) -> dict[str, Any]:
    return {"georel": "near;maxDistance==100", "geometry": "Point", "coordinates": [longitude, 60]}


BOX = [[[23, 59], [25, 59], [25, 61], [23, 61], [23, 59]]]
ASKED: list[tuple[dict[str, Any], list[int]]] = [
    ({"q": "power>4"}, [5, 6]),
    ({"q": 'name~="^o.e$";power>5'}, [6]),  # the database's, as all that follow with a pattern or braces
    ({"q": 'name~="^t"'}, []),
    ({"q": 'owner{name=="Ada"}'}, [3, 5, 6]),
    ({"q": 'owner{name=="Bob"}'}, []),
    ({"q": 'power.unitCode=="WTT"'}, [3, 5, 6]),
    ({"scopeQ": "/city/#"}, [3, 5, 6]),
    ({"scopeQ": "/sea"}, []),
    ({"geoQ": _near(24)}, [3, 5, 6]),
    ({"geoQ": _near(25)}, []),
    ({"geoQ": {"georel": "within", "geometry": "Polygon", "coordinates": BOX}}, [3, 5, 6]),
    ({"q": "power>4", "scopeQ": "/city/#", "geoQ": _near(24)}, [5, 6]),
]


async def test_conditions_are_asked_of_the_entity(city: City) -> None:
    kind = city.fresh("Lamp")
    owner = await city.create(city.fresh("Person"), name="Ada")
    for at, (members, _) in enumerate(ASKED):
        await city.subscribe(f"/{kind}/{at}", kind, **members)
    lamp = await city.create(
        kind,
        power={"type": "Property", "value": 3, "unitCode": "WTT"},
        name="one",
        owner={"type": "Relationship", "object": owner},
        scope="/city/north",
        location={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [24, 60]}},
    )
    for power in (5, 6):
        await city.quiet()  # what the database is asked, it is asked of what stands there by then
        await city.patch(lamp, power={"type": "Property", "value": power, "unitCode": "WTT"})
    await city.quiet()
    for at, (members, told) in enumerate(ASKED):
        requests = city.receiver.told[f"/{kind}/{at}"]
        assert [value for one in requests for value in one.values("power")] == told, members


async def test_a_question_is_asked_of_the_entity_as_it_was_then_whoever_watches_what(city: City) -> None:
    kind = city.fresh("Lamp")
    lamp = await city.create(kind, power=1, status="off")
    await city.subscribe(f"/{kind}", kind, q='status=="on"', watchedAttributes=["power"])
    await city.quiet()
    async with city.silence():
        await city.patch(lamp, status="on")
        await city.patch(lamp, power=2)
        await city.patch(lamp, status="off")
        await city.patch(lamp, power=3)
    await city.quiet()
    (request,) = city.receiver.told[f"/{kind}"]
    assert (request.values("power"), request.values("status")) == ([2], ["on"])


SELECTED: list[tuple[dict[str, Any], set[str]]] = [
    ({"idPattern": "urn:ngsi-ld:[A-Za-z0-9]+:a1$"}, {"a1"}),
    ({"id": ["urn:ngsi-ld:KIND:a2", "urn:ngsi-ld:KIND:b"]}, {"a2", "b"}),
    ({"id": "urn:ngsi-ld:KIND:b", "idPattern": "a"}, {"b"}),
    ({"type": "(KIND,Other);Third"}, set()),
    ({"type": "KIND,Other"}, {"a1", "a2", "b"}),
    ({"type": "*", "idPattern": "KIND:b$"}, {"b"}),
]


async def test_entities_are_meant_by_type_id_or_pattern(city: City) -> None:
    kind = city.fresh("Lamp")
    for at, (selector, _) in enumerate(SELECTED):
        text = msgspec.json.encode({"type": "KIND", **selector}).replace(b"KIND", kind.encode())
        await city.subscribe(f"/{kind}/{at}", kind, entities=[msgspec.json.decode(text)])
    for name in ("a1", "a2", "b"):
        await city.create(kind, name, x=1)
    await city.quiet()
    for at, (selector, told) in enumerate(SELECTED):
        requests = city.receiver.told[f"/{kind}/{at}"]
        assert {one["id"].rpartition(":")[2] for request in requests for one in request.data} == told, selector


async def test_quick_changes_are_each_told_with_their_own_value(city: City) -> None:
    kind = city.fresh("Lamp")
    await city.subscribe(f"/{kind}", kind, watchedAttributes=["power"])
    lamp = await city.create(kind, power=0, name="first")
    for power in range(1, 30):
        await city.patch(lamp, power=power)
    await city.patch(lamp, name="last")
    assert await city.receiver.values(f"/{kind}", "power", 30) == list(range(30))


async def test_one_request_is_told_as_one_and_no_entity_stands_twice_in_a_notification(city: City) -> None:
    kind, busy = city.fresh("Lamp"), asyncio.Event()
    await city.subscribe(f"/{kind}", kind)
    city.receiver.plan(f"/{kind}", busy, 200)
    lamp = await city.create(kind, power=0)
    await city.receiver.wait(f"/{kind}")
    await city.patch(lamp, power=1, name="both")
    await city.create(kind, "b", power=10)
    await city.patch(lamp, power=2)
    await city.read()
    busy.set()
    await city.quiet()
    requests = city.receiver.told[f"/{kind}"]
    assert [one.values("power") for one in requests] == [[0], [1, 10], [2]]
    assert requests[1].data[0]["name"]["value"] == "both"


async def test_changes_are_shown_beside_what_was_before(city: City) -> None:
    kind = city.fresh("Lamp")
    triggers = ["entityCreated", "attributeUpdated", "attributeDeleted", "entityDeleted"]
    notification = {"showChanges": True}
    await city.subscribe(f"/{kind}", kind, notificationTrigger=triggers, notification=notification)
    lamp = await city.create(kind, power=1, owner={"type": "Relationship", "object": "urn:x:ada"})
    await city.patch(lamp, power=2)
    await city.patch(lamp, owner={"type": "Relationship", "object": "urn:x:bob"})
    await city.broker.delete_attribute(city.principal, now_us(), lamp, _attribute("power"), all_instances=False)
    await city.delete(lamp)
    created, power, owner, unset, gone = (one.data[0] for one in await city.receiver.wait(f"/{kind}", 5))
    assert created["power"] == {"type": "Property", "value": 1}
    assert power["power"] == {"type": "Property", "value": 2, "previousValue": 1}
    assert "previousObject" not in power["owner"]
    assert owner["owner"] == {"type": "Relationship", "object": "urn:x:bob", "previousObject": "urn:x:ada"}
    assert unset["power"] == {"type": "Property", "value": NULL, "previousValue": 2}
    assert gone["owner"] == {"type": "Relationship", "object": NULL, "previousObject": "urn:x:bob"}
    assert "deletedAt" in gone


@pytest.mark.parametrize("form", ["inline", "flat"])
async def test_linked_entities_are_joined_in(city: City, form: str) -> None:
    kind = city.fresh("Lamp")
    owner = await city.create(city.fresh("Person"), name="Ada")
    await city.subscribe(f"/{kind}", kind, notification={"join": form, "joinLevel": 1, "format": "keyValues"})
    lamp = await city.create(kind, owner={"type": "Relationship", "object": owner})
    (request,) = await city.receiver.wait(f"/{kind}")
    ada = {"id": owner, "type": owner.split(":")[2], "name": "Ada"}
    if form == "inline":
        assert request.data == [{"id": lamp, "type": kind, "owner": ada}]
    else:
        assert request.data == [{"id": lamp, "type": kind, "owner": owner}, ada]


async def test_what_goes_with_a_notification_is_the_receivers_wish_but_not_its_frame(city: City) -> None:
    kind = city.fresh("Lamp")
    info = {"X-Key": "s3cret", "Content-Length": "7", "Transfer-Encoding": "chunked", "Host": "evil.example"}
    pairs = [{"key": key, "value": value} for key, value in info.items()]
    url = city.receiver.url(f"/{kind}/a%20b?c=d").replace("http://", "http://ann:p%40ss@")
    await city.subscribe("", kind, endpoint={"uri": url, "receiverInfo": pairs, "accept": "application/ld+json"})
    await city.create(kind, x=1)
    (request,) = await city.receiver.wait(f"/{kind}/a%20b?c=d")
    assert request.headers["x-key"] == "s3cret"
    assert request.headers["host"] == f"127.0.0.1:{city.receiver.port}"
    assert "transfer-encoding" not in request.headers
    assert request.headers["authorization"] == "Basic YW5uOnBAc3M="
    assert request.headers["content-type"] == "application/ld+json"
    assert request.body["@context"] == request.data[0]["@context"]
    assert "link" not in request.headers


async def test_geojson_is_a_collection_of_features(city: City) -> None:
    kind = city.fresh("Lamp")
    await city.subscribe(f"/{kind}", kind, endpoint={"accept": "application/geo+json"})
    place = {"type": "Point", "coordinates": [24, 60]}
    lamp = await city.create(kind, location={"type": "GeoProperty", "value": place})
    (request,) = await city.receiver.wait(f"/{kind}")
    assert request.body["data"]["type"] == "FeatureCollection"
    (feature,) = request.body["data"]["features"]
    assert (feature["type"], feature["id"], feature["geometry"]) == ("Feature", lamp, place)


async def test_a_context_that_is_kept_here_is_named_by_this_houses_address(city: City) -> None:
    kind, at_us = city.fresh("Lamp"), now_us()
    read = _parsed(
        {
            "type": "Subscription",
            "entities": [{"type": kind}],
            "notification": {"endpoint": {"uri": city.receiver.url(f"/{kind}")}},
        }
    )
    made = await city.subscriptions.create(city.principal, at_us, None, read, {"p": f"https://x.example/{kind}"})
    await city.create(kind, **{f"https://x.example/{kind}": 1})
    (request,) = await city.receiver.wait(f"/{kind}")
    assert request.headers["link"] == f"<{BASE}{made.jsonld_context}>; {LINK}"
    assert request.values("p") == [1]


async def test_another_tenants_receiver_is_told_whose_it_is(city: City) -> None:
    await create_tenant(city.store._dsn, "harbour", "The harbour")
    await city.store.tenant("harbour")
    city.principal = Principal.account("ann", "Ann", "harbour", ["engineer", "administrator"])
    kind = city.fresh("Ship")
    await city.subscribe(f"/{kind}", kind)
    await city.create(kind, x=1)
    (request,) = await city.receiver.wait(f"/{kind}")
    assert request.headers["ngsild-tenant"] == "harbour"
    await city.forget()


async def test_readings_are_told_message_by_message(city: City) -> None:
    house = House(city.store, city.log, city.database())
    house.now_us = now_us()
    keys = await house.add_devices(2)
    entities = [{"type": "AirQualityObserved"}]
    await city.subscribe("/air", "", entities=entities, watchedAttributes=["NO2"], notification={"showChanges": True})
    at_us = now_us()
    messages: list[tuple[int, int, object]] = [
        (keys[n % 2], at_us, {"ts": at_us - 1_000_000 + n, "no2": n, "status": f"s{n}"}) for n in range(10)
    ]
    await house.send(*messages)
    told = [one for n in (0, 1) for one in await _of_device(city, n)]
    assert [one["NO2"]["value"] for one in told] == [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    assert [one["status"]["value"] for one in told] == [f"s{one['NO2']['value']}" for one in told]
    assert [one["NO2"].get("previousValue") for one in told] == [None, 0, 2, 4, 6, None, 1, 3, 5, 7]


async def _of_device(city: City, number: int) -> list[Any]:
    requests = 0
    while True:
        found = [
            one for request in city.receiver.told["/air"] for one in request.data if one["id"].endswith(f"air-{number}")
        ]
        if len(found) >= 5:
            return found
        requests = len(await city.receiver.wait("/air", requests + 1))


def _attribute(name: str) -> Any:
    return parse_attribute({}, name, CORE)


def _parsed(document: Any) -> Any:
    return parse_subscription(document, CORE, now_us())
