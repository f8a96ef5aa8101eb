"""Who may do what: one table, deny by default.

A permission is `<noun>:<verb>`. A role holds exactly the permissions whose line names it; a permission without a line
does not exist, and a route cannot declare it. `docs/reference/access.md` shows the same table, and a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, cast, get_args

from broadstreet.model.errors import InvalidInput

Role = Literal["administrator", "engineer", "dispatcher", "analyst", "steward", "viewer"]
Permission = Literal[
    "entity:read",
    "entity:write",
    "history:read",
    "history:export",
    "subscription:read",
    "subscription:write",
    "device:read",
    "device:write",
    "command:write",
    "reading:write",
    "system:read",
    "dead:write",
    "account:read",
    "account:write",
    "audit:read",
    "steward:write",
    "plan:read",
    "plan:write",
]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

_ALL: Final = ROLES
POLICY: Final[dict[Permission, tuple[Role, ...]]] = {
    "entity:read": _ALL,
    "entity:write": ("administrator", "engineer"),
    "history:read": _ALL,
    "history:export": ("administrator", "engineer", "analyst", "steward"),
    "subscription:read": ("administrator", "engineer", "dispatcher", "analyst", "steward"),
    "subscription:write": ("administrator", "engineer", "analyst"),
    "device:read": ("administrator", "engineer", "dispatcher", "analyst", "steward"),
    "device:write": ("administrator", "engineer"),
    "command:write": ("administrator", "engineer", "dispatcher"),
    "reading:write": ("administrator", "engineer"),
    "system:read": ("administrator", "engineer", "dispatcher"),
    "dead:write": ("administrator", "engineer"),
    "account:read": ("administrator",),
    "account:write": ("administrator",),
    "audit:read": ("administrator", "steward"),
    "steward:write": ("administrator", "steward"),
    "plan:read": ("administrator", "engineer", "dispatcher", "analyst", "steward"),
    "plan:write": ("administrator", "engineer", "analyst"),
}

DEVICE_PERMISSIONS: Final[frozenset[Permission]] = frozenset({"reading:write"})
"""What a device may do with its own credential: send its own readings."""

ANYONES_PERMISSIONS: Final[frozenset[Permission]] = frozenset({"entity:read", "history:read"})
"""What whoever has not signed in may do, within what the tenant's public view shows."""

OPEN_PERMISSIONS: Final[frozenset[Permission]] = frozenset(
    {"entity:read", "entity:write", "history:read", "subscription:read", "subscription:write"}
)
"""What whoever has not signed in may do in a house that is open to all of its machine: NGSI-LD's operations."""


def check_permissions(names: Iterable[str]) -> frozenset[Permission]:
    """Permissions by their names, or InvalidInput for one that does not exist."""
    checked = frozenset(names)
    if strange := sorted(checked - set(PERMISSIONS)):
        raise InvalidInput(
            f"there is no permission {strange[0][:80]!r}",
            where="permissions",
            remedy=f"Permissions: {', '.join(PERMISSIONS)}.",
        )
    return cast("frozenset[Permission]", checked)


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """All that these roles may do together."""
    held = set(roles)
    return frozenset(permission for permission, may in POLICY.items() if not held.isdisjoint(may))
