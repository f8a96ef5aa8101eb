"""The store on a real PostgreSQL: migrations, roles, tenants apart, times and JSON as promised."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib.resources import files

import asyncpg
import msgspec
import pytest

from broadstreet.model.errors import InvalidInput, UnknownTenant
from broadstreet.store import OutboxKind, Store, load_queries, migrate, write_origin, write_outbox
from broadstreet.store.database import prepare_connection
from broadstreet.store.migration import migrations
from broadstreet.store.queries import parse_queries

AT_US = 1_767_225_600_123_456
NOUNS = sorted(
    file.name.removesuffix(".sql")
    for file in (files("broadstreet.store") / "sql").iterdir()
    if file.name.endswith(".sql") and ".0" not in file.name
)
OF_CONTROL = {
    "tenant",
    "device_login",
    "prepared",
    "provisioning",
    "account",
    "token",
    "audit",
    "readiness",
    "second_factor",
    "webhook",
    "public_view",
    "ceremony",
    "device_certificate",
    "identity",
    "sealed",
    "passkey",
}
"""Nouns whose queries run in the control schema."""
OF_PARTS = {"public"}
"""Nouns whose queries run where a part of a tenant is seen."""
OF_AN_ENTITY = {"ordering"}
"""Nouns of expressions, which stand in a query over `entity e`."""


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    await migrate(postgres_dsn)
    async with await Store.connect(postgres_dsn) as opened:
        await opened.create_tenant("city", "The city")
        yield opened


async def test_migrating_again_changes_nothing(postgres_dsn: str) -> None:
    await asyncio.gather(migrate(postgres_dsn), migrate(postgres_dsn))
    await migrate(postgres_dsn)
    connection = await asyncpg.connect(postgres_dsn)
    versions = await connection.fetch("SELECT schema, count(*) AS n FROM control.migration GROUP BY schema")
    await connection.close()
    assert [tuple(row) for row in versions] == [("control", len(migrations("control")))]


async def test_a_tenant_reaches_its_own_schema_and_nothing_else(store: Store) -> None:
    other = await store.create_tenant("other", "Another")
    city = await store.tenant("city")
    await city.execute("INSERT INTO term (iri) VALUES ('urn:canary')")
    for forbidden in ("SELECT * FROM tenant_city.term", "SELECT * FROM control.token", "CREATE TABLE x ()"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await other.execute(forbidden)
    assert await other.fetch("SELECT * FROM term") == []
    async with other.acquire() as connection:
        await connection.execute("RESET ROLE; RESET search_path")
        assert await connection.fetch("SELECT * FROM term") == []
        assert await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = session_user") is False


async def test_an_unknown_tenant_is_refused(store: Store) -> None:
    for name in ("nobody", "City", "x; DROP SCHEMA control", ""):
        with pytest.raises(UnknownTenant):
            await store.tenant(name)
    with pytest.raises(InvalidInput):
        await store.create_tenant("x; DROP SCHEMA control", "No")
    assert await store.tenants() == ["city"]


async def test_times_are_microseconds_and_json_is_values(store: Store) -> None:
    city = await store.tenant("city")
    row = await city.fetchrow(
        "SELECT $1::timestamptz AS at, $2::jsonb AS j, $3::jsonb AS raw, $1::timestamptz::text AS text",
        AT_US,
        {"a": [1, None, "ä"]},
        msgspec.Raw(b'{"b":1}'),
    )
    assert row is not None
    assert (row["at"], row["j"], row["raw"]) == (AT_US, {"a": [1, None, "ä"]}, {"b": 1})
    assert row["text"].startswith("2026-01-01 00:00:00.123456")
    assert await city.fetchval("SELECT $1::timestamptz[]", [AT_US, -1]) == [AT_US, -1]


async def test_terms_are_interned_once_even_at_the_same_time(store: Store) -> None:
    city = await store.tenant("city")
    terms = store.terms(city)
    answers = await asyncio.gather(*(terms.intern(["urn:a", "urn:b", f"urn:{n}"]) for n in range(5)))
    assert len({answer["urn:a"] for answer in answers}) == 1
    assert await terms.find(["urn:a", "urn:unknown"]) == {"urn:a": answers[0]["urn:a"]}
    assert await terms.iris([answers[0]["urn:b"]]) == {answers[0]["urn:b"]: "urn:b"}
    assert await city.fetchval("SELECT count(*) FROM term") == 7


async def test_a_rolled_back_transaction_leaves_nothing_in_the_outbox(store: Store) -> None:
    city = await store.tenant("city")
    with pytest.raises(RuntimeError):
        async with city.transaction() as connection:
            await write_origin(connection, "api", "me", AT_US)
            await write_outbox(connection, OutboxKind.CHANGES, b"x")
            raise RuntimeError
    assert await city.fetchval("SELECT count(*) FROM outbox") == 0
    assert await city.fetchval("SELECT count(*) FROM origin") == 0


@pytest.mark.parametrize("noun", NOUNS)
async def test_every_query_is_understood_by_postgresql(noun: str, store: Store) -> None:
    if noun == "migration":
        pytest.skip("run by the owner at start, and by every test here")
    database = store.control if noun in OF_CONTROL else await store.tenant("city", "[]" if noun in OF_PARTS else None)
    async with database.acquire() as connection:
        await prepare_connection(connection)
        for name, sql in load_queries(noun).items():
            told = sql.replace("told /* past */", "observation").replace("tabled /* past */", "observation")
            of_a_row = "FROM entity e" if noun in OF_AN_ENTITY else "FROM scoped c" if name == "scope_leaf" else None
            await connection.prepare(told if of_a_row is None else f"SELECT ({told}) {of_a_row}")


def test_a_query_needs_a_name_a_description_and_a_body() -> None:
    good = parse_queries("x", "-- about the file\n\n-- name: a\n-- What for.\nSELECT 1;\n")
    assert dict(good) == {"a": "SELECT 1"}
    assert good.descriptions == {"a": "What for."}
    for bad in (
        "SELECT 1",
        "-- name: a\nSELECT 1",
        "-- name: a\n-- What.\n",
        "-- name: a\n-- x\nS\n-- name: a\n-- x\nS",
    ):
        with pytest.raises(ValueError, match=r"x\.sql"):
            parse_queries("x", bad)
    with pytest.raises(KeyError, match="no query 'b'"):
        good["b"]
