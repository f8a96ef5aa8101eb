"""MQTT's reason codes: their names, their words, and the packets each may stand in.

Version 3.1.1 knows only six return codes for CONNACK and one refusal for SUBACK; `connect_return_code` translates.
"""

from __future__ import annotations

from enum import IntEnum

from broadstreet.model.errors import BadPacket, OversizedPacket, ProtocolError, UnsupportedVersion


class Reason(IntEnum):
    """Reason codes of MQTT 5, section 2.4. Below 0x80 is success."""

    SUCCESS = 0x00
    GRANTED_QOS_1 = 0x01
    GRANTED_QOS_2 = 0x02
    DISCONNECT_WITH_WILL = 0x04
    NO_MATCHING_SUBSCRIBERS = 0x10
    NO_SUBSCRIPTION_EXISTED = 0x11
    CONTINUE_AUTHENTICATION = 0x18
    RE_AUTHENTICATE = 0x19
    UNSPECIFIED_ERROR = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_SPECIFIC_ERROR = 0x83
    UNSUPPORTED_PROTOCOL_VERSION = 0x84
    CLIENT_IDENTIFIER_NOT_VALID = 0x85
    BAD_USER_NAME_OR_PASSWORD = 0x86
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SERVER_BUSY = 0x89
    BANNED = 0x8A
    SERVER_SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    PACKET_IDENTIFIER_IN_USE = 0x91
    PACKET_IDENTIFIER_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    MESSAGE_RATE_TOO_HIGH = 0x96
    QUOTA_EXCEEDED = 0x97
    ADMINISTRATIVE_ACTION = 0x98
    PAYLOAD_FORMAT_INVALID = 0x99
    RETAIN_NOT_SUPPORTED = 0x9A
    QOS_NOT_SUPPORTED = 0x9B
    USE_ANOTHER_SERVER = 0x9C
    SERVER_MOVED = 0x9D
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E
    CONNECTION_RATE_EXCEEDED = 0x9F
    MAXIMUM_CONNECT_TIME = 0xA0
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2

    @property
    def words(self) -> str:
        """The code's name as a person reads it: 'session taken over'."""
        return self.name.replace("_", " ").lower().replace("qos", "QoS")


FIRST_FAILURE = 0x80
"""Reason codes from here on say that something failed."""

CONNACK_REASONS = frozenset({0x00, *range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, *range(0x99, 0x9E), 0x9F})
PUBACK_REASONS = frozenset({0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99})
PUBREL_REASONS = frozenset({0x00, 0x92})
SUBACK_REASONS = frozenset({0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2})
UNSUBACK_REASONS = frozenset({0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91})
DISCONNECT_REASONS = frozenset(
    {0x00, 0x04, *range(0x80, 0x84), 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, *range(0x93, 0xA3)}
)
AUTH_REASONS = frozenset({0x00, 0x18, 0x19})

CONNACK_RETURN_CODES = frozenset(range(6))
"""3.1.1, table 3.1: accepted, version, identifier, server unavailable, bad name or password, not authorized."""
SUBACK_RETURN_CODES = frozenset({0x00, 0x01, 0x02, 0x80})
"""3.1.1, section 3.9.3."""

_RETURN_CODE = {
    Reason.SUCCESS: 0,
    Reason.UNSUPPORTED_PROTOCOL_VERSION: 1,
    Reason.CLIENT_IDENTIFIER_NOT_VALID: 2,
    Reason.BAD_USER_NAME_OR_PASSWORD: 4,
    Reason.NOT_AUTHORIZED: 5,
    Reason.BANNED: 5,
    Reason.TOPIC_NAME_INVALID: 5,
}
_SERVER_UNAVAILABLE = 3


def connect_return_code(reason: Reason) -> int:
    """The return code that says in a 3.1.1 CONNACK what `reason` says in version 5, as near as it can be said."""
    return _RETURN_CODE.get(reason, _SERVER_UNAVAILABLE)


def reason_of(error: BadPacket) -> Reason:
    """The reason code that tells a peer of this error."""
    if isinstance(error, ProtocolError):
        return Reason.PROTOCOL_ERROR
    if isinstance(error, UnsupportedVersion):
        return Reason.UNSUPPORTED_PROTOCOL_VERSION
    if isinstance(error, OversizedPacket):
        return Reason.PACKET_TOO_LARGE
    return Reason.MALFORMED_PACKET
