"""Who is calling: an account, a device or anyone at all, in one tenant, with what it may do and see there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

from broadstreet.access.policy import (
    ANYONES_PERMISSIONS,
    DEVICE_PERMISSIONS,
    OPEN_PERMISSIONS,
    Permission,
    Role,
    permissions_of,
)
from broadstreet.model.errors import NotAllowed

PrincipalKind = Literal["account", "device", "anyone"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Carried by every call and every subscription. Made by `Access` alone, from a credential that held."""

    name: str
    title: str
    kind: PrincipalKind
    tenant: str
    roles: frozenset[Role]
    permissions: frozenset[Permission]
    via: str | None = field(default=None, compare=False)
    """The title of the API token that was presented; None for whoever came otherwise."""
    reach: str | None = None
    """How far it sees into the tenant, as `Store.tenant` takes it (see reach.py); None: all of it."""

    @classmethod
    def account(
        cls,
        name: str,
        title: str,
        tenant: str,
        roles: Iterable[Role],
        via: str | None = None,
        limits: frozenset[Permission] | None = None,
        reach: str | None = None,
    ) -> Self:
        """A person or a system, with the roles it has in the tenant.

        limits, reach: all that a token lets through, and shows; or None.
        """
        held = frozenset(roles)
        permissions = permissions_of(held)
        may = permissions if limits is None else permissions & limits
        return cls(name, title, "account", tenant, held, may, via, reach)

    @classmethod
    def device(cls, name: str, tenant: str) -> Self:
        """A device under its own credential: it may send its readings, and no more."""
        return cls(name, name, "device", tenant, frozenset(), DEVICE_PERMISSIONS)

    @classmethod
    def anyone(cls, tenant: str, reach: str) -> Self:
        """Whoever has not signed in: sees what the tenant shows to everyone, and no more."""
        return cls("anyone", "Anyone", "anyone", tenant, frozenset(), ANYONES_PERMISSIONS, reach=reach)

    @classmethod
    def unnamed(cls, tenant: str) -> Self:
        """Whoever has not signed in, in a house that is open to all of its machine: it does what NGSI-LD offers."""
        return cls("anyone", "Anyone", "anyone", tenant, frozenset(), OPEN_PERMISSIONS)

    @property
    def is_limited(self) -> bool:
        """Whether the credential lets less through than the roles give."""
        return self.kind == "account" and self.permissions != permissions_of(self.roles)

    def may(self, permission: Permission) -> bool:
        """Whether the permission is held."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises NotAllowed unless the permission is held."""
        if permission not in self.permissions:
            if self.kind == "account" and permission in permissions_of(self.roles):
                raise NotAllowed(
                    f"the token {self.via!r} of {self.name} is limited, and lacks the permission {permission}",
                    remedy="Use a token that has it.",
                )
            raise NotAllowed(
                f"{self.name} lacks the permission {permission} in the tenant {self.tenant}",
                remedy="Ask an administrator for a role that has it.",
            )
