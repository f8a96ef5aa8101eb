"""Bringing a database up to the schema this version knows.

`store/sql/control.NNNN.sql` and `store/sql/tenant.NNNN.sql` are applied in order, each in a transaction of its own
together with the row that says so; a migration that was killed is simply run again. An advisory lock keeps two
starters apart. Roles:

    broadstreet             signs in; may become the roles below, and inherits nothing from them
    broadstreet_control     reaches the schema `control`
    broadstreet_t_<tenant>  reaches the schema `tenant_<tenant>`, and nothing else
    broadstreet_r_<tenant>  reads the views of `reach_<tenant>`, and nothing else

Those views stand on the tenant's tables: they are taken down before its migrations, and put up again after them.
"""

from __future__ import annotations

import contextlib
import re
from importlib.resources import files
from typing import TYPE_CHECKING

import asyncpg

from broadstreet.model.errors import EngineFailed
from broadstreet.model.identifiers import check_tenant
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

LOGIN_ROLE = "broadstreet"
CONTROL_ROLE = "broadstreet_control"
CONTROL_SCHEMA = "control"
_LOCK_KEY = 0x62726F61  # "broa"
_FILE = re.compile(r"(control|tenant)\.(\d{4})\.sql")
_VIEWS = files("broadstreet.store") / "sql" / "reach.0000.sql"
_SQL = load_queries("migration")


def tenant_role(name: str) -> str:
    """The role of a tenant."""
    return f"broadstreet_t_{check_tenant(name)}"


def tenant_schema(name: str) -> str:
    """The schema of a tenant."""
    return f"tenant_{check_tenant(name)}"


def reach_role(name: str) -> str:
    """The role that sees a part of a tenant."""
    return f"broadstreet_r_{check_tenant(name)}"


def reach_schema(name: str) -> str:
    """The schema of the views by which a part of a tenant is seen."""
    return f"reach_{check_tenant(name)}"


def migrations(kind: str) -> list[tuple[int, str]]:
    """(version, SQL) of every migration of a kind ('control' or 'tenant'), in order."""
    return sorted(
        (int(match[2]), file.read_text(encoding="utf-8"))
        for file in (files("broadstreet.store") / "sql").iterdir()
        if (match := _FILE.fullmatch(file.name)) and match[1] == kind
    )


async def migrate(dsn: str) -> None:
    """Create or upgrade the control schema and every tenant's.

    dsn: an owner's connection; a superuser, or one with CREATEROLE and CREATE on the database. Raises
    EngineFailed where the server does not answer, or a newer Broadstreet has been there.
    """
    try:
        connection = await asyncpg.connect(dsn)
    except (OSError, asyncpg.PostgresError) as error:
        raise EngineFailed(
            f"PostgreSQL does not answer: {error}", remedy="Check its address and that it runs."
        ) from error
    try:
        await connection.execute(_SQL["lock"], _LOCK_KEY)
        await _ensure_role(connection, LOGIN_ROLE, login=True)
        await _ensure_schema(connection, CONTROL_SCHEMA, CONTROL_ROLE)
        await connection.execute(_SQL["create_migration_table"])
        await _apply(connection, CONTROL_SCHEMA, CONTROL_ROLE, "control")
        for row in await connection.fetch(_SQL["tenants"]):
            await _bring_up(connection, row["name"])
    finally:
        await connection.close()


async def create_tenant(dsn: str, name: str, title: str) -> None:
    """Create a tenant: its row, role and schema. Nothing happens where it exists already."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_SQL["lock"], _LOCK_KEY)
        await _ensure_schema(connection, tenant_schema(name), tenant_role(name))
        await _bring_up(connection, name)
        await connection.execute(_SQL["insert_tenant"], name, title)
    finally:
        await connection.close()


async def _ensure_role(connection: Connection, role: str, *, login: bool = False) -> None:
    """Create a role, unless it exists: roles belong to the whole server, and another database may have made it."""
    if not await connection.fetchval(_SQL["role_exists"], role):
        # Another starter may make it in the meantime.
        with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await connection.execute(f"CREATE ROLE {role} {'LOGIN' if login else 'NOLOGIN'} NOINHERIT")
    if not login:
        grantees = {LOGIN_ROLE, str(await connection.fetchval(_SQL["current_user"]))}
        for grantee in sorted(grantees):
            if not await connection.fetchval(_SQL["may_become"], grantee, role):
                await _grant_role(connection, role, grantee)


async def _grant_role(connection: Connection, role: str, grantee: str) -> None:
    try:
        await connection.execute(f'GRANT {role} TO "{grantee}" WITH INHERIT FALSE, SET TRUE')
    except asyncpg.InternalServerError as error:
        # "tuple concurrently updated": another database of this server granted the same at the same moment.
        if not await connection.fetchval(_SQL["may_become"], grantee, role):
            raise EngineFailed(f"cannot grant {role} to {grantee}: {error}", remedy="Start again.") from error


async def _ensure_schema(connection: Connection, schema: str, role: str) -> None:
    await _ensure_role(connection, role)
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")


async def _bring_up(connection: Connection, name: str) -> None:
    """A tenant's schema as this version knows it, and the views beside it."""
    await connection.execute(f"DROP SCHEMA IF EXISTS {reach_schema(name)} CASCADE")
    await _apply(connection, tenant_schema(name), tenant_role(name), "tenant")
    await _put_up_views(connection, name)


async def _put_up_views(connection: Connection, name: str) -> None:
    views, reader = reach_schema(name), reach_role(name)
    await _ensure_role(connection, reader)
    async with connection.transaction():
        await connection.execute(f"CREATE SCHEMA {views}")
        await connection.execute(f"SET LOCAL search_path = {views}, {tenant_schema(name)}")
        await connection.execute(_VIEWS.read_text(encoding="utf-8"))
        await connection.execute(f"GRANT USAGE ON SCHEMA {views} TO {reader}")
        await connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {views} TO {reader}")


async def _apply(connection: Connection, schema: str, role: str, kind: str) -> None:
    done = await connection.fetchval(_SQL["version"], schema)
    known = migrations(kind)
    if done > known[-1][0]:
        raise EngineFailed(
            f"a newer Broadstreet has used this database: {schema} is at version {done}, not {known[-1][0]}",
            remedy="Run the newer Broadstreet, or restore a backup that was made before the upgrade.",
        )
    for version, sql in known:
        if version <= done:
            continue
        async with connection.transaction():
            await connection.execute(f"SET LOCAL search_path = {schema}")
            await connection.execute(sql)
            await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
            await connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")
            await connection.execute(_SQL["insert_version"], schema, version)
