"""The store: one PostgreSQL database, one control schema, one schema a tenant.

`Store.connect` opens the control schema; `store.tenant(name)` opens a tenant's on first use and keeps it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import asyncpg

from broadstreet.model.errors import EngineFailed, UnknownTenant
from broadstreet.model.identifiers import TENANT_PATTERN
from broadstreet.store import migration
from broadstreet.store.database import Database
from broadstreet.store.queries import load_queries
from broadstreet.store.seal import Seal
from broadstreet.store.terms import Terms

MAX_TENANTS_OPEN = 256
_SQL = load_queries("tenant")
_MIGRATION_SQL = load_queries("migration")


class Store:
    """PostgreSQL, as this house uses it. Make one a process with `Store.connect`, and close it."""

    def __init__(self, dsn: str, user: str | None, control: Database, pool_size: int, files: Path | None) -> None:
        self.control = control
        self._dsn = dsn
        self._user = user
        self._pool_size = pool_size
        self._files = files
        self._tenants: dict[str, Database] = {}
        self._views: dict[str, Database] = {}
        self._terms: dict[str, Terms] = {}
        self._opening = asyncio.Lock()

    @classmethod
    async def connect(
        cls, dsn: str, *, pool_size: int = 8, files: Path | None = None, keys: Path | None = None
    ) -> Self:
        """Open the store of a migrated database.

        dsn: the owner's address. Where it is a superuser's on a local socket, as with the embedded server, the
        connections sign in as the plain role `broadstreet` instead. pool_size: connections a tenant at most. files:
        where the tenants' files are, a folder each; a process without it cannot read what has moved there. keys: the
        file of the keys that secrets are sealed by; a process without it neither seals nor opens one. Raises
        EngineFailed.
        """
        user = await _sign_in_role(dsn)
        control = await Database.open(
            "control", dsn, user=user, role=migration.CONTROL_ROLE, schema=migration.CONTROL_SCHEMA, max_size=pool_size
        )
        control.seal = Seal(keys)
        return cls(dsn, user, control, pool_size, files)

    async def close(self) -> None:
        """Close every connection."""
        for database in (*self._views.values(), *self._tenants.values(), self.control):
            await database.close()
        self._views.clear()
        self._tenants.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def tenant(self, name: str, reach: str | None = None) -> Database:
        """The database of a tenant; with a reach the views of it that go so far, to be read. Raises UnknownTenant."""
        if reach is not None:
            return (await self._view(name)).within(reach)
        if (database := self._tenants.get(name)) is not None:
            return database
        async with self._opening:
            if (database := self._tenants.get(name)) is not None:
                return database
            known = TENANT_PATTERN.fullmatch(name) and await self.control.fetchval(_SQL["exists"], name)
            if not known or len(self._tenants) >= MAX_TENANTS_OPEN:
                raise UnknownTenant(f"there is no tenant {name[:80]!r}")
            database = await Database.open(
                name,
                self._dsn,
                user=self._user,
                role=migration.tenant_role(name),
                schema=migration.tenant_schema(name),
                max_size=self._pool_size,
                files=None if self._files is None else self._files / name,
            )
            self._tenants[name] = database
            return database

    async def _view(self, name: str) -> Database:
        await self.tenant(name)
        async with self._opening:
            if (database := self._views.get(name)) is None:
                database = await Database.open(
                    f"{name} in part",
                    self._dsn,
                    user=self._user,
                    role=migration.reach_role(name),
                    schema=migration.reach_schema(name),
                    max_size=self._pool_size,
                    files=None if self._files is None else self._files / name,
                )
                self._views[name] = database
            return database

    async def tenants(self) -> list[str]:
        """All tenants' names, oldest first."""
        return [row["name"] for row in await self.control.fetch(_SQL["names"])]

    async def identity(self) -> str:
        """What tells this database from every other."""
        return str(await self.control.fetchval(_SQL["identity"]))

    async def create_tenant(self, name: str, title: str) -> Database:
        """Create a tenant, unless it exists, and open it. Raises InvalidInput for a name that cannot be one."""
        await migration.create_tenant(self._dsn, name, title)
        return await self.tenant(name)

    def terms(self, database: Database) -> Terms:
        """The interned IRIs of a tenant, cached for as long as the store is open."""
        return self._terms.setdefault(database.name, Terms(database))


async def _sign_in_role(dsn: str) -> str | None:
    """The role to sign in as, where that is not the one the address names."""
    try:
        connection = await asyncpg.connect(dsn)
    except (OSError, asyncpg.PostgresError) as error:
        raise EngineFailed(
            f"PostgreSQL does not answer: {error}", remedy="Check its address and that it runs."
        ) from error
    try:
        is_superuser = bool(await connection.fetchval(_MIGRATION_SQL["is_superuser"]))
    finally:
        await connection.close()
    parts = urlsplit(dsn)
    is_local = not parts.password and (not parts.hostname or "host" in parse_qs(parts.query))
    return migration.LOGIN_ROLE if is_superuser and is_local else None
