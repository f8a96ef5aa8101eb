"""The properties of MQTT 5 (section 2.2.2), read and written by one table.

The table says of each property its type, the packets it may stand in and the values it may have. A property in a packet
it is not for is malformed; one that comes twice, or has a forbidden value, is a protocol error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from broadstreet.model.errors import InvalidInput
from broadstreet.mqtt.topics import has_wildcard
from broadstreet.mqtt.wire import MAX_STRING_BYTES, Reader, write_binary, write_integer, write_string, write_variable


class Properties(Struct, frozen=True, gc=False, omit_defaults=True):
    """All properties by name; None, or an empty tuple, where one is absent."""

    payload_format: int | None = None
    message_expiry_s: int | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    subscription_identifiers: tuple[int, ...] = ()
    session_expiry_s: int | None = None
    assigned_client_id: str | None = None
    server_keep_alive_s: int | None = None
    authentication_method: str | None = None
    authentication_data: bytes | None = None
    request_problem_information: int | None = None
    will_delay_s: int | None = None
    request_response_information: int | None = None
    response_information: str | None = None
    server_reference: str | None = None
    reason_string: str | None = None
    receive_maximum: int | None = None
    topic_alias_maximum: int | None = None
    topic_alias: int | None = None
    maximum_qos: int | None = None
    retain_available: int | None = None
    user_properties: tuple[tuple[str, str], ...] = ()
    maximum_packet_bytes: int | None = None
    wildcards_available: int | None = None
    subscription_identifiers_available: int | None = None
    shared_available: int | None = None


NO_PROPERTIES = Properties()

# Where a property may stand, by the packet's type; a will's properties have a place of their own.
WILL = 0
_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _SUBACK, _UNSUBSCRIBE, _UNSUBACK = 1, 2, 3, 8, 9, 10, 11
_ACKNOWLEDGEMENTS = (4, 5, 6, 7)
_DISCONNECT, _AUTH = 14, 15
_EVERYWHERE = frozenset({WILL, *range(1, 12), _DISCONNECT, _AUTH})
_MESSAGE = frozenset({WILL, _PUBLISH})
_ANSWERS = frozenset({_CONNACK, *_ACKNOWLEDGEMENTS, _SUBACK, _UNSUBACK, _DISCONNECT, _AUTH})
_SUBSCRIBED = frozenset({_PUBLISH, _SUBSCRIBE})
_OPENING = frozenset({_CONNECT, _CONNACK})
_AUTHENTICATION = frozenset({_CONNECT, _CONNACK, _AUTH})
_CONNACK_ONLY = frozenset({_CONNACK})


class _Property(Struct, frozen=True):
    """
    identifier: its byte on the wire.
    read:       takes the value from a Reader.
    write:      gives the value's bytes.
    places:     the packets it may stand in.
    check:      whether a value is allowed.
    section:    where the standard describes it.
    many:       whether it may come more than once.
    """

    name: str
    identifier: int
    read: Callable[[Reader], Any]
    write: Callable[[Any], bytes]
    places: frozenset[int]
    section: str
    check: Callable[[Any], bool]
    many: bool = False


def _any(_: Any) -> bool:
    return True


def _bit(value: int) -> bool:
    return value in (0, 1)


def _positive(value: int) -> bool:
    return value > 0


def _plain_topic(value: str) -> bool:
    return not has_wildcard(value)


def _read_pair(reader: Reader) -> tuple[str, str]:
    return reader.string(), reader.string()


def _write_u8(value: int) -> bytes:
    return write_integer(value, 1)


def _write_u16(value: int) -> bytes:
    return write_integer(value, 2)


def _write_u32(value: int) -> bytes:
    return write_integer(value, 4)


def _write_pair(value: tuple[str, str]) -> bytes:
    return write_string(value[0]) + write_string(value[1])


_U8 = (Reader.u8, _write_u8)
_U16 = (Reader.u16, _write_u16)
_U32 = (Reader.u32, _write_u32)
_VARIABLE = (Reader.variable, write_variable)
_STRING = (Reader.string, write_string)
_BINARY = (Reader.binary, write_binary)
_PAIR = (_read_pair, _write_pair)

_TABLE = (
    _Property("payload_format", 0x01, *_U8, _MESSAGE, "3.3.2.3.2", _bit),
    _Property("message_expiry_s", 0x02, *_U32, _MESSAGE, "3.3.2.3.3", _any),
    _Property("content_type", 0x03, *_STRING, _MESSAGE, "3.3.2.3.9", _any),
    _Property("response_topic", 0x08, *_STRING, _MESSAGE, "[MQTT-3.3.2-14]", _plain_topic),
    _Property("correlation_data", 0x09, *_BINARY, _MESSAGE, "3.3.2.3.6", _any),
    _Property(
        "subscription_identifiers",
        0x0B,
        *_VARIABLE,
        frozenset({_PUBLISH, _SUBSCRIBE}),
        "3.8.2.1.2",
        _positive,
        many=True,
    ),
    _Property("session_expiry_s", 0x11, *_U32, frozenset({_CONNECT, _CONNACK, _DISCONNECT}), "3.1.2.11.2", _any),
    _Property("assigned_client_id", 0x12, *_STRING, _CONNACK_ONLY, "3.2.2.3.7", _any),
    _Property("server_keep_alive_s", 0x13, *_U16, _CONNACK_ONLY, "3.2.2.3.14", _any),
    _Property("authentication_method", 0x15, *_STRING, _AUTHENTICATION, "3.1.2.11.9", _any),
    _Property("authentication_data", 0x16, *_BINARY, _AUTHENTICATION, "3.1.2.11.10", _any),
    _Property("request_problem_information", 0x17, *_U8, frozenset({_CONNECT}), "3.1.2.11.7", _bit),
    _Property("will_delay_s", 0x18, *_U32, frozenset({WILL}), "3.1.3.2.2", _any),
    _Property("request_response_information", 0x19, *_U8, frozenset({_CONNECT}), "3.1.2.11.6", _bit),
    _Property("response_information", 0x1A, *_STRING, _CONNACK_ONLY, "3.2.2.3.15", _any),
    _Property("server_reference", 0x1C, *_STRING, frozenset({_CONNACK, _DISCONNECT}), "3.2.2.3.16", _any),
    _Property("reason_string", 0x1F, *_STRING, _ANSWERS, "3.2.2.3.9", _any),
    _Property("receive_maximum", 0x21, *_U16, _OPENING, "3.1.2.11.3", _positive),
    _Property("topic_alias_maximum", 0x22, *_U16, _OPENING, "3.1.2.11.5", _any),
    _Property("topic_alias", 0x23, *_U16, frozenset({_PUBLISH}), "[MQTT-3.3.2-8]", _positive),
    _Property("maximum_qos", 0x24, *_U8, _CONNACK_ONLY, "3.2.2.3.4", _bit),
    _Property("retain_available", 0x25, *_U8, _CONNACK_ONLY, "3.2.2.3.5", _bit),
    _Property("user_properties", 0x26, *_PAIR, _EVERYWHERE, "3.1.2.11.8", _any, many=True),
    _Property("maximum_packet_bytes", 0x27, *_U32, _OPENING, "3.1.2.11.4", _positive),
    _Property("wildcards_available", 0x28, *_U8, _CONNACK_ONLY, "3.2.2.3.11", _bit),
    _Property("subscription_identifiers_available", 0x29, *_U8, _CONNACK_ONLY, "3.2.2.3.12", _bit),
    _Property("shared_available", 0x2A, *_U8, _CONNACK_ONLY, "3.2.2.3.13", _bit),
)
_BY_IDENTIFIER = {entry.identifier: entry for entry in _TABLE}
_BY_NAME = {entry.name: entry for entry in _TABLE}


def read_properties(reader: Reader, place: int) -> Properties:
    """The properties that stand next in `reader`, after their length; `place` is the packet's type or WILL."""
    length = reader.variable()
    if length == 0:
        return NO_PROPERTIES
    end = reader.at + length
    if end > reader.end:
        raise reader.malformed("the properties are longer than their packet", "", "2.2.2.1")
    inner = Reader(reader.data, reader.at, end, reader.version)
    reader.at = end
    found: dict[str, Any] = {}
    while inner.at < end:
        identifier = inner.variable()
        entry = _BY_IDENTIFIER.get(identifier)
        if entry is None or place not in entry.places:
            raise inner.malformed(f"property 0x{identifier:02X} may not stand here", "", "2.2.2.2")
        value = entry.read(inner)
        if not entry.check(value):
            raise inner.protocol_error(f"{entry.name} may not be {value!r}", "", entry.section)
        if entry.many:
            found.setdefault(entry.name, []).append(value)
        elif entry.name in found:
            raise inner.protocol_error(f"{entry.name} comes twice", "", entry.section)
        else:
            found[entry.name] = value
    return _checked(inner, place, {name: tuple(v) if type(v) is list else v for name, v in found.items()})


