"""Packets as bytes, the other way of `decoding`. What the version in use cannot say is refused with InvalidInput."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from broadstreet.model.errors import InvalidInput
from broadstreet.mqtt.packets import (
    Auth,
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
    Version,
)
from broadstreet.mqtt.properties import NO_PROPERTIES, WILL, Properties, write_properties
from broadstreet.mqtt.topics import filter_fault, has_wildcard
from broadstreet.mqtt.wire import write_binary, write_identifier, write_integer, write_string, write_variable

V5 = Version.V5
PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"
PUBACK_PREFIX = b"\x40\x02"
"""The first two bytes of a PUBACK that says success, in both versions; its identifier follows."""


def _properties(properties: Properties, place: int, version: int) -> bytes:
    if version == V5:
        return write_properties(properties, place)
    if properties != NO_PROPERTIES:
        raise InvalidInput("MQTT 3.1.1 has no properties")
    return b""


def _reason(reason: int, version: int) -> bytes:
    if version != V5 and reason:
        raise InvalidInput(f"MQTT 3.1.1 cannot say reason code 0x{reason:02X} here")
    return write_integer(reason, 1)


def _reasons(reasons: tuple[int, ...]) -> bytes:
    return b"".join(write_integer(reason, 1) for reason in reasons)


def _qos(qos: int) -> int:
    if qos not in (0, 1, 2):
        raise InvalidInput(f"there is no QoS {qos}")
    return qos


def _packet(first: int, *parts: bytes) -> bytes:
    return b"".join((bytes((first,)), write_variable(sum(map(len, parts))), *parts))


def _topic(topic: str) -> bytes:
    if has_wildcard(topic):
        raise InvalidInput(f"the topic name {topic[:80]!r} contains a wildcard")
    return write_string(topic)


def _filter(topic_filter: str) -> bytes:
    fault = filter_fault(topic_filter)
    if fault is not None:
        raise InvalidInput(fault, where=topic_filter[:80])
    return write_string(topic_filter)


def _connect(packet: Connect, _: int) -> bytes:
    version, will = packet.version, packet.will
    if version != V5 and packet.password is not None and packet.username is None:
        raise InvalidInput("MQTT 3.1.1 has no password without a user name")
    flags = packet.clean_start << 1 | (packet.username is not None) << 7 | (packet.password is not None) << 6
    payload = [write_string(packet.client_id)]
    if will is not None:
        flags |= 0x04 | _qos(will.qos) << 3 | will.retain << 5
        payload += [_properties(will.properties, WILL, version), _topic(will.topic), write_binary(will.payload)]
    if packet.username is not None:
        payload.append(write_string(packet.username))
    if packet.password is not None:
        payload.append(write_binary(packet.password))
    return _packet(
        PacketType.CONNECT << 4,
        write_string("MQTT"),
        bytes((version, flags)),
        write_integer(packet.keep_alive_s, 2),
        _properties(packet.properties, PacketType.CONNECT, version),
        *payload,
    )


def _connack(packet: ConnAck, version: int) -> bytes:
    head = bytes((packet.session_present,)) + write_integer(packet.reason, 1)
    return _packet(PacketType.CONNACK << 4, head, _properties(packet.properties, PacketType.CONNACK, version))


def _publish(packet: Publish, version: int) -> bytes:
    if not packet.topic and packet.properties.topic_alias is None:
        raise InvalidInput("a PUBLISH needs a topic, or an alias for one")
    if not packet.qos and (packet.dup or packet.identifier):
        raise InvalidInput("a QoS 0 PUBLISH has neither an identifier nor duplicates")
    topic, properties = _topic(packet.topic), _properties(packet.properties, PacketType.PUBLISH, version)
    size = len(packet.payload)
    head = publish_head(topic, _qos(packet.qos), packet.retain, packet.dup, packet.identifier, properties, size)
    return head + packet.payload


def publish_head(
    topic: bytes, qos: int, retain: bool, dup: bool, identifier: int, properties: bytes, payload_bytes: int
) -> bytes:
    """
    All of a PUBLISH that stands before its payload; for whoever sends one message to many.

    topic:      as `write_string` gives it.
    properties: as `write_properties` gives them; empty in 3.1.1.
    """
    first = 0x30 | dup << 3 | qos << 1 | retain
    middle = write_identifier(identifier) if qos else b""
    length = write_variable(len(topic) + len(middle) + len(properties) + payload_bytes)
    return bytes((first,)) + length + topic + middle + properties


def _acknowledgement(first: int) -> Callable[[Any, int], bytes]:
    def encode_acknowledgement(packet: PubAck | PubRec | PubRel | PubComp, version: int) -> bytes:
        parts = [write_identifier(packet.identifier)]
        properties = _properties(packet.properties, first >> 4, version)
        if len(properties) > 1:
            parts += [_reason(packet.reason, version), properties]
        elif packet.reason:
            parts.append(_reason(packet.reason, version))
        return _packet(first, *parts)

    return encode_acknowledgement


def _subscription(subscription: Subscription, version: int) -> Iterable[bytes]:
    options = (
        _qos(subscription.qos)
        | subscription.no_local << 2
        | subscription.retain_as_published << 3
        | subscription.retain_handling << 4
    )
    if version != V5 and options > 2:
        raise InvalidInput("MQTT 3.1.1 has no subscription options but QoS")
    return _filter(subscription.filter), bytes((options,))


def _subscribe(packet: Subscribe, version: int) -> bytes:
    if not packet.subscriptions:
        raise InvalidInput("a SUBSCRIBE names at least one topic filter")
    parts = [part for subscription in packet.subscriptions for part in _subscription(subscription, version)]
    properties = _properties(packet.properties, PacketType.SUBSCRIBE, version)
    return _packet(PacketType.SUBSCRIBE << 4 | 2, write_identifier(packet.identifier), properties, *parts)


def _suback(packet: SubAck, version: int) -> bytes:
    properties = _properties(packet.properties, PacketType.SUBACK, version)
    return _packet(PacketType.SUBACK << 4, write_identifier(packet.identifier), properties, _reasons(packet.reasons))


def _unsubscribe(packet: Unsubscribe, version: int) -> bytes:
    if not packet.filters:
        raise InvalidInput("an UNSUBSCRIBE names at least one topic filter")
    properties = _properties(packet.properties, PacketType.UNSUBSCRIBE, version)
    head = write_identifier(packet.identifier)
    return _packet(PacketType.UNSUBSCRIBE << 4 | 2, head, properties, *map(_filter, packet.filters))


def _unsuback(packet: UnsubAck, version: int) -> bytes:
    if version != V5 and packet.reasons:
        raise InvalidInput("MQTT 3.1.1's UNSUBACK has no reason codes")
    properties = _properties(packet.properties, PacketType.UNSUBACK, version)
    return _packet(PacketType.UNSUBACK << 4, write_identifier(packet.identifier), properties, _reasons(packet.reasons))


def _pingreq(_: PingReq, __: int) -> bytes:
    return PINGREQ


def _pingresp(_: PingResp, __: int) -> bytes:
    return PINGRESP


def _disconnect(packet: Disconnect, version: int) -> bytes:
    properties = _properties(packet.properties, PacketType.DISCONNECT, version)
    if len(properties) > 1:
        return _packet(PacketType.DISCONNECT << 4, _reason(packet.reason, version), properties)
    return _packet(PacketType.DISCONNECT << 4, _reason(packet.reason, version) if packet.reason else b"")


def _auth(packet: Auth, version: int) -> bytes:
    if version != V5:
        raise InvalidInput("MQTT 3.1.1 has no AUTH")
    if packet == Auth():
        return b"\xf0\x00"
    properties = write_properties(packet.properties, PacketType.AUTH)
    return _packet(PacketType.AUTH << 4, _reason(packet.reason, version), properties)


_ENCODERS: dict[type, Callable[[Any, int], bytes]] = {
    Connect: _connect,
    ConnAck: _connack,
    Publish: _publish,
    PubAck: _acknowledgement(0x40),
    PubRec: _acknowledgement(0x50),
    PubRel: _acknowledgement(0x62),
    PubComp: _acknowledgement(0x70),
    Subscribe: _subscribe,
    SubAck: _suback,
    Unsubscribe: _unsubscribe,
    UnsubAck: _unsuback,
    PingReq: _pingreq,
    PingResp: _pingresp,
    Disconnect: _disconnect,
    Auth: _auth,
}


def encode(packet: Packet, version: Version) -> bytes:
    """A packet's bytes in a version of the protocol (a CONNECT brings its own)."""
    return _ENCODERS[type(packet)](packet, version)


def encode_pubacks(identifiers: Iterable[bytes]) -> bytes:
    """PUBACKs that say success for identifiers of two bytes each, in their order, as one run of bytes."""
    joined = PUBACK_PREFIX.join(identifiers)
    return PUBACK_PREFIX + joined if joined else b""
