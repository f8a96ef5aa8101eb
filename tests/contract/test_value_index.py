"""Queries by the index of values: they answer what they answer without it, and they do go by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import msgspec
import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.context import CORE, GeoQuery, Selection, Selector, parse_coordinates, parse_entity, parse_georel
from broadstreet.context import placed_predicate as placed
from broadstreet.context.batch import BatchOperation
from broadstreet.context.predicate import Predicate
from broadstreet.context.query_language import parse_query
from broadstreet.context.scope import parse_scope_query
from broadstreet.context.search import Search
from broadstreet.context.selection import parse_types
from broadstreet.model.terms import expand
from broadstreet.store import Database, database
from broadstreet.store.database import prepare_connection
from broadstreet.store.migration import tenant_schema
from tests.contract.conftest import Clock

ANN: Final = Principal.account("ann", "Ann", "city", ["engineer"])
LONG: Final = "ä" * 70
VALUES: Final[list[Any]] = [
    *(0, -0.0, 1, -1, 2, 2.5, -2.5, 1e20, -1e20, 2**53 - 1, 2**53 + 1, 2**63 + 5, 1e-320, 1e15, 40, 40.0000001),
    *(True, False, "", "a", "b", "ab", "true", "2", LONG, LONG + "b", LONG + "c", "z", "Ω", "\U0001f600", "\ufffd"),
    *("2026-03-01", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00", "2026-03-01T14:00:00+02:00", "2026-02-30"),
    *("2026-03-01T12:00:00.000001Z", "2026-03-01T12:00:00.5Z", "2026-03-01T12:00:00.1234567Z", "12:00:00Z"),
    *("2026-03-01T24:00:00Z", "2026-03-01T23:59:60Z", "1969-12-31T23:59:59Z", "2026-03-01T12:00:00+0200", "0000-01-01"),
    *({"@type": "DateTime", "@value": "2026-03-01T12:00:00Z"}, {"@value": "a"}, {"@value": 2}, {"a": 2}, {"value": 2}),
    *([], [1, 2, 3], ["a", "b"], [40, "a", True], ["2026-03-01T12:00:00Z"], [[2]], [{"@value": "2026-03-01"}]),
]
OPERANDS: Final = (
    *("0", "-1", "1", "2", "2.5", "40", "1e20", "9007199254740992", "1e15", '"2"', '"a"', '"ab"', '""', '"Ω"'),
    *('"\\ufffd"', f'"{LONG}"', f'"{LONG}b"', f'"{LONG[:64]}"', '"2026-03-01"', "2026-03-01", "2026-03-02"),
    *("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000001Z", "2026-03-01T12:00:00.0000004Z", "1970-01-01T00:00:00Z"),
    *("12:00:00Z", "2026-03-01T14:00:00+02:00"),
)
QUERIES: Final = (
    *(f"v{operator}{operand}" for operator in ("==", "!=", "<", "<=", ">", ">=") for operand in OPERANDS),
    *("v", "v==true", "v!=false", "v==1,2,40", 'v=="a","b"', 'v==1,"a",true', 'v==2026-03-01,"a"', "v~=^a", "v!~=^a"),
    *("v==0..2", "v!=0..2", 'v=="a".."b"', "v==2026-03-01..2026-03-02", "v[a]==2", "v[@value]==2", "v.unitCode"),
    *("v==2026-03-01T11:59:59Z..2026-03-01T12:00:00Z", "v!=2026-03-01T00:00:00Z..2026-03-02T00:00:00Z", "v==5..1"),
    *("v>1;v<3", "v<0|v>1e15", "(v==1|v==2);other", "v>=2;other==7"),
)


@pytest.fixture
async def tenant(services: Services) -> Database:
    return await services.store.tenant("city")


async def found(tenant: Database, services: Services, text: str) -> list[int]:
    search = Search(tenant, services.store.terms(tenant))
    return (await search.page(Selection(query=parse_query(text), limit=1_000))).keys


async def test_the_index_changes_no_answer(
    services: Services, tenant: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [
        {"id": f"urn:v:{n}", "type": "V", "v": {"value": value}, "other": n % 9} for n, value in enumerate(VALUES)
    ]
    documents += [
        {"id": "urn:v:r", "type": "V", "v": {"type": "Relationship", "object": "a:b"}},
        {"id": "urn:v:l", "type": "V", "v": {"type": "LanguageProperty", "languageMap": {"en": "a"}}},
        {"id": "urn:v:g", "type": "V", "v": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [2, 2]}}},
        {"id": "urn:v:n", "type": "V", "v": [{"value": 1, "datasetId": "d:1"}, {"value": "a", "datasetId": "d:2"}]},
        {"id": "urn:v:d", "type": "V", "v": 2},
    ]
    fragments = [parse_entity(document, CORE) for document in documents]
    outcome = await services.broker.batch(ANN, clock(), BatchOperation.CREATE, fragments)
    assert outcome.errors == []
    await services.broker.delete(ANN, clock(), "urn:v:d")
    queries = [*QUERIES, 'v=="a:b"', 'v>"a"']
    placed_answers = {text: await found(tenant, services, text) for text in queries}
    # The same values, as devices say them: none has a place of its own.
    await tenant.execute("UPDATE attribute SET is_fed = true WHERE deleted_at IS NULL AND series_key % 2 = 0")
    fed_answers = {text: await found(tenant, services, text) for text in queries}
    monkeypatch.setattr(placed.PlacedPredicate, "_valued", Predicate._valued)
    assert len(await found(tenant, services, 'v=="a"')) >= 3
    for text in queries:
        plain = await found(tenant, services, text)
        assert placed_answers[text] == plain, text
        assert fed_answers[text] == plain, text
    assert sum(0 < len(keys) < len(documents) for keys in placed_answers.values()) > len(queries) // 2


async def test_a_change_moves_a_value_and_a_reading_takes_its_place_away(
    services: Services, tenant: Database, clock: Clock
) -> None:
    await services.broker.create(ANN, clock(), parse_entity({"id": "urn:v:1", "type": "V", "v": 1}, CORE))
    (key,) = await found(tenant, services, "v==1")
    await services.broker.append(
        ANN, clock() + 1, parse_entity({"id": "urn:v:1", "type": "V", "v": 2}, CORE), may_overwrite=True
    )
    assert [await found(tenant, services, text) for text in ("v==1", "v==2")] == [[], [key]]
    await tenant.execute(
        "UPDATE attribute SET is_fed = true, number = 3 WHERE term_key = (SELECT key FROM term WHERE iri = $1)",
        expand("v"),
    )
    assert [await found(tenant, services, text) for text in ("v==2", "v==3", "v>3")] == [[], [key], []]
    places = await tenant.fetch("SELECT value_place FROM attribute")
    assert [bytes(row["value_place"])[4:] for row in places] == [b"w"]
    await services.broker.delete(ANN, clock() + 2, "urn:v:1")
    assert await found(tenant, services, "v") == []
    assert [row["value_place"] for row in await tenant.fetch("SELECT value_place FROM attribute")] == [None]


ENTITIES: Final = 8_000
NAMES: Final = ("T0", "T1", "number", "text", "time", "owner", "location", "truth")
_CITY: Final = f"""
INSERT INTO term (iri)
SELECT * FROM unnest(ARRAY{[expand(name) for name in NAMES]});
INSERT INTO entity (id, types, scopes, created_at, modified_at)
SELECT 'urn:city:' || n, ARRAY[(SELECT key FROM term WHERE iri LIKE '%/T0') + (n % 500 = 0)::int],
    ARRAY['/City/D' || n % 400], now(), now()
