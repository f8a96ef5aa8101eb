"""How tenants come to be: by a request that creates something in one that is not there yet (5.3.5 of NGSI-LD).

An administrator of the default tenant may begin one, and is its administrator then; so may anyone in a house that is
open to all of its machine. They are bounded: each has a schema of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broadstreet.access.principal import Principal
from broadstreet.model.errors import TooMany, UnknownTenant
from broadstreet.model.identifiers import check_tenant
from broadstreet.store import Store

if TYPE_CHECKING:
    from broadstreet.access.access import Access

MAX_TENANTS: Final = 200


class Tenancy:
    """Begins tenants."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    async def has(self, name: str) -> bool:
        """Whether there is such a tenant."""
        try:
            await self._store.tenant(name)
        except UnknownTenant:
            return False
        return True

    async def begin(self, name: str, by: Principal) -> None:
        """Make a tenant, for somebody who may. by: as in the default tenant.

        Raises UnknownTenant for somebody else, TooMany, InvalidInput for what cannot name a tenant.
        """
        if by.kind == "account" and ("administrator" not in by.roles or by.is_limited or by.reach is not None):
            raise UnknownTenant(
                f"there is no tenant {name[:80]!r}, and {by.name} may not begin one",
                where="NGSILD-Tenant",
                remedy="Ask an administrator.",
            )
        check_tenant(name)
        if len(await self._store.tenants()) >= MAX_TENANTS:
            raise TooMany(f"a house has at most {MAX_TENANTS} tenants", where="NGSILD-Tenant")
        await self._store.create_tenant(name, name)
        await self._access.audit.record(self._access.clock(), by.name, "tenant.create", name, tenant=name)
        if by.kind == "account":
            await self._access.accounts.grant(by.name, "administrator", tenant=name, by=by.name)
