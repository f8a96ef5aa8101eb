"""The body of one packet, from bytes to a value. `Decoder` finds where a packet begins and ends and calls `decode`.

Strict to the OASIS standards: what cannot be parsed is a MalformedPacket, what can be parsed but is not allowed there
is a ProtocolError; both name the clause of the version in use.
"""

from __future__ import annotations

from collections.abc import Callable

from broadstreet.model.errors import UnsupportedVersion
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
    Will,
)
from broadstreet.mqtt.properties import NO_PROPERTIES, WILL, Properties, read_properties
from broadstreet.mqtt.reasons import (
    AUTH_REASONS,
    CONNACK_REASONS,
    CONNACK_RETURN_CODES,
    DISCONNECT_REASONS,
    PUBACK_REASONS,
    PUBREL_REASONS,
    SUBACK_REASONS,
    SUBACK_RETURN_CODES,
    UNSUBACK_REASONS,
)
from broadstreet.mqtt.topics import SHARED_PREFIX, filter_fault, has_wildcard
from broadstreet.mqtt.wire import Reader

V5 = Version.V5
_PROTOCOL_NAMES = {"MQTT": (4, 5), "MQIsdp": (3,)}
_QOS, _RETAIN, _DUP = 0x06, 0x01, 0x08
_FLAG_USERNAME, _FLAG_PASSWORD, _FLAG_WILL_RETAIN = 0x80, 0x40, 0x20
_FLAG_WILL, _FLAG_CLEAN, _FLAG_RESERVED = 0x04, 0x02, 0x01


def _properties(reader: Reader, place: int) -> Properties:
    return read_properties(reader, place) if reader.version == V5 else NO_PROPERTIES


def _reason(reader: Reader, allowed: frozenset[int], v3_1_1: str, v5: str) -> int:
    reason = reader.u8()
    if reason not in allowed:
        raise reader.protocol_error(f"reason code 0x{reason:02X} may not stand here", v3_1_1, v5)
    return reason


def _topic(reader: Reader, v3_1_1: str, v5: str, *, may_be_empty: bool = False) -> str:
    topic = reader.string()
    if has_wildcard(topic):
        raise reader.malformed("a topic name contains a wildcard", v3_1_1, v5)
    if not topic and not may_be_empty:
        raise reader.protocol_error("a topic name is empty", "[MQTT-4.7.3-1]", "[MQTT-4.7.3-1]")
    return topic


def _filter(reader: Reader) -> str:
    topic_filter = reader.string()
    fault = filter_fault(topic_filter)
    if fault is not None:
        raise reader.malformed(fault, "4.7", "4.7")
    return topic_filter


def _connect(reader: Reader, _: int) -> Packet:
    name, level = reader.string(), reader.u8()
    levels = _PROTOCOL_NAMES.get(name)
    if levels is None:
        raise reader.malformed(f"the protocol is called {name[:20]!r}, not 'MQTT'", "[MQTT-3.1.2-1]", "[MQTT-3.1.2-1]")
    if level not in levels or level < Version.V3_1_1:
        raise UnsupportedVersion(f"{name} level {level} is not spoken here", where="MQTT 5, [MQTT-3.1.2-2]")
    reader.version = level
    flags, keep_alive_s = reader.u8(), reader.u16()
    _check_connect_flags(reader, flags)
    properties = _properties(reader, PacketType.CONNECT)
    client_id = reader.string()
    will = _will(reader, flags) if flags & _FLAG_WILL else None
    return Connect(
        client_id=client_id,
        version=Version(level),
        clean_start=bool(flags & _FLAG_CLEAN),
        keep_alive_s=keep_alive_s,
        will=will,
        username=reader.string() if flags & _FLAG_USERNAME else None,
        password=reader.binary() if flags & _FLAG_PASSWORD else None,
        properties=properties,
    )


def _check_connect_flags(reader: Reader, flags: int) -> None:
    if flags & _FLAG_RESERVED:
        raise reader.malformed("the reserved flag of CONNECT is set", "[MQTT-3.1.2-3]", "[MQTT-3.1.2-3]")
    will_qos = flags >> 3 & 3
    if will_qos == 3:
        raise reader.malformed("the will's QoS is 3", "[MQTT-3.1.2-14]", "[MQTT-3.1.2-12]")
    if not flags & _FLAG_WILL:
        if will_qos:
            raise reader.malformed("there is a will's QoS but no will", "[MQTT-3.1.2-13]", "[MQTT-3.1.2-11]")
        if flags & _FLAG_WILL_RETAIN:
            raise reader.malformed("there is a will's retain flag but no will", "[MQTT-3.1.2-15]", "[MQTT-3.1.2-13]")
    if reader.version != V5 and flags & _FLAG_PASSWORD and not flags & _FLAG_USERNAME:
        raise reader.malformed("there is a password but no user name", "[MQTT-3.1.2-22]", "")


