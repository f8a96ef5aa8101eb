"""Subscriptions as documents (5.2.12 to 5.2.15, 5.8.1 to 5.8.5; HTTP in 6.10 and 6.11)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from broadstreet.context import bounds, subscriptions
from tests.conformance.conftest import BASE, CORE, KEPT, Client

PLACE = f"{BASE}/subscriptions"
WHERE: dict[str, Any] = {"endpoint": {"uri": "https://example.org/told"}}
LINKED = {"link": f'<{KEPT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'}
LD_JSON = {"content_type": "application/ld+json"}
BAD = (400, "BadRequestData")


def watch(client: Client, **members: Any) -> dict[str, Any]:
    named = f"urn:ngsi-ld:Subscription:{client.name()}"
    return {"id": named, "type": "Subscription", "entities": [{"type": "Car"}], "notification": WHERE, **members}


async def make(client: Client, **members: Any) -> str:
    """A subscription; its id."""
    wanted = watch(client, **members)
    answer = await client.ask("POST", "subscriptions", wanted, **(LD_JSON if "@context" in members else {}))
    assert answer.status == 201, answer.body
    assert answer.headers["location"] == f"{PLACE}/{wanted['id']}"
    return str(wanted["id"])


async def shown(client: Client, subscription_id: str, query: str = "", **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = await client.get(f"subscriptions/{subscription_id}{query}", **headers)
    return found


async def test_all_that_is_asked_for_is_shown_again(client: Client) -> None:
    members = {
        "subscriptionName": "cars",
        "description": "Fast ones",
        "entities": [
            {"type": "(Car|Van);Moving", "idPattern": "^urn:.*7$"},
            {"type": "Tram", "id": ["urn:ngsi-ld:Tram:1", "urn:ngsi-ld:Tram:2"]},
        ],
        "watchedAttributes": ["speed", "location"],
        "notificationTrigger": ["entityCreated", "attributeDeleted"],
        "q": 'speed>50;(street[fi]=="Katu"|speed.accuracy<1)',
        "geoQ": {
            "georel": "near;maxDistance==2000",
            "geometry": "Point",
            "coordinates": [24.9, 60.2],
            "geoproperty": "parkedAt",
        },
        "csf": "endpoint==true",
        "scopeQ": "/Helsinki/#",
        "lang": "fi,en;q=0.5",
        "datasetId": ["urn:d:gps", "@none"],
        "isActive": True,
        "localOnly": True,
        "expiresAt": "2100-01-01T00:00:00Z",
        "throttling": 5,
        "notification": {
            "pick": ["id", "speed"],
            "omit": ["name"],
            "format": "concise",
            "showChanges": True,
            "sysAttrs": True,
            "join": "inline",
            "joinLevel": 2,
            "endpoint": {
                "uri": "mqtts://user:secret@broker.example.org:8883/cars",
                "accept": "application/ld+json",
                "timeout": 1000,
                "cooldown": 2000,
                "receiverInfo": [{"key": "Authorization", "value": "Bearer abc"}],
                "notifierInfo": [{"key": "MQTT-QoS", "value": "1"}],
            },
        },
    }
    made = await make(client, **members)
    assert await shown(client, made) == {
        "id": made,
        "type": "Subscription",
        **members,
        "jsonldContext": CORE,
        "status": "active",
    }


async def test_what_is_left_out_is_filled_in_as_the_standard_says(client: Client) -> None:
    answer = await client.ask("POST", "subscriptions", {k: v for k, v in watch(client).items() if k != "id"})
    made = answer.headers["location"].removeprefix(f"{PLACE}/")
    assert made.startswith("urn:ngsi-ld:Subscription:")
    found = await shown(client, made)
    assert found["notificationTrigger"] == ["attributeCreated", "attributeUpdated"]
    assert "createdAt" not in found
    timed = await make(client, timeInterval=60)
    assert "notificationTrigger" not in await shown(client, timed)
    times = await shown(client, made, "?options=sysAttrs")
    assert times["createdAt"] == times["modifiedAt"]
    assert (await client.ask("PATCH", f"subscriptions/{made}", {"description": "x"})).status == 204
    times = await shown(client, made, "?options=sysAttrs")
    assert times["createdAt"] < times["modifiedAt"]


async def test_names_mean_what_the_request_says_and_are_shown_as_the_asker_calls_them(client: Client) -> None:
    entities = [{"type": "ex:Car|Van"}]
    notification = {**WHERE, "attributes": ["speed"]}
    wanted = watch(client, entities=entities, q="speed>50", watchedAttributes=["speed"], notification=notification)
    assert (await client.ask("POST", "subscriptions", wanted, **LINKED)).status == 201
    same = await shown(client, wanted["id"], **LINKED)
    assert (same["entities"], same["q"], same["watchedAttributes"]) == (entities, "speed>50", ["speed"])
    assert same["jsonldContext"] == KEPT
    plain = await shown(client, wanted["id"])
    assert plain["entities"] == [{"type": "https://example.org/Car|Van"}]
    assert plain["watchedAttributes"] == plain["notification"]["attributes"] == ["https://example.org/speed"]
    assert plain["q"] == "speed>50", "an IRI cannot stand in a q"
    called_otherwise = {"@context": {"velocity": "https://example.org/speed"}}
    one = await client.ask("POST", "jsonldContexts", called_otherwise, content_type="application/json")
    link = LINKED["link"].replace(KEPT, f"http://here{one.headers['location']}")
    assert (await shown(client, wanted["id"], link=link))["q"] == "velocity>50"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "car"},
        {"id": ""},
        {"id": 7},
        {"type": "Subscriptions"},
        {"entities": None},
        {"entities": []},
        {"entities": [{"id": "urn:a:b"}]},
        {"entities": [{"type": "Car", "id": "b"}]},
        {"entities": [{"type": "Car;"}]},
        {"entities": [{"type": "Car", "idPattern": "(("}]},
        {"entities": [{"type": "Car", "idPattern": 3}]},
        {"watchedAttributes": []},
        {"watchedAttributes": ["a b"]},
        {"watchedAttributes": ["id"]},
        {"notificationTrigger": ["entityChanged"]},
        {"timeInterval": 0},
        {"timeInterval": True},
        {"timeInterval": 5, "throttling": 5},
        {"timeInterval": 5, "watchedAttributes": ["speed"]},
        {"timeInterval": 5, "entities": None},
        {"throttling": -1},
        {"q": "speed>"},
        {"q": 'name~="(("'},
        {"csf": "(("},
        {"scopeQ": "//"},
        {"geoQ": {"georel": "nearby", "geometry": "Point", "coordinates": [1, 2]}},
        {"geoQ": {"georel": "within", "geometry": "Point"}},
        {"geoQ": {"georel": "within", "geometry": "Point", "coordinates": "[1"}},
        {"isActive": "yes"},
        {"expiresAt": "2000-01-01T00:00:00Z"},
        {"expiresAt": "soon"},
        {"lang": "fi;;"},
        {"datasetId": ["gps"]},
        {"jsonldContext": "unknown"},
        {"notification": None},
        {"notification": {}},
        {"notification": {"endpoint": None}},
        {"notification": {"endpoint": {"uri": "ftp://example.org/"}}},
        {"notification": {"endpoint": {"uri": "https:///told"}}},
        {"notification": {"endpoint": {"uri": "https://example.org:port/"}}},
        {"notification": {"endpoint": {"uri": "mqtt://example.org"}}},
        {"notification": {"endpoint": {**WHERE["endpoint"], "accept": "text/html"}}},
        {"notification": {"endpoint": {**WHERE["endpoint"], "timeout": 0}}},
        {"notification": {"endpoint": {**WHERE["endpoint"], "receiverInfo": [{"key": "K", "value": 42}]}}},
        {"notification": {"endpoint": {**WHERE["endpoint"], "receiverInfo": [{"key": "K: x", "value": "1"}]}}},
        {"notification": {"endpoint": {**WHERE["endpoint"], "receiverInfo": [{"key": "K", "value": "1\r\nHost: x"}]}}},
        {"notification": {**WHERE, "attributes": []}},
        {"notification": {**WHERE, "attributes": ["speed"], "pick": ["name"]}},
        {"notification": {**WHERE, "attributes": ["speed"], "omit": ["name"]}},
        {"notification": {**WHERE, "pick": ["id"], "omit": ["id"]}},
        {"notification": {**WHERE, "format": "long"}},
        {"notification": {**WHERE, "format": "keyValues", "showChanges": True}},
        {"notification": {**WHERE, "joinLevel": 0}},
        {"description": "\x00"},
    ],
)
async def test_what_is_wrong_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    assert await client.problem("POST", "subscriptions", watch(client, **wrong)) == BAD


async def test_what_nobody_may_write_is_passed_over(client: Client) -> None:
    made = await make(
        client,
        status="expired",
        createdAt="2000-01-01T00:00:00Z",
        strange={"a": 1},
        notification={**WHERE, "timesSent": 42, "status": "ok", "lastSuccess": "2000-01-01T00:00:00Z"},
    )
    found = await shown(client, made, "?options=sysAttrs")
    assert found["status"] == "active"
    assert found["createdAt"] > "2026"
    assert "strange" not in found
    assert found["notification"] == WHERE


async def test_it_is_active_paused_or_expired(client: Client) -> None:
    made = await make(client, isActive=False)
    assert (await shown(client, made))["status"] == "paused"
    later = {"isActive": True, "expiresAt": "2026-03-01T18:00:00Z"}
    assert (await client.ask("PATCH", f"subscriptions/{made}", later)).status == 204
    assert (await shown(client, made))["status"] == "active"
    client.services.clock.now_us += 7 * 3_600_000_000  # type: ignore[attr-defined]  # a Ticking
    assert (await shown(client, made))["status"] == "expired"
    assert (await client.ask("PATCH", f"subscriptions/{made}", {"isActive": True})).status == 204
    assert (await shown(client, made))["status"] == "expired", "to be active is not to be young again"
    assert await client.problem("PATCH", f"subscriptions/{made}", {"expiresAt": "2026-03-01T18:00:00Z"}) == BAD
    assert (await client.ask("PATCH", f"subscriptions/{made}", {"expiresAt": "2100-01-01T00:00:00Z"})).status == 204
    assert (await shown(client, made))["status"] == "active"


async def test_an_update_goes_member_by_member(client: Client) -> None:
    made = await make(client, description="Cars", q="speed>50", throttling=5)
    moved = {"endpoint": {"uri": "http://elsewhere.example.org/"}}
    update = {"type": "Subscription", "notification": moved, "q": None, "description": "urn:ngsi-ld:null"}
    assert (await client.ask("PATCH", f"subscriptions/{made}", update)).status == 204
    found = await shown(client, made)
    assert found["notification"] == moved
    assert "q" not in found
    assert "description" not in found
    assert found["throttling"] == 5
    for wrong in (
        {"notification": {"format": "keyValues"}},
        {"notification": None},
        {"entities": None},
        {"timeInterval": 5},
        {"type": "Car"},
        {"id": "urn:other:one"},
        {"q": "(("},
    ):
        assert await client.problem("PATCH", f"subscriptions/{made}", wrong) == BAD, wrong
    assert await shown(client, made) == found, "what is refused changes nothing"


async def test_an_id_is_a_uri_that_is_there_once(client: Client) -> None:
    wanted = watch(client)
    answers = await asyncio.gather(*(client.ask("POST", "subscriptions", wanted) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    assert await client.problem("POST", "subscriptions", wanted) == (409, "AlreadyExists")
    one = f"subscriptions/{wanted['id']}"
    assert (await client.ask("DELETE", one)).status == 204
    for method, body in (("GET", b""), ("PATCH", {"isActive": True}), ("DELETE", b"")):
        assert await client.problem(method, one, body) == (404, "ResourceNotFound")
        assert await client.problem(method, "subscriptions/car", body) == BAD


async def test_they_are_listed_in_pages(client: Client) -> None:
    before = int((await client.ask("GET", "subscriptions?limit=0&count=true")).headers["ngsild-results-count"])
    made = [await make(client) for _ in range(3)]
    answer = await client.ask("GET", f"subscriptions?limit=1&offset={before + 1}&count=true")
    assert [one["id"] for one in answer.json] == [made[1]]
    assert answer.headers["ngsild-results-count"] == str(before + 3)
    for relation, offset in (("prev", before), ("next", before + 2)):
        assert f'offset={offset}>;rel="{relation}";type="application/json"' in answer.headers["link"]
    last = await client.ask("GET", f"subscriptions?limit=1&offset={before + 2}")
    assert 'rel="next"' not in last.headers["link"]
    linked = await client.get(f"subscriptions?offset={before}", accept="application/ld+json")
    assert [one["@context"] for one in linked] == [CORE] * 3
    assert await client.problem("GET", "subscriptions?limit=0") == BAD
    assert await client.problem("GET", "subscriptions?id=urn:a:b") == (400, "InvalidRequest")
    assert (await client.problem("GET", "subscriptions?options=keyValues"))[0] == 400


async def test_how_a_request_and_its_answer_are_framed(client: Client) -> None:
    wanted = watch(client)
    assert (await client.problem("POST", "subscriptions", wanted, content_type="text/plain"))[0] == 415
    assert (await client.problem("GET", "subscriptions", accept="text/html"))[0] == 406
    assert (await client.problem("POST", "subscriptions", {**wanted, "@context": KEPT}))[0] == 400
    assert (await client.problem("POST", "subscriptions", b"{", content_type="application/json"))[0] == 400
    elsewhere = {"jsonldContext": "https://nowhere.example.org/c.jsonld"}
    unknown = await client.problem("POST", "subscriptions", {**wanted, **elsewhere})
    assert unknown == (504, "LdContextNotAvailable")


async def test_an_own_context_is_kept_as_long_as_its_subscription(client: Client) -> None:
    context = [KEPT, {"gear": "https://example.org/gear"}]
    made = await make(client, watchedAttributes=["gear"], **{"@context": context})
    address = (await shown(client, made))["jsonldContext"]
    path = address[address.index(BASE) :]
    assert (await client.get(path))["@context"] == context
    told = await client.get(f"{path}?details=true")
    assert (told["kind"], told["numberOfHits"], told["URL"]) == ("ImplicitlyCreated", 1, address)
    linked = await shown(client, made, link=LINKED["link"].replace(KEPT, address))
    assert linked["watchedAttributes"] == ["gear"]
    assert (await client.ask("PATCH", f"subscriptions/{made}", {"description": "x"})).status == 204
    assert (await shown(client, made))["jsonldContext"] == address, "an update leaves it"
    assert (await client.ask("PATCH", f"subscriptions/{made}", {"jsonldContext": KEPT})).status == 204
    assert (await shown(client, made))["jsonldContext"] == KEPT
    assert (await client.problem("GET", path))[0] == 404
    inline = {"jsonldContext": None, "@context": {"gear": "urn:g:gear"}}
    assert (await client.ask("PATCH", f"subscriptions/{made}", inline, **LD_JSON)).status == 204
    kept = await client.get("jsonldContexts?kind=ImplicitlyCreated")
    assert len(kept) == 1
    assert (await client.ask("DELETE", f"subscriptions/{made}")).status == 204
    assert await client.get("jsonldContexts?kind=ImplicitlyCreated") == []


async def test_a_context_with_an_address_is_kept_by_it(client: Client) -> None:
    for context, named in (([KEPT], {}), ({"a": "urn:a:b"}, {"jsonldContext": KEPT})):
        made = await make(client, **{"@context": context}, **named)
        assert (await shown(client, made))["jsonldContext"] == KEPT
    refused = {**watch(client), "id": made, "@context": {"a": "urn:a:b"}}
    assert (await client.problem("POST", "subscriptions", refused, **LD_JSON))[0] == 409
    assert await client.get("jsonldContexts?kind=ImplicitlyCreated") == [], "what is refused leaves nothing"


async def test_what_has_a_size_has_a_bound(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    large = [{"type": "Car", "id": f"urn:ngsi-ld:Car:{'x' * 1_000}{number}"} for number in range(200)]
    assert (await client.problem("POST", "subscriptions", watch(client, entities=large)))[0] == 413
    many = [f"a{number}" for number in range(bounds.MAX_NAMES + 1)]
    assert (await client.problem("POST", "subscriptions", watch(client, watchedAttributes=many)))[0] == 429
    long = [{"type": "Car", "idPattern": "x" * (bounds.MAX_PATTERN_LENGTH + 1)}]
    assert (await client.problem("POST", "subscriptions", watch(client, entities=long)))[0] == 413
    wordy = watch(client, description="x" * (bounds.MAX_SUBSCRIPTION_TEXT + 1))
    assert (await client.problem("POST", "subscriptions", wordy))[0] == 413
    count = int((await client.ask("GET", "subscriptions?limit=0&count=true")).headers["ngsild-results-count"])
    monkeypatch.setattr(subscriptions, "MAX_SUBSCRIPTIONS", count + 1)
    await make(client)
    assert (await client.problem("POST", "subscriptions", watch(client)))[0] == 429


async def test_how_deliveries_went_is_told(client: Client) -> None:
    """The notifier writes down what is read here."""
    made = await make(client)
    await client.database.execute(
        "INSERT INTO subscription_tally (subscription_key, times_sent, times_failed, last_notification, last_success, "
        "last_failure, failure, dropped) SELECT key, 3, 1, $2, $3, $2, 'nobody listens there', 2 "
        "FROM subscription WHERE id = $1",
        made,
        1_772_366_400_000_000,
        1_772_366_300_000_000,
    )
    assert (await shown(client, made))["notification"] == {
        **WHERE,
        "status": "failed",
        "timesSent": 3,
        "timesFailed": 1,
        "lastNotification": "2026-03-01T12:00:00Z",
        "lastSuccess": "2026-03-01T11:58:20Z",
        "lastFailure": "2026-03-01T12:00:00Z",
        "failure": "nobody listens there",
        "dropped": 2,
    }


async def test_what_opens_a_receivers_door_is_shown_to_who_may_write(client: Client) -> None:
    pair = [{"key": "Authorization", "value": "Bearer abc"}]
    endpoint = {"uri": "mqtt://user:secret@example.org:1883/cars", "receiverInfo": pair, "notifierInfo": pair}
    made = await make(client, notification={"endpoint": endpoint})
    assert (await shown(client, made))["notification"]["endpoint"] == endpoint
    access = client.services.access
    await access.accounts.create("steward", "S", tenant="city", roles=["steward"], by="test")
    steward = (await access.tokens.issue("steward", "api", "test", 86_400, by="test")).secret
    seen = await shown(client, made, authorization=f"Bearer {steward}")
    assert seen["notification"]["endpoint"] == {"uri": "mqtt://example.org:1883/cars"}
    refused = await client.ask("DELETE", f"subscriptions/{made}", authorization=f"Bearer {steward}")
    assert refused.status == 403
