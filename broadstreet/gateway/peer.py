"""Who is at the other end of a connection, and what topics mean to it.

A device has `readings` (short for `devices/<id>/readings`) and what is below `devices/<id>/`; a person or a program,
signed in with a token, what its permissions give it there: `access.topics` decides. Topics are a tenant's own: two
tenants never see each other's. A guest of the listener for test suites has all topics of a tenant that no city has.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from broadstreet.access import Principal
from broadstreet.access.topics import may_publish, may_subscribe

Address = tuple[str, str, str, str]
"""Tenant, kind of peer, peer and client id. A client id is a peer's own: nobody else can take its session over."""
DEVICES = "devices"
READINGS = "readings"
OPEN_TENANT = "-open-"
"""Whose topics those of the listener for test suites are: a name that no tenant of the store can have."""


class Peer(Struct, frozen=True):
    """
    name: a device's id, or an account's name; empty for a guest.
    key:  a device's key in its tenant; 0 for others.
    proof: names the secret, token or certificate that it signed in by; empty for a guest.
    principal: what it may do; None for a guest, who may do everything.
    """

    tenant: str
    kind: Literal["device", "account", "guest"]
    name: str
    key: int = 0
    proof: bytes = b""
    principal: Principal | None = None

    @property
    def own_prefix(self) -> str:
        """Before every topic of its own."""
        return "" if self.kind == "guest" else f"{DEVICES}/{self.name}/"

    def suffix_of(self, topic: str) -> str | None:
        """What follows `own_prefix` in a topic of this peer's own that it may publish to; None where it may not."""
        if self.principal is None:
            return topic
        if self.kind != "device":
            return None
        prefix = self.own_prefix
        whole = prefix + READINGS if topic == READINGS else topic
        return whole[len(prefix) :] if may_publish(self.principal, whole) else None

    def speaks_for(self, topic: str) -> tuple[str, str] | None:
        """The device in whose name this peer may publish to a topic, and what follows it; None where it may not."""
        if self.kind != "account" or self.principal is None or not may_publish(self.principal, topic):
            return None
        _, device, suffix = topic.split("/", 2)
        return device, suffix

    def may_subscribe(self, topic_filter: str) -> bool:
        """Whether all that a filter matches is this peer's to read."""
        return self.principal is None or may_subscribe(self.principal, topic_filter)


def address_of(peer: Peer, client_id: str) -> Address:
    """What a session is found by."""
    return peer.tenant, peer.kind, peer.name, client_id