FROM generate_series(1, {ENTITIES}) n;
INSERT INTO series (entity_key, term_key) SELECT e.key, t.key FROM entity e, term t
WHERE e.id LIKE 'urn:city:%' AND t.iri ~ '/(number|text|time|owner|location|truth)$';
INSERT INTO attribute (
    series_key, entity_key, term_key, kind, as_of, created_at, modified_at, origin_key, number, value
)
SELECT s.key, s.entity_key, s.term_key,
    CASE WHEN t.iri LIKE '%/owner' THEN 2 WHEN t.iri LIKE '%/location' THEN 1 ELSE 0 END, now(), now(), now(), 1,
    CASE WHEN t.iri LIKE '%/number' THEN n END,
    CASE
        WHEN t.iri LIKE '%/text' THEN to_jsonb('street ' || n % 700)
        WHEN t.iri LIKE '%/time' THEN
            to_jsonb(to_char(timestamp '2026-01-01' + n * interval '1 min', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        WHEN t.iri LIKE '%/owner' THEN to_jsonb('urn:owner:' || n % 300)
        WHEN t.iri LIKE '%/location' THEN
            jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(n * 0.001, 60))
        WHEN t.iri LIKE '%/truth' THEN to_jsonb(n % 2 = 0)
    END
FROM series s JOIN term t ON t.key = s.term_key
CROSS JOIN LATERAL (SELECT substr(e.id, 10)::int AS n FROM entity e WHERE e.key = s.entity_key) AS own;
INSERT INTO place SELECT a.series_key, a.entity_key, a.term_key, box(at, at), a.value FROM attribute a
CROSS JOIN LATERAL (SELECT point((a.value #>> '{{coordinates,0}}')::float8, 60)) AS own (at) WHERE a.kind = 1;
"""


def near(metres: int) -> GeoQuery:
    return parse_georel(f"near;maxDistance=={metres}", parse_coordinates("Point", [4, 60]), expand("location"))


def query(text: str) -> Selection:
    return Selection(query=parse_query(text))


ASKED: Final = {
    "number": (query("number==500..520"), {"attribute_value"}),
    "text": (query('text=="street 5"'), {"attribute_value"}),
    "time": (query("time>=2026-01-06T12:00:00Z"), {"attribute_value"}),
    "relationship": (query('owner=="urn:owner:7"'), {"attribute_value"}),
    "two": (query('text=="street 5";number>=100'), {"attribute_value", "attribute_entity"}),
    "half": (query("truth==true;number>=0"), {"entity_pkey", "attribute_entity"}),
    "type": (Selection(selectors=(Selector(types=parse_types("T1", CORE)),)), {"entity_types"}),
    "scope": (Selection(scopes=parse_scope_query("/City/D7")), {"entity_scopes"}),
    "scopes": (Selection(scopes=parse_scope_query("/City/D7/#")), {"entity_scopes"}),
    "near": (Selection(geo=near(500)), {"place_bounds"}),
    "half of all near": (Selection(geo=near(500_000)), {"place_bounds", "place_entity"}),
}


def scans(plan: dict[str, Any]) -> Iterator[str]:
    """What a plan reads: indexes, and tables from end to end."""
    if "Index Name" in plan:
        yield plan["Index Name"]
    if plan["Node Type"] == "Seq Scan":
        yield f"all of {plan['Relation Name']}"
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


async def test_each_sort_of_query_goes_by_an_index(
    services: Services, services_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await asyncpg.connect(services_dsn)
    try:
        await owner.execute(f"SET search_path TO {tenant_schema('city')}")
        await owner.execute(_CITY)
        await owner.execute("VACUUM ANALYZE attribute, entity, series, place")
    finally:
        await owner.close()
    sent: list[tuple[str, tuple[Any, ...]]] = []

    async def listen(connection: database.Connection) -> None:
        await prepare_connection(connection)
        connection.add_query_logger(lambda record: sent.append((record.query, record.args)))

    monkeypatch.setattr(database, "prepare_connection", listen)
    tenant = await Database.open(
        "city",
        services_dsn,
        user="broadstreet",
        role="broadstreet_t_city",
        schema=tenant_schema("city"),
    )
    try:
        search = Search(tenant, services.store.terms(tenant))
        for name, (selection, indexes) in ASKED.items():
            sent.clear()
            page = await search.page(selection)
            assert page.keys, name
            used: set[str] = set()
            for statement, arguments in sent.copy():
                if "entity e" in statement:
                    async with tenant.acquire(plans=True) as connection:
                        shown = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
                    (plan,) = msgspec.json.decode(shown)
                    used |= set(scans(plan["Plan"]))
            assert indexes <= used, f"{name} goes by {used}"
            assert not any(one.startswith("all of") for one in used), f"{name} goes by {used}"
    finally:
        await tenant.close()
