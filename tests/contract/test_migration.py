"""Migrations: one that landed never changes, and going step by step, with data, leads where a fresh start stands."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broadstreet.app.clock import now_us
from broadstreet.devices import Registry, find_device
from broadstreet.store import Store, create_tenant, migrate, migration
from tests.contract.catalog import described

LANDED = Path(__file__).with_name("migrations.sha256")
KINDS = ("control", "tenant")
NEWEST = {kind: max(version for version, _ in migration.migrations(kind)) for kind in KINDS}

CONTROL_ROWS = """
    INSERT INTO control.tenant (name, title) VALUES ('old', 'Old');
    INSERT INTO control.account (name, title) VALUES ('snow', 'John Snow');
    INSERT INTO control.account_role VALUES (1, 1, 'engineer');
    INSERT INTO control.token (hash, account_key, kind, title, expires_at)
        VALUES ('\\x01', 1, 'api', 'A program', '2100-01-01');
    INSERT INTO control.device_login VALUES ('pump-1', 1, 1, '\\x02', '\\x03', NULL);
    INSERT INTO control.audit (principal, tenant, action, subject) VALUES ('snow', 'old', 'device.create', 'pump-1');
"""
TENANT_ROWS = """
    SET search_path = tenant_old;
    INSERT INTO term (iri) VALUES ('https://uri.etsi.org/ngsi-ld/default-context/Pump'),
        ('https://uri.etsi.org/ngsi-ld/default-context/name');
    INSERT INTO entity (id, types, created_at, modified_at) VALUES ('urn:ngsi-ld:Pump:1', '{1}', now(), now());
    INSERT INTO origin (kind, at, principal, pack_id, stream, partition, sequence)
        VALUES ('pack', now(), 'gateway', gen_random_uuid(), 'RAW', 0, 1);
    INSERT INTO dataset (id, title) VALUES ('urn:d', 'D');
    INSERT INTO series (entity_key, term_key, dataset_key) VALUES (1, 2, 1);
    INSERT INTO meta (body, hash) VALUES ('{}', '\\x01');
    INSERT INTO attribute (series_key, meta_key, as_of, created_at, modified_at, origin_key, value)
        VALUES (1, 1, now(), now(), now(), 1, '"The pump"');
    INSERT INTO observation (series_key, observed_at, origin_key, value) VALUES (1, now(), 1, '"The pump"');
    INSERT INTO place VALUES (1, 1, 2, box(point(1, 1), point(1, 1)), '{}');
    INSERT INTO profile (name, version, body) VALUES ('pump', 1, '');
    INSERT INTO device (id, title, entity_key, profile_key, registered_at) VALUES ('pump-1', 'The pump', 1, 1, now());
    INSERT INTO device_profile VALUES (1, now(), 1);
    INSERT INTO heard VALUES (1, now(), now(), 1);
    INSERT INTO cursor VALUES (0, 'RAW', 1);
    INSERT INTO outbox (kind, body) VALUES ('changes', '\\x00');
    INSERT INTO import_run (file_hash, mapping_hash, file_name, origin_key, started_at)
        VALUES ('\\x', '\\x', 'f', 1, now());
    INSERT INTO connection (device_key, gateway, connected_at) VALUES (1, 'gateway', now());
"""


def sql_files() -> dict[str, bytes]:
    """Every migration's file, by name."""
    folder = files("broadstreet.store") / "sql"
    return {file.name: file.read_bytes() for file in folder.iterdir() if migration._FILE.fullmatch(file.name)}


def wrong_files(there: dict[str, bytes], landed: str) -> list[str]:
    """What is wrong with the migrations that are there, given the list of those that landed."""
    pinned = {name: digest for digest, name in (line.split() for line in landed.splitlines())}
    found = {name: hashlib.sha256(body).hexdigest() for name, body in there.items()}
    wrong = [f"{name} is gone, and there are databases that had it" for name in sorted(pinned.keys() - found.keys())]
    for name, digest in sorted(found.items()):
        if name not in pinned:
            wrong.append(f"{name} is new: add the line '{digest}  {name}' to {LANDED.name} when it lands")
        elif pinned[name] != digest:
            wrong.append(f"{name} has landed, and is not what landed: put it back, and write a new migration")
    for kind in KINDS:
        versions = sorted(int(name.split(".")[1]) for name in found if name.startswith(kind))
        if versions != list(range(1, len(versions) + 1)):
            wrong.append(f"the migrations of {kind} are not numbered 1, 2, 3, …: {versions}")
    return wrong


def test_what_landed_never_changes() -> None:
    assert wrong_files(sql_files(), LANDED.read_text(encoding="utf-8")) == []


def test_a_planted_change_is_caught() -> None:
    there = {"control.0001.sql": b"a", "tenant.0001.sql": b"b"}
    landed = "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in there.items())
    assert wrong_files(there, landed) == []
    assert "put it back" in wrong_files({**there, "tenant.0001.sql": b"c"}, landed)[0]
    assert "add the line" in wrong_files({**there, "tenant.0002.sql": b"c"}, landed)[0]
    assert "is gone" in wrong_files({"control.0001.sql": b"a"}, landed)[0]
    assert "not numbered" in wrong_files({**there, "tenant.0003.sql": b"c"}, landed)[1]


