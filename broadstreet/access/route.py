"""How a route says who may call it: a word in its `opt`, which the guard of `apis/` reads and a start-up check demands.

    @get("/ngsi-ld/v1/entities", opt=requires("entity:read"))
    @get("/portal/api/account", opt=in_person())
    @get("/health", opt=public("a balancer has no credential"))

A route that says nothing is refused before the server starts. `public` takes the reason, so that each exception can
be read where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from broadstreet.access.policy import Permission

OPT_KEY: Final = "access"
SESSION_COOKIE: Final = "broadstreet_session"
"""The portal sets it at sign-in; the guard reads it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a route asks of its caller. permission: None where being signed in is enough, or nothing is asked."""

    permission: Permission | None
    is_public: bool = False
    reason: str = ""
    in_person: bool = False
    """Whether a session is asked for: no token, which a program keeps."""
    within_reach: bool = False
    """Whether all that the route reads, it reads through the principal's own view of the tenant."""
    makes_tenant: bool = False
    """Whether the route creates something by itself, so that it may begin a tenant."""


def requires(permission: Permission, *, within_reach: bool = False, makes_tenant: bool = False) -> dict[str, Any]:
    """The caller must hold this permission in the tenant.

    makes_tenant: a tenant that is not there yet is made, where the caller may do that.

    within_reach: the route reads through `Store.tenant(principal.tenant, principal.reach)` and nothing else. Who sees a
    part of a tenant alone, a limited token or whoever has not signed in, comes through such routes only.
    """
    return {OPT_KEY: Demand(permission, within_reach=within_reach, makes_tenant=makes_tenant)}


def signed_in() -> dict[str, Any]:
    """Any account whose credential holds; no device."""
    return {OPT_KEY: Demand(None)}


def in_person() -> dict[str, Any]:
    """An account under a session of the portal: what concerns somebody's own credentials, no token of theirs may do."""
    return {OPT_KEY: Demand(None, in_person=True)}


def public(reason: str) -> dict[str, Any]:
    """Anyone. reason: why nothing is asked, or where the route itself checks the credential."""
    return {OPT_KEY: Demand(None, is_public=True, reason=reason)}


def demand_of(opt: dict[str, Any]) -> Demand | None:
    """What a route declared, or None where it declared nothing."""
    declared = opt.get(OPT_KEY)
    return declared if isinstance(declared, Demand) else None