def _will(reader: Reader, flags: int) -> Will:
    properties = _properties(reader, WILL)
    topic = _topic(reader, "[MQTT-4.7.1-1]", "[MQTT-4.7.0-1]")
    return Will(topic, reader.binary(), flags >> 3 & 3, bool(flags & _FLAG_WILL_RETAIN), properties)


def _connack(reader: Reader, _: int) -> Packet:
    flags = reader.u8()
    if flags > 1:
        raise reader.malformed("a reserved flag of CONNACK is set", "3.2.2.1", "[MQTT-3.2.2-1]")
    allowed = CONNACK_REASONS if reader.version == V5 else CONNACK_RETURN_CODES
    reason = _reason(reader, allowed, "3.2.2.3", "[MQTT-3.2.2-8]")
    if flags and reason:
        raise reader.protocol_error("a session is present though refused", "[MQTT-3.2.2-4]", "[MQTT-3.2.2-6]")
    return ConnAck(bool(flags), reason, _properties(reader, PacketType.CONNACK))


def _publish(reader: Reader, flags: int) -> Packet:
    qos = (flags & _QOS) >> 1
    if qos == 3:
        raise reader.malformed("a PUBLISH has QoS 3", "[MQTT-3.3.1-4]", "[MQTT-3.3.1-4]")
    if qos == 0 and flags & _DUP:
        raise reader.malformed("a QoS 0 PUBLISH is marked as a duplicate", "[MQTT-3.3.1-2]", "[MQTT-3.3.1-2]")
    topic = _topic(reader, "[MQTT-3.3.2-2]", "[MQTT-3.3.2-2]", may_be_empty=reader.version == V5)
    identifier = reader.identifier() if qos else 0
    properties = _properties(reader, PacketType.PUBLISH)
    if not topic and properties.topic_alias is None:
        raise reader.protocol_error("a PUBLISH has neither topic nor alias", "", "3.3.2.1")
    return Publish(topic, reader.rest(), qos, bool(flags & _RETAIN), bool(flags & _DUP), identifier, properties)


def _acknowledgement(
    make: type[PubAck | PubRec | PubRel | PubComp], place: PacketType, allowed: frozenset[int], section: str
) -> Callable[[Reader, int], Packet]:
    """A decoder for one of the four packets that answer a PUBLISH or each other."""

    def decode_acknowledgement(reader: Reader, _: int) -> Packet:
        identifier = reader.identifier()
        if reader.version != V5 or reader.at == reader.end:
            return make(identifier)
        reason = _reason(reader, allowed, "", f"[MQTT-{section}.2-1]")
        if reader.at == reader.end:
            return make(identifier, reason)
        return make(identifier, reason, read_properties(reader, place))

    return decode_acknowledgement


def _subscribe(reader: Reader, _: int) -> Packet:
    identifier = reader.identifier()
    properties = _properties(reader, PacketType.SUBSCRIBE)
    subscriptions = []
    while reader.at < reader.end:
        subscriptions.append(_subscription(reader))
    if not subscriptions:
        raise reader.protocol_error("a SUBSCRIBE names no topic filter", "[MQTT-3.8.3-3]", "[MQTT-3.8.3-2]")
    return Subscribe(identifier, tuple(subscriptions), properties)


def _subscription(reader: Reader) -> Subscription:
    topic_filter, options = _filter(reader), reader.u8()
    if options & (0xC0 if reader.version == V5 else 0xFC):
        raise reader.malformed("a reserved subscription option is set", "[MQTT-3-8.3-4]", "[MQTT-3.8.3-5]")
    if options & 3 == 3:
        raise reader.malformed("a subscription asks for QoS 3", "[MQTT-3-8.3-4]", "3.8.3.1")
    if options >> 4 == 3:
        raise reader.protocol_error("a subscription's retain handling is 3", "", "3.8.3.1")
    if options & 4 and topic_filter.startswith(SHARED_PREFIX):
        raise reader.protocol_error("a shared subscription asks for no local", "", "[MQTT-3.8.3-4]")
    return Subscription(topic_filter, options & 3, bool(options & 4), bool(options & 8), options >> 4)


def _suback(reader: Reader, _: int) -> Packet:
    identifier = reader.identifier()
    properties = _properties(reader, PacketType.SUBACK)
    allowed = SUBACK_REASONS if reader.version == V5 else SUBACK_RETURN_CODES
    reasons = []
    while reader.at < reader.end:
        reasons.append(_reason(reader, allowed, "[MQTT-3.9.3-2]", "[MQTT-3.9.3-2]"))
    if not reasons:
        raise reader.protocol_error("a SUBACK answers no subscription", "[MQTT-3.8.4-5]", "[MQTT-3.8.4-6]")
    return SubAck(identifier, tuple(reasons), properties)


