"""Who is at the other end of a connection, and what topics are theirs.

A device has `readings` (short for `devices/<id>/readings`) and everything below `devices/<id>/`. A person, signed in
with a token, may read what is below `devices/` and publishes nothing. Topics are a tenant's own: two tenants never see
each other's. A guest of the listener for test suites has all topics of a tenant that no city can have.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

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
    """

    tenant: str
    kind: Literal["device", "account", "guest"]
    name: str
    key: int = 0
    proof: bytes = b""

    @property
    def own_prefix(self) -> str:
        """Before every topic of its own."""
        return "" if self.kind == "guest" else f"{DEVICES}/{self.name}/"

    def suffix_of(self, topic: str) -> str | None:
        """What follows `own_prefix` in a topic this peer may publish to; None where it may not."""
        if self.kind == "guest":
            return topic
        if self.kind != "device":
            return None
        if topic == READINGS:
            return READINGS
        prefix = self.own_prefix
        return topic[len(prefix) :] if topic.startswith(prefix) and len(topic) > len(prefix) else None

    def may_subscribe(self, topic_filter: str) -> bool:
        """Whether all that a filter matches is this peer's to read."""
        if self.kind == "guest":
            return True
        if self.kind == "device":
            return topic_filter.startswith(self.own_prefix)
        return topic_filter.startswith(f"{DEVICES}/")


def address_of(peer: Peer, client_id: str) -> Address:
    """What a session is found by."""
    return peer.tenant, peer.kind, peer.name, client_id