@asynccontextmanager
async def another_database(dsn: str) -> AsyncIterator[str]:
    """An empty database beside one."""
    name = dsn.partition("?")[0].rpartition("/")[2]
    owner = await asyncpg.connect(dsn)
    try:
        await owner.execute(f"CREATE DATABASE {name}_fresh STRATEGY wal_log")
        yield dsn.replace(f"/{name}?", f"/{name}_fresh?")
        await owner.execute(f"DROP DATABASE {name}_fresh WITH (FORCE)")
    finally:
        await owner.close()


class Steps:
    """The house's own migrations, up to a version that can be raised."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._all = migration.migrations
        self._put_up_views = migration._put_up_views
        self.version = 1
        monkeypatch.setattr(migration, "migrations", self._known)
        monkeypatch.setattr(migration, "_put_up_views", self._views)

    def _known(self, kind: str) -> Sequence[tuple[int, str]]:
        return [(version, sql) for version, sql in self._all(kind) if version <= self.version]

    async def _views(self, connection: asyncpg.Connection[asyncpg.Record], name: str) -> None:
        """Views stand on what the newest version knows."""
        if self.version >= NEWEST["tenant"]:
            await self._put_up_views(connection, name)


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def migrate_step_by_step(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first version with rows in every table, one version at a time, to the newest."""
    with monkeypatch.context() as patch:
        steps = Steps(patch)
        await migrate(dsn)
        await execute(dsn, CONTROL_ROWS)
        await create_tenant(dsn, "old", "Old")
        await execute(dsn, TENANT_ROWS)
        for version in range(2, max(NEWEST.values()) + 1):
            steps.version = version
            await migrate(dsn)


async def test_step_by_step_leads_where_a_fresh_start_stands(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_step_by_step(postgres_dsn, monkeypatch)
    async with another_database(postgres_dsn) as fresh_dsn:
        await migrate(fresh_dsn)
        await create_tenant(fresh_dsn, "old", "Old")
        for schema in ("control", "tenant_old", "reach_old"):
            stepped, fresh = await described(postgres_dsn, schema), await described(fresh_dsn, schema)
            assert stepped - fresh == fresh - stepped == frozenset()
            assert any(what.startswith("function" if schema == "reach_old" else "constraint") for what, _ in fresh)
    connection = await asyncpg.connect(postgres_dsn)
    versions = await connection.fetch(
        "SELECT schema, max(version) AS newest FROM control.migration GROUP BY 1 ORDER BY 1"
    )
    await connection.close()
    assert [tuple(row) for row in versions] == [("control", NEWEST["control"]), ("tenant_old", NEWEST["tenant"])]


async def test_every_table_of_the_first_version_holds_a_row_to_migrate(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Steps(monkeypatch)
    await migrate(postgres_dsn)
    await execute(postgres_dsn, CONTROL_ROWS)
    await create_tenant(postgres_dsn, "old", "Old")
    await execute(postgres_dsn, TENANT_ROWS)
    connection = await asyncpg.connect(postgres_dsn)
    tables: list[Any] = await connection.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname IN ('control', 'tenant_old')"
    )
    empty = [row["name"] for row in tables if not await connection.fetchval(f"SELECT count(*) FROM {row['name']}")]
    await connection.close()
    assert len(tables) > 20
    assert empty == []


async def test_what_an_old_house_kept_is_there_after_it(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate_step_by_step(postgres_dsn, monkeypatch)
    async with await Store.connect(postgres_dsn) as store:
        city = await store.tenant("old")
        found = await find_device(city, "pump-1")
        assert (found.title, found.entity_id, found.messages) == ("The pump", "urn:ngsi-ld:Pump:1", 1)
        fresh = await Registry(store).rotate_secret(city, "pump-1")
        assert await Registry(store).authenticate("pump-1", fresh, at_us=now_us()) is not None


async def test_a_difference_is_seen(postgres_dsn: str) -> None:
    await migrate(postgres_dsn)
    for name in ("one", "two"):
        await create_tenant(postgres_dsn, name, name)
    before = await described(postgres_dsn, "tenant_one")
    for change in (
        "ALTER TABLE tenant_one.entity ALTER scopes DROP DEFAULT",
        "ALTER TABLE tenant_one.entity ADD COLUMN extra int",
        "DROP INDEX tenant_one.entity_types",
        "REVOKE DELETE ON tenant_one.entity FROM broadstreet_t_one",
        "ALTER TABLE tenant_one.attribute SET (fillfactor = 90)",
        "ALTER TABLE tenant_one.origin DROP CONSTRAINT origin_kind_check",
    ):
        await execute(postgres_dsn, change)
        after = await described(postgres_dsn, "tenant_one")
        assert after != before, change
        before = after
