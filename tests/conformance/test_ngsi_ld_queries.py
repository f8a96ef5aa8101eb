"""Finding entities (5.7.2): by type, id, q, scope and geometry; pages and counts; what would fetch everything."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.conformance.conftest import Client

LAMP = {
    "power": {"value": 40, "unitCode": "WTT", "observedAt": "2026-03-01T10:00:00Z", "accuracy": {"value": 0.5}},
    "name": {"value": "Katuvalo 1"},
    "lit": {"value": True},
    "tags": {"value": ["led", "new", 7]},
    "address": {"value": {"city": "Helsinki", "no": 5, "built": "2019-05-01T00:00:00Z"}},
    "installed": {"value": {"@type": "DateTime", "@value": "2020-06-01T12:00:00Z"}},
    "checked": {"value": "2026-02-28"},
    "street": {"languageMap": {"fi": "Kirjolohenkatu", "sv": "Forellgatan"}},
    "category": {"vocab": "commercial"},
    "partOf": {"object": "urn:ngsi-ld:Cabinet:1"},
    "several": [{"value": 1}, {"value": 2, "datasetId": "urn:d:2"}],
    "raw": {"json": {"k": 1}},
}
POLE = {"power": {"value": 5}, "name": {"value": "Pole 2"}, "lit": {"value": False}, "partOf": {"object": "urn:x:y"}}


@pytest.fixture(scope="module")
async def kind(client: Client) -> str:
    """A type with two entities, `…:lamp` and `…:pole`."""
    kind = client.name()
    await client.make(kind, id=f"urn:{kind}:lamp", scope=["/Helsinki/Kallio", "/Lamps"], **LAMP)
    await client.make(kind, id=f"urn:{kind}:pole", scope="/Helsinki/Kallio/North", **POLE)
    return kind


async def found(client: Client, kind: str, query: str) -> set[str]:
    entities = await client.get(f"entities?type={kind}&{query}")
    return {entity["id"].rsplit(":", 1)[-1] for entity in entities}


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("power", "lamp pole"),
        ("power==40", "lamp"),
        ("power!=40", "pole"),
        ("power>5", "lamp"),
        ("power>=5", "lamp pole"),
        ("power<40", "pole"),
        ("power<=4.9", ""),
        ("power==5..39", "pole"),
        ("power!=5..39", "lamp"),
        ("power==1,5,40", "lamp pole"),
        ("power!=1,5", "lamp"),
        ('power=="40"', ""),
        ('power!="40"', "lamp pole"),
        ('name=="Pole 2"', "pole"),
        ('name!="Pole 2"', "lamp"),
        ('name>"L"', "pole"),
        ('name~="^Katu"', "lamp"),
        ('name!~="^Katu"', "pole"),
        ('name~="VALO"', ""),
        ("lit==true", "lamp"),
        ("lit!=true", "pole"),
        ('tags=="led"', "lamp"),
        ("tags==7", "lamp"),
        ("tags>6", "lamp"),
        ("tags!=7", ""),
        ("tags==8..9", ""),
        ("several==2", "lamp"),
        ('address[city]=="Helsinki"', "lamp"),
        ("address[no]<6", "lamp"),
        ("address[nothing]", ""),
        ("address[city]", "lamp"),
        ("address[built]>2019-01-01T00:00:00Z", "lamp"),
        ("address[built]==2019-05-01", "lamp"),
        ("installed>2020-06-01T11:59:59Z", "lamp"),
        ("installed==2020-01-01T00:00:00Z..2020-12-31T00:00:00Z", "lamp"),
        ("installed>2020-06-01T15:00:00+03:00", ""),
        ("checked<2026-03-01", "lamp"),
        ('street[sv]=="Forellgatan"', "lamp"),
        ('street[fi]=="Forellgatan"', ""),
        ('street[*]=="Forellgatan"', "lamp"),
        ('street[*]!="Forellgatan"', ""),
        ("category==commercial", ""),
        ("partOf==urn:ngsi-ld:Cabinet:1", "lamp"),
        ("partOf!=urn:ngsi-ld:Cabinet:1", "pole"),
        ('partOf>"urn:a"', ""),
        ('power.unitCode=="WTT"', "lamp"),
        ("power.accuracy<1", "lamp"),
        ("power.accuracy", "lamp"),
        ("power.accuracy!=0.5", ""),
        ("power.nothing", ""),
        ("power.observedAt>=2026-03-01T10:00:00Z", "lamp"),
        ("power.observedAt!=2026-03-01T10:00:00Z", ""),
        ("power.createdAt>2026-01-01T00:00:00Z", "lamp pole"),
        ("createdAt<2027-01-01T00:00:00Z;power==5", "pole"),
        ('modifiedAt<"2020-01-01T00:00:00Z"', ""),
        ("raw[k]==1", "lamp"),
        ("nobodyHasThis==1", ""),
        ("nobodyHasThis", ""),
        ('power==40;name=="Pole 2"', ""),
        ('power==40|name=="Pole 2"', "lamp pole"),
        ("(power==5|nobodyHasThis);lit==false", "pole"),
    ],
)
async def test_q(client: Client, kind: str, q: str, expected: str) -> None:
    assert await found(client, kind, f"q={quote(q)}") == set(expected.split())
    counted = await client.ask("GET", f"entities?type={kind}&count=true&limit=0&q={quote(q)}")
    assert counted.headers["ngsild-results-count"] == str(len(expected.split()))


async def test_values_in_q_are_expanded_where_asked(client: Client, kind: str) -> None:
    assert await found(client, kind, "q=category==commercial&expandValues=category") == {"lamp"}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("idPattern=lamp$", "lamp"),
        ("attrs=street,nobodyHasThis", "lamp"),
        ("pick=street", "lamp"),
        ("pick=id,street", "lamp pole"),
        ("scopeQ=/Helsinki/Kallio", "lamp"),
        ("scopeQ=/Helsinki/%23", "lamp pole"),
        ("scopeQ=/%2B/Kallio/North", "pole"),
        ("scopeQ=/Helsinki/Kallio;/Lamps", "lamp"),
        ("scopeQ=/Lamps,/Helsinki/Kallio/North", "lamp pole"),
        ("scopeQ=(/Lamps;/Nowhere)|/Helsinki/Kallio/North", "pole"),
        ("scopeQ=/%23", "lamp pole"),
    ],
)
async def test_selections(client: Client, kind: str, selection: str, expected: str) -> None:
    shown = await client.get(f"entities?type={kind}&options=sysAttrs&{selection}")
    assert len(shown) == len(expected.split())
    if "pick=street" not in selection:
        assert {one["id"].rsplit(":", 1)[-1] for one in shown} == set(expected.split())


async def test_types_are_an_expression(client: Client) -> None:
    one, two = client.name(), client.name()
    await client.make(one, id=f"urn:{one}:1")
    await client.make(two, id=f"urn:{two}:2")
    answer = await client.ask("POST", "entities", {"id": f"urn:{one}:3", "type": [one, two]})
    assert answer.status == 201
    for types, expected in (
        (one, "13"),
        (f"{one},{two}", "123"),
        (f"{one}|{two}", "123"),
        (f"{one};{two}", "3"),
        (f"({one};{two}),{two}", "23"),
        ("NobodyHasThis", ""),
    ):
        entities = await client.get(f"entities?type={types}&options=keyValues")
        assert "".join(sorted(entity["id"][-1] for entity in entities)) == expected, types
    everything = await client.get(f"entities?type=*&idPattern=urn:({one}|{two}):")
    assert len(everything) == 3


async def test_geometry(client: Client) -> None:
    kind = client.name()
    for name, place in (("near", [24.94, 60.17]), ("far", [24.94, 61.17]), ("east", [-179.999, 0])):
        where = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": place}}
        await client.make(kind, id=f"urn:{kind}:{name}", location=where)
    await client.make(kind, id=f"urn:{kind}:nowhere")
    here = "geometry=Point&coordinates=[24.9401,60.1701]"
    assert await found(client, kind, f"georel=near;maxDistance==100&{here}") == {"near"}
    assert await found(client, kind, f"georel=near;minDistance==100&{here}") == {"far", "east"}
    over = "geometry=Point&coordinates=[179.999,0]"
    assert await found(client, kind, f"georel=near;maxDistance==1000&{over}") == {"east"}
    square = "geometry=Polygon&coordinates=[[[24,60],[25,60],[25,61],[24,61],[24,60]]]"
    assert await found(client, kind, f"georel=within&{square}") == {"near"}
    assert await found(client, kind, f"georel=disjoint&{square}") == {"far", "east"}
    assert await found(client, kind, f"georel=within&{square}&geoproperty=elsewhere") == set()
    counted = await client.ask("GET", f"entities?type={kind}&georel=near;minDistance==1&{here}&count=true&limit=1")
    assert (len(counted.json), counted.headers["ngsild-results-count"]) == (1, "3")


async def test_a_moved_or_removed_place_is_no_longer_found(client: Client) -> None:
    kind = client.name()
    place = {"type": "Point", "coordinates": [10, 10]}
    entity_id = await client.make(kind, id=f"urn:{kind}:a", location=place)
    near = "georel=near;maxDistance==10&geometry=Point&coordinates="
    assert await found(client, kind, near + "[10,10]") == {"a"}
    await client.ask("PATCH", f"entities/{entity_id}", {"location": {"type": "Point", "coordinates": [11, 11]}})
    assert await found(client, kind, near + "[10,10]") == set()
    assert await found(client, kind, near + "[11,11]") == {"a"}
    await client.ask("DELETE", f"entities/{entity_id}/attrs/location")
    assert await found(client, kind, near + "[11,11]") == set()


async def test_pages(client: Client) -> None:
    kind = client.name()
    ids = [await client.make(kind) for _ in range(5)]
    seen: list[str] = []
    target = f"/ngsi-ld/v1/entities?type={kind}&limit=2&count=true"
    while target:
        answer = await client.ask("GET", target)
        assert answer.headers["ngsild-results-count"] == "5"
        seen += [entity["id"] for entity in answer.json]
        links = [link for link in answer.headers["link"].split(", ") if 'rel="next"' in link]
        target = links[0].split(">")[0].lstrip("<") if links else ""
    assert seen == ids
    last = await client.ask("GET", f"entities?type={kind}&limit=2&offset=4")
    assert 'rel="prev"' in last.headers["link"]
    assert "offset=2" in last.headers["link"]


async def test_a_query_in_a_body_means_the_same(client: Client, kind: str) -> None:
    body = {
        "type": "Query",
        "entities": [{"type": kind, "id": f"urn:{kind}:lamp"}, {"type": kind, "idPattern": "pole$"}],
        "q": "power>1",
        "pick": ["id", "power"],
        "geoQ": None,
    }
    answer = await client.ask("POST", "entityOperations/query?options=keyValues&count=true", body)
    assert answer.status == 200
    assert answer.json == [{"id": f"urn:{kind}:lamp", "power": 40}, {"id": f"urn:{kind}:pole", "power": 5}]
    inline = {"type": "Query", "entities": [{"type": "X"}], "@context": {"X": f"ngsi-ld:default-context/{kind}"}}
    named = await client.ask(
        "POST",
        "entityOperations/query",
        inline,
        content_type="application/ld+json",
        accept="application/ld+json",
    )
    assert {entity["type"] for entity in named.json} == {"X"}
    assert named.json[0]["@context"] == inline["@context"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", (400, "BadRequestData")),
        ("id=urn:a:b", (400, "BadRequestData")),
        ("attrs=createdAt", (400, "BadRequestData")),
        ('q=modifiedAt>"2020-01-01T00:00:00Z"', (400, "BadRequestData")),
        ("type=T&q=a==", (400, "BadRequestData")),
        ("type=T&q=", (400, "BadRequestData")),
        ("type=T&q=createdAt>5", (400, "BadRequestData")),
        ("type=T&q=createdAt~=x", (400, "BadRequestData")),
        ('type=T&q=a~="("', (400, "BadRequestData")),
        ("type=T&idPattern=(", (400, "BadRequestData")),
        ("type=T;", (400, "BadRequestData")),
        ("type=T&id=nonsense", (400, "BadRequestData")),
        ("type=T&limit=0", (400, "BadRequestData")),
        ("type=T&limit=-1", (400, "BadRequestData")),
        ("type=T&limit=100000", (400, "BadRequestData")),
        ("type=T&limit=2&limit=3", (400, "BadRequestData")),
        ("type=T&georel=within", (400, "BadRequestData")),
        ("type=T&georel=beside&geometry=Point&coordinates=[0,0]", (400, "BadRequestData")),
        ("type=T&georel=within&geometry=Point&coordinates=[0]", (400, "BadRequestData")),
        ("type=T&scopeQ=nonsense//", (400, "BadRequestData")),
        ("type=T&pick=a&omit=a", (400, "BadRequestData")),
        ("type=T&pick=a&attrs=b", (400, "BadRequestData")),
        ("type=T&pick=a,,b", (400, "BadRequestData")),
        ("type=T&attrs=id", (400, "BadRequestData")),
        ("type=T&lang=%20;;", (400, "BadRequestData")),
        ("type=T&geometryProperty=location", (400, "BadRequestData")),
        ("type=T&format=nonsense", (400, "InvalidRequest")),
        ("type=T&nonsense=1", (400, "InvalidRequest")),
        ("type=*&local=false", (400, "BadRequestData")),
    ],
)
async def test_queries_that_cannot_be_understood(client: Client, query: str, problem: tuple[int, str]) -> None:
    assert await client.problem("GET", f"entities?{query}") == problem


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Query"},
        {"type": "Other", "entities": [{"type": "T"}]},
        {"type": "Query", "entities": []},
        {"type": "Query", "entities": [{"id": "urn:a:b"}]},
        {"type": "Query", "entities": [{"type": "T", "id": "nonsense"}]},
        {"type": "Query", "entities": [{"type": "T"}], "q": 5},
        {"type": "Query", "entities": [{"type": "T"}], "attrs": []},
        {"type": "Query", "entities": [{"type": "T"}], "nonsense": 1},
        {"type": "Query", "entities": [{"type": "T"}], "temporalQ": {}},
    ],
)
async def test_bodies_that_are_no_query(client: Client, body: object) -> None:
    assert await client.problem("POST", "entityOperations/query", body) == (400, "BadRequestData")


async def test_no_value_becomes_text_of_a_query(client: Client, kind: str) -> None:
    """Whatever stands in a query is data: quotes, comments, format marks, jsonpath, regular expressions."""
    for evil in ("' OR true --", '") || true', "$1", "%s", "\\", '\\"', "\x00", "𝄞", "{}"):
        for q in (f"name=={json.dumps(evil)}", f"address[{quote(evil, safe='')}]==1"):
            answer = await client.ask("GET", f"entities?type={kind}&q={quote(q)}")
            assert (answer.status, answer.json if answer.status == 200 else None) in ((200, []), (400, None)), q
