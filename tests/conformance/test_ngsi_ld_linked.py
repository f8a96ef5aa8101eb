"""Linked entity retrieval (4.5.23): what relationships lead to, joined in inline or flat, picked by nested lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from broadstreet.access.token import TokenScope
from broadstreet.context import linking
from broadstreet.store import Database
from tests.conformance.conftest import CORE, Client

GEO = "application/geo+json"
PLACE = {"type": "Point", "coordinates": [24.9384, 60.1699]}


def relationship(*targets: str, **more: Any) -> dict[str, Any]:
    return {"type": "Relationship", "object": targets[0] if len(targets) == 1 else list(targets), **more}


@pytest.fixture(scope="module")
async def lamp(client: Client) -> str:
    """A lamp on a pole in a street of a city, each with a name; the street leads back to the lamp."""
    lamp, pole, street, city = (f"urn:{kind}:1" for kind in ("lamp", "pole", "street", "city"))
    await client.make("City", id=city, name="Helsinki", title={"languageMap": {"fi": "Helsinki", "sv": "Helsingfors"}})
    leading = {"inCity": relationship(city), "lamps": relationship(lamp, "urn:lamp:gone")}
    await client.make("Street", id=street, name="Kirjolohenkatu", **leading)
    await client.make("Pole", id=pole, name="P7", height=9, on=relationship(street, objectType="Street"))
    route = {"type": "ListRelationship", "objectList": [{"object": "urn:gone"}, {"object": city}, {"object": street}]}
    more = {"route": route, "lost": relationship("urn:gone"), "location": {"type": "GeoProperty", "value": PLACE}}
    return await client.make("Lamp", id=lamp, name="L1", on=relationship(pole), **more)


def ids(entities: list[dict[str, Any]]) -> list[str]:
    return [one["id"].split(":")[1] for one in entities]


async def test_nothing_is_joined_in_unless_asked(client: Client, lamp: str) -> None:
    plain = await client.get(f"entities/{lamp}")
    assert plain["on"] == relationship("urn:pole:1")
    assert await client.get(f"entities/{lamp}?join=@none&joinLevel=2") == plain


async def test_inline(client: Client, lamp: str) -> None:
    plain = await client.get(f"entities/{lamp}")
    shown = await client.get(f"entities/{lamp}?join=inline")
    assert shown["on"] == relationship("urn:pole:1") | {"entity": await client.get("entities/urn:pole:1")}
    both = [await client.get(f"entities/urn:{kind}:1") for kind in ("city", "street")]
    assert shown["route"] == plain["route"] | {"entityList": both}
    assert shown["lost"] == plain["lost"]
    assert await client.get("entities?type=Lamp&join=inline&joinLevel=1") == [shown]
    wish = {"type": "Query", "entities": [{"type": "Lamp"}], "join": "inline"}
    assert (await client.ask("POST", "entityOperations/query", wish)).json == [shown]


async def test_inline_simplified_and_concise(client: Client, lamp: str) -> None:
    simplified = await client.get(f"entities/{lamp}?join=inline&options=keyValues")
    assert simplified["on"] == await client.get("entities/urn:pole:1?options=keyValues")
    assert [one if isinstance(one, str) else one["name"] for one in simplified["route"]] == [
        "urn:gone",
        "Helsinki",
        "Kirjolohenkatu",
    ]
    assert simplified["lost"] == "urn:gone"
    concise = await client.get(f"entities/{lamp}?join=inline&options=concise")
    pole = await client.get("entities/urn:pole:1?options=concise")
    assert concise["on"] == {"object": "urn:pole:1", "entity": pole}


async def test_levels_and_circles(client: Client, lamp: str) -> None:
    shown = await client.get(f"entities/{lamp}?join=inline&joinLevel=10&pick=on")
    street = shown["on"]["entity"]["on"]["entity"]
    assert street["inCity"]["entity"]["name"]["value"] == "Helsinki"
    assert street["lamps"] == relationship(lamp, "urn:lamp:gone")
    assert "entity" not in (await client.get(f"entities/{lamp}?join=inline&pick=on"))["on"]["entity"]["on"]
    cut = await client.get(f"entities/{lamp}?join=inline&joinLevel=3&containedBy=urn:street:1&pick=on")
    assert cut["on"]["entity"]["on"] == relationship("urn:street:1", objectType="Street")
    assert await client.get("entities/urn:lamp:1?join=inline&containedBy=urn:pole:1&pick=on") == {
        "on": relationship("urn:pole:1")
    }


async def test_flat(client: Client, lamp: str) -> None:
    shown = await client.get(f"entities/{lamp}?join=flat&joinLevel=5")
    assert ids(shown) == ["lamp", "pole", "city", "street"]
    assert shown == [await client.get(f"entities/{one['id']}") for one in shown]
    assert await client.get("entities/urn:city:1?join=flat") == await client.get("entities/urn:city:1")
    assert ids(await client.get("entities?type=Lamp,Pole&join=flat")) == ["pole", "lamp", "street", "city"]
    simplified = await client.get("entities/urn:pole:1?join=flat&options=keyValues")
    assert simplified[0]["on"] == "urn:street:1"
    assert ids(simplified) == ["pole", "street"]
    wish = {"type": "Query", "entities": [{"type": "Pole"}], "join": "flat", "joinLevel": 2}
    answer = await client.ask("POST", "entityOperations/query?count=true", wish)
    assert ids(answer.json) == ["pole", "street", "city", "lamp"]
    assert answer.headers["ngsild-results-count"] == "1"


async def test_linked_entities_are_shown_as_the_others(client: Client, lamp: str) -> None:
    timed = await client.get("entities/urn:pole:1?join=inline&options=sysAttrs")
    assert timed["on"]["entity"] == await client.get("entities/urn:street:1?options=sysAttrs")
    flat = await client.get("entities/urn:pole:1?join=flat&options=sysAttrs")
    assert flat[1]["name"]["createdAt"] == timed["on"]["entity"]["name"]["createdAt"]
    told = await client.get("entities/urn:street:1?join=inline&lang=sv&options=keyValues")
    assert told["inCity"]["title"] == "Helsingfors"
    linked = await client.get("entities/urn:pole:1?join=flat", accept="application/ld+json")
    assert [one["@context"] for one in linked] == [CORE, CORE]


async def test_geojson(client: Client, lamp: str) -> None:
    inline = await client.get(f"entities/{lamp}?join=inline&pick=id,on", accept=GEO)
    assert inline["geometry"] == PLACE
    assert inline["properties"] == {"on": (await client.get(f"entities/{lamp}?join=inline"))["on"]}
    flat = await client.get(f"entities/{lamp}?join=flat&pick=id,on", accept=GEO)
    assert (flat["type"], [one["id"] for one in flat["features"]]) == ("FeatureCollection", [lamp, "urn:pole:1"])
    assert [one["geometry"] for one in flat["features"]] == [PLACE, None]
    found = await client.get("entities?type=Lamp&join=flat&pick=id,on", accept=GEO)
    assert found == flat


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("pick=on", {"on": {"id": "urn:pole:1", "type": "Pole", "name": "P7", "height": 9, "on": "urn:street:1"}}),
        ("pick=name,on{height}", {"name": "L1", "on": {"height": 9}}),
        ("pick=on{name|on{inCity{id}}}&joinLevel=3", {"on": {"name": "P7", "on": {"inCity": {"id": "urn:city:1"}}}}),
        ("pick=on{on{nothing}}&joinLevel=2", {"on": {"on": "urn:street:1"}}),
        ("pick=on&omit=on{name,type,on}", {"on": {"id": "urn:pole:1", "height": 9}}),
        ("pick=on{name,height}&omit=on{name}", None),
        (
            "pick=on{name,on}&omit=on{on{id,type,lamps}}&joinLevel=2",
            {"on": {"name": "P7", "on": {"name": "Kirjolohenkatu", "inCity": "urn:city:1"}}},
        ),
        (
            "attrs=on",
            {
                "id": "urn:lamp:1",
                "type": "Lamp",
                "on": {"id": "urn:pole:1", "type": "Pole", "name": "P7", "height": 9, "on": "urn:street:1"},
            },
        ),
    ],
)
async def test_nested_lists(client: Client, lamp: str, asked: str, expected: dict[str, Any] | None) -> None:
    target = f"?{asked}&join=inline&options=keyValues"
    if expected is None:
        assert await client.problem("GET", f"entities/{lamp}{target}") == (400, "BadRequestData")
        return
    assert await client.get(f"entities/{lamp}{target}") == expected
    found = await client.get(f"entities{target}&type=Lamp")
    assert found == [expected]


async def test_what_is_not_shown_is_not_followed(client: Client, lamp: str) -> None:
    assert ids(await client.get(f"entities/{lamp}?join=flat&pick=id,on{{id,name}}&joinLevel=3")) == ["lamp", "pole"]
    assert await client.get(f"entities/{lamp}?join=flat&pick=name&options=keyValues") == {"name": "L1"}
    left = await client.get(f"entities/{lamp}?join=flat&omit=route,on{{on}}&joinLevel=3")
    assert ids(left) == ["lamp", "pole"]


async def test_who_stands_in_two_places_of_a_flat_answer_shows_both(client: Client) -> None:
    await client.make("Knot", id="urn:knot:1", a=relationship("urn:knot:3"), b=relationship("urn:knot:2"), x=1)
    await client.make("Knot", id="urn:knot:2", c=relationship("urn:knot:3"), x=2)
    await client.make("Knot", id="urn:knot:3", x=3, y=4)
    target = "entities/urn:knot:1?join=flat&joinLevel=2&options=keyValues&pick=id,a{id,x},b{id,c{id,y}}"
    assert await client.get(target) == [
        {"id": "urn:knot:1", "a": "urn:knot:3", "b": "urn:knot:2"},
        {"id": "urn:knot:3", "x": 3, "y": 4},
        {"id": "urn:knot:2", "c": "urn:knot:3"},
    ]


async def test_nested_lists_in_a_body(client: Client, lamp: str) -> None:
    wish = {"type": "Query", "entities": [{"type": "Lamp"}], "pick": ["name", "on{name,on{id}}"], "join": "inline"}
    target = "entityOperations/query?options=keyValues"
    assert (await client.ask("POST", target, wish | {"joinLevel": 2})).json == [
        {"name": "L1", "on": {"name": "P7", "on": {"id": "urn:street:1"}}}
    ]
    assert await client.problem("POST", target, wish) == (400, "BadRequestData")
    assert await client.problem("POST", target, wish | {"pick": ["a,b{c}"]}) == (400, "BadRequestData")


@pytest.mark.parametrize(
    "asked",
    [
        "join=outline",
        "join=",
        "join=inline&joinLevel=0",
        "join=inline&joinLevel=11",
        "join=inline&joinLevel=x",
        "joinLevel=1",
        "containedBy=urn:a:b",
        "join=inline&containedBy=nonsense",
        "pick=on{name}",
        "join=@none&pick=on{name}",
        "join=inline&pick=on{on{name}}",
        "join=inline&omit=on{on{name}}",
        "join=inline&pick=on{name",
        "join=inline&pick=on{}",
        "join=inline&pick=on}",
        "join=inline&pick=type{name}",
        "join=inline&pick=on{name}&omit=on",
    ],
)
async def test_what_cannot_be_joined_is_refused(client: Client, lamp: str, asked: str) -> None:
    assert await client.problem("GET", f"entities/{lamp}?{asked}") == (400, "BadRequestData")
    assert await client.problem("GET", f"entities?type=Lamp&{asked}") == (400, "BadRequestData")


@pytest.mark.parametrize("more", [{"join": "outline"}, {"join": "flat", "joinLevel": 0}, {"joinLevel": 1}])
async def test_a_body_is_read_as_strictly(client: Client, more: dict[str, Any]) -> None:
    wish = {"type": "Query", "entities": [{"type": "Lamp"}], **more}
    assert await client.problem("POST", "entityOperations/query", wish) == (400, "BadRequestData")


async def test_over_time_nothing_is_joined(client: Client, lamp: str) -> None:
    when = "timerel=after&timeAt=2026-01-01T00:00:00Z"
    target = f"temporal/entities/{lamp}?{when}"
    assert await client.problem("GET", f"{target}&join=inline") == (400, "InvalidRequest")
    assert await client.problem("GET", f"{target}&pick=on{{name}}") == (400, "BadRequestData")
    temporal = {"timerel": "after", "timeAt": "2026-01-01T00:00:00Z"}
    wish = {"type": "Query", "entities": [{"type": "Lamp"}], "temporalQ": temporal, "join": "inline"}
    assert await client.problem("POST", "temporal/entityOperations/query", wish) == (400, "BadRequestData")


async def test_what_a_token_may_not_see_is_not_joined_in(client: Client, lamp: str) -> None:
    scope = TokenScope.checked(["Pole", "Lamp"], None)
    made = await client.services.access.tokens.issue("root", "api", "some", 3600, by="test", scope=scope)
    limited = {"authorization": f"Bearer {made.secret}"}
    shown = await client.get(f"entities/{lamp}?join=inline&joinLevel=3", **limited)
    assert shown["on"]["entity"]["name"]["value"] == "P7"
    assert shown["on"]["entity"]["on"] == relationship("urn:street:1", objectType="Street")
    assert "entityList" not in shown["route"]
    assert ids(await client.get(f"entities/{lamp}?join=flat&joinLevel=3", **limited)) == ["lamp", "pole"]


async def test_too_many_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = await client.make("Hub", id="urn:hub:1")
    leaves = [await client.make("Leaf", id=f"urn:leaf:{at}", up=relationship(hub)) for at in range(4)]
    await client.ask("POST", f"entities/{hub}/attrs", {"down": relationship(*leaves)})
    monkeypatch.setattr(linking, "MAX_LINKED", 4)
    assert len(await client.get(f"entities/{hub}?join=flat")) == 5
    assert len(await client.get("entities?type=Leaf&join=inline")) == 4
    assert await client.problem("GET", "entities?type=Leaf&join=inline&joinLevel=2") == (429, "TooManyResults")
    monkeypatch.setattr(linking, "MAX_LINKED", 3)
    assert await client.problem("GET", f"entities/{hub}?join=flat") == (429, "TooManyResults")


async def test_a_level_is_read_in_two_queries(client: Client, lamp: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    fetch = Database.fetch

    async def counted(self: Database, query: str, *arguments: Any, **more: Any) -> Any:
        asked.append(query)
        return await fetch(self, query, *arguments, **more)

    monkeypatch.setattr(Database, "fetch", counted)
    levels = (("", 0), ("&join=@none", 0), ("&join=inline", 1), ("&join=inline&joinLevel=2", 2), ("&join=flat", 1))
    for join, expected in levels:
        asked.clear()
        await client.get(f"entities/{lamp}?pick=id,on{join}")
        assert len([query for query in asked if "entity e" in query]) == 1 + 2 * expected, join


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ('on{name}=="P7"', True),
        ('on{name=="P7";height>5}', True),
        ('on{name=="P7";height>9}', False),
        ("on{height}==8..10", True),
        ('on{Pole:name}=="P7"', True),
        ('on{Street,Pole:name}=="P7"', True),
        ('on{Street:name}=="P7"', False),
        ("on{nothing}", False),
        ("on{height}", True),
        ('on{on{name}}=="Kirjolohenkatu"', True),
        ('on{on{inCity{title[sv]}}}=="Helsingfors"', True),
        ('on{on{inCity{title[sv]}}}=="Helsinki"', False),
        ('route{name}=="Helsinki"', True),
        ('route{name}!="Helsinki"', True),
        ("lost{name}", False),
        ("name{name}", False),
        ('lost{name}|on{name~="^P"}', True),
    ],
)
async def test_q_asks_about_linked_entities(client: Client, lamp: str, q: str, found: bool) -> None:
    shown = await client.get(f"entities?type=Lamp&join=inline&joinLevel=3&count=true&q={quote(q)}")
    assert [one["id"] for one in shown] == ([lamp] if found else [])
    wish = {"type": "Query", "entities": [{"type": "Lamp"}], "join": "flat", "joinLevel": 3, "q": q}
    posted = (await client.ask("POST", "entityOperations/query", wish)).json
    assert [one["id"] for one in posted[:1]] == ([lamp] if found else [])


@pytest.mark.parametrize("asked", ["", "&join=@none", "&join=inline", "&join=inline&joinLevel=1"])
async def test_q_follows_links_no_further_than_they_are_joined(client: Client, lamp: str, asked: str) -> None:
    assert await client.problem("GET", f"entities?type=Lamp{asked}&q=on{{on{{name}}}}") == (400, "BadRequestData")


async def test_q_finds_no_linked_entity_that_was_deleted(client: Client) -> None:
    kind, leading = client.name(), client.name()
    target = await client.make(kind, name="here")
    source = await client.make(leading, to=relationship(target))
    asked = f"entities?type={leading}&join=inline&q=to{{name}}"
    assert [one["id"] for one in await client.get(asked)] == [source]
    assert (await client.ask("DELETE", f"entities/{target}")).status == 204
    assert await client.get(asked) == []