def _unsubscribe(reader: Reader, _: int) -> Packet:
    identifier = reader.identifier()
    properties = _properties(reader, PacketType.UNSUBSCRIBE)
    filters = []
    while reader.at < reader.end:
        filters.append(_filter(reader))
    if not filters:
        raise reader.protocol_error("an UNSUBSCRIBE names no topic filter", "[MQTT-3.10.3-2]", "[MQTT-3.10.3-2]")
    return Unsubscribe(identifier, tuple(filters), properties)


def _unsuback(reader: Reader, _: int) -> Packet:
    identifier = reader.identifier()
    if reader.version != V5:
        return UnsubAck(identifier)
    properties = read_properties(reader, PacketType.UNSUBACK)
    reasons = []
    while reader.at < reader.end:
        reasons.append(_reason(reader, UNSUBACK_REASONS, "", "[MQTT-3.11.3-2]"))
    if not reasons:
        raise reader.protocol_error("an UNSUBACK answers no topic filter", "", "[MQTT-3.11.3-1]")
    return UnsubAck(identifier, tuple(reasons), properties)


def _pingreq(_: Reader, __: int) -> Packet:
    return PingReq()


def _pingresp(_: Reader, __: int) -> Packet:
    return PingResp()


def _disconnect(reader: Reader, _: int) -> Packet:
    if reader.version != V5 or reader.at == reader.end:
        return Disconnect()
    reason = _reason(reader, DISCONNECT_REASONS, "", "[MQTT-3.14.2-1]")
    if reader.at == reader.end:
        return Disconnect(reason)
    return Disconnect(reason, read_properties(reader, PacketType.DISCONNECT))


def _auth(reader: Reader, _: int) -> Packet:
    if reader.version != V5:
        raise reader.malformed("packet type 15 is not one of 3.1.1", "2.2.1", "")
    if reader.at == reader.end:
        return Auth()
    return Auth(_reason(reader, AUTH_REASONS, "", "[MQTT-3.15.2-1]"), read_properties(reader, PacketType.AUTH))


_DECODERS: dict[int, Callable[[Reader, int], Packet]] = {
    PacketType.CONNECT: _connect,
    PacketType.CONNACK: _connack,
    PacketType.PUBLISH: _publish,
    PacketType.PUBACK: _acknowledgement(PubAck, PacketType.PUBACK, PUBACK_REASONS, "3.4"),
    PacketType.PUBREC: _acknowledgement(PubRec, PacketType.PUBREC, PUBACK_REASONS, "3.5"),
    PacketType.PUBREL: _acknowledgement(PubRel, PacketType.PUBREL, PUBREL_REASONS, "3.6"),
    PacketType.PUBCOMP: _acknowledgement(PubComp, PacketType.PUBCOMP, PUBREL_REASONS, "3.7"),
    PacketType.SUBSCRIBE: _subscribe,
    PacketType.SUBACK: _suback,
    PacketType.UNSUBSCRIBE: _unsubscribe,
    PacketType.UNSUBACK: _unsuback,
    PacketType.PINGREQ: _pingreq,
    PacketType.PINGRESP: _pingresp,
    PacketType.DISCONNECT: _disconnect,
    PacketType.AUTH: _auth,
}
_FLAGS = {PacketType.PUBREL: 2, PacketType.SUBSCRIBE: 2, PacketType.UNSUBSCRIBE: 2}


def check_first_byte(first: int, version: int) -> None:
    """Whether a packet may begin with this byte: a known type, and the flags that are fixed for it."""
    kind, flags = first >> 4, first & 15
    reader = Reader(b"", 0, 0, version)
    if kind not in _DECODERS:
        raise reader.malformed(f"there is no packet type {kind}", "2.2.1", "2.1.2")
    if kind != PacketType.PUBLISH and flags != _FLAGS.get(PacketType(kind), 0):
        raise reader.malformed(f"{PacketType(kind).name} has flags {flags:#06b}", "[MQTT-2.2.2-1]", "[MQTT-2.1.3-1]")


def decode(first: int, data: bytes, at: int, end: int, version: int) -> Packet:
    """
    The packet whose first byte is `first` and whose body is `data[at:end]`.

    version: the connection's; of no account for CONNECT, which brings its own.
    """
    reader = Reader(data, at, end, version)
    packet = _DECODERS[first >> 4](reader, first & 15)
    reader.finish()
    return packet