def _checked(reader: Reader, place: int, found: dict[str, Any]) -> Properties:
    """What concerns several properties, or a property in one packet."""
    if place == _SUBSCRIBE and len(found.get("subscription_identifiers", ())) > 1:
        raise reader.protocol_error("subscription_identifiers comes twice", "", "3.8.2.1.2")
    if place != _AUTH and "authentication_data" in found and "authentication_method" not in found:
        raise reader.protocol_error("authentication data come without their method", "", "3.1.2.11.10")
    return Properties(**found)


def write_properties(properties: Properties, place: int) -> bytes:
    """The properties after their length. Raises InvalidInput for one that may not stand in this packet."""
    if properties is NO_PROPERTIES:
        return b"\0"
    parts: list[bytes] = []
    for name, value in asdict(properties).items():
        if value is None or value == ():
            continue
        entry = _BY_NAME[name]
        values = value if entry.many else (value,)
        if place not in entry.places or not all(map(entry.check, values)):
            raise InvalidInput(f"{value!r} may not stand here", where=f"property {name}")
        prefix = bytes((entry.identifier,))
        parts.extend(prefix + entry.write(each) for each in values)
    raw = b"".join(parts)
    return write_variable(len(raw)) + raw


def with_reason(text: str) -> Properties:
    """Properties that tell a person why; cut to what fits."""
    return Properties(reason_string=text[: MAX_STRING_BYTES // 4])
