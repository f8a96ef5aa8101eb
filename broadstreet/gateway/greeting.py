"""The first and the last word: what CONNECT is refused for, what CONNACK promises, and how DISCONNECT says why."""

from __future__ import annotations

from msgspec.structs import replace

from broadstreet.gateway.bounds import (
    LONGEST_KEEP_ALIVE_S,
    MAX_CLIENT_ID_BYTES,
    TOPIC_ALIAS_MAXIMUM,
)
from broadstreet.gateway.limits import Limits
from broadstreet.gateway.peer import Peer
from broadstreet.model.clock import format_rfc3339
from broadstreet.mqtt import ConnAck, Connect, Disconnect, Packet, Properties, Reason, Version, encode
from broadstreet.mqtt.properties import with_reason
from broadstreet.mqtt.reasons import connect_return_code

TIME_PROPERTY = "time"
"""The user property of CONNACK that says what time it is here, in RFC 3339."""
KEEP_ALIVE_GRACE = 1.5
"""A client is given this much of its keep-alive (MQTT-3.1.2-22; MQTT-3.1.2-24 in 3.1.1)."""


def fault_of(connect: Connect) -> tuple[Reason, str] | None:
    """Why a CONNECT is refused whoever sent it; None if it is not."""
    if connect.properties.authentication_method is not None:
        return Reason.BAD_AUTHENTICATION_METHOD, "extended authentication is not offered"
    if len(connect.client_id.encode()) > MAX_CLIENT_ID_BYTES:
        return Reason.CLIENT_IDENTIFIER_NOT_VALID, f"the client id is longer than {MAX_CLIENT_ID_BYTES} bytes"
    if connect.version == Version.V3_1_1 and not connect.client_id and not connect.clean_start:
        return Reason.CLIENT_IDENTIFIER_NOT_VALID, "a client without an id must ask for a clean session [MQTT-3.1.3-8]"
    return None


def fault_of_will(connect: Connect, peer: Peer) -> tuple[Reason, str] | None:
    """Why a peer may not leave this will; None if it may."""
    if connect.will is not None and peer.suffix_of(connect.will.topic) is None:
        return Reason.NOT_AUTHORIZED, f"the will's topic {connect.will.topic[:120]} is not its own"
    return None


def keep_alive_s(connect: Connect) -> int:
    """The keep-alive in force. Version 5 is told one where it names none, or a very long one; 0 is none."""
    asked_s = connect.keep_alive_s
    if connect.version == Version.V5 and not 0 < asked_s <= LONGEST_KEEP_ALIVE_S:
        return LONGEST_KEEP_ALIVE_S
    return asked_s


def accept(
    connect: Connect, assigned_client_id: str | None, limits: Limits, *, is_present: bool, expiry_s: int, at_us: int
) -> bytes:
    """The CONNACK that says yes, and to what.

    is_present: whether there was a session. expiry_s: the one in force. at_us: now, for clocks that run wrong.
    """
    if connect.version != Version.V5:
        return encode(ConnAck(is_present), connect.version)
    in_force_s = keep_alive_s(connect)
    properties = Properties(
        session_expiry_s=expiry_s if expiry_s != (connect.properties.session_expiry_s or 0) else None,
        receive_maximum=limits.in_flight,
        maximum_packet_bytes=limits.packet_bytes,
        assigned_client_id=assigned_client_id,
        topic_alias_maximum=TOPIC_ALIAS_MAXIMUM,
        server_keep_alive_s=in_force_s if in_force_s != connect.keep_alive_s else None,
    )
    timed = replace(properties, user_properties=((TIME_PROPERTY, format_rfc3339(at_us)),))
    return _within(connect, ConnAck(is_present, properties=timed), ConnAck(is_present, properties=properties))


def refuse(connect: Connect, reason: Reason, words: str) -> bytes:
    """The CONNACK that says no."""
    if connect.version != Version.V5:
        return encode(ConnAck(False, connect_return_code(reason)), connect.version)
    return _within(connect, ConnAck(False, reason, with_reason(words)), ConnAck(False, reason))


def goodbye(connect: Connect, reason: Reason, words: str) -> bytes:
    """The DISCONNECT that says why; 3.1.1 has none."""
    if connect.version != Version.V5:
        return b""
    return _within(connect, Disconnect(reason, with_reason(words)), Disconnect(reason))


def _within(connect: Connect, packet: Packet, short: Packet) -> bytes:
    """The packet's bytes; the short form's if the client takes no packet that large (MQTT-3.2.2-19, MQTT-3.14.2-3)."""
    raw = encode(packet, Version.V5)
    limit = connect.properties.maximum_packet_bytes
    return raw if limit is None or len(raw) <= limit else encode(short, Version.V5)
