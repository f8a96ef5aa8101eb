"""Who is calling: an account or a device, in one tenant, with what it may do there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

from broadstreet.access.policy import DEVICE_PERMISSIONS, Permission, Role, permissions_of
from broadstreet.model.errors import NotAllowed

PrincipalKind = Literal["account", "device"]


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

    @classmethod
    def account(
        cls,
        name: str,
        title: str,
        tenant: str,
        roles: Iterable[Role],
        via: str | None = None,
        limits: frozenset[Permission] | None = None,
    ) -> Self:
        """A person or a system, with the roles it has in the tenant. limits: all that a token lets through, or None."""
        held = frozenset(roles)
        permissions = permissions_of(held)
        return cls(name, title, "account", tenant, held, permissions if limits is None else permissions & limits, via)

    @classmethod
    def device(cls, name: str, tenant: str) -> Self:
        """A device under its own credential: it may send its readings, and no more."""
        return cls(name, name, "device", tenant, frozenset(), DEVICE_PERMISSIONS)

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
