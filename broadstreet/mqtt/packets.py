"""The fifteen control packets of MQTT 3.1.1 and 5 as values.

One set of types serves both versions: what 3.1.1 cannot say (properties, most reason codes) has a default that encodes
to nothing. A value is what its bytes mean: `decode(encode(packet)) == packet`.
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from broadstreet.mqtt.properties import NO_PROPERTIES, Properties


class Version(IntEnum):
    """The protocol version byte of CONNECT."""

    V3_1_1 = 4
    V5 = 5


class PacketType(IntEnum):
    """The upper half of a packet's first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Will(Struct, frozen=True, gc=False):
    """What the server publishes for a client that went without saying goodbye."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = NO_PROPERTIES


class Connect(Struct, frozen=True, gc=False):
    """A client's first packet. `clean_start` is 3.1.1's clean session."""

    client_id: str
    version: Version = Version.V5
    clean_start: bool = True
    keep_alive_s: int = 0
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = NO_PROPERTIES


class ConnAck(Struct, frozen=True, gc=False):
    """The server's answer. `reason` is a return code (0 to 5) in 3.1.1."""

    session_present: bool = False
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class Publish(Struct, frozen=True, gc=False):
    """A message. `identifier` is 0 exactly when `qos` is 0; `topic` is empty only where a topic alias stands for it."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    identifier: int = 0
    properties: Properties = NO_PROPERTIES


class PubAck(Struct, frozen=True, gc=False):
    """A QoS 1 message is taken, or refused."""

    identifier: int
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class PubRec(Struct, frozen=True, gc=False):
    """QoS 2, first answer: received."""

    identifier: int
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class PubRel(Struct, frozen=True, gc=False):
    """QoS 2, second word of the sender: release."""

    identifier: int
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class PubComp(Struct, frozen=True, gc=False):
    """QoS 2, last answer: complete."""

    identifier: int
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class Subscription(Struct, frozen=True, gc=False):
    """One topic filter of a SUBSCRIBE, with its options; all but `qos` are of version 5."""

    filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


class Subscribe(Struct, frozen=True, gc=False):
    """A client asks for messages."""

    identifier: int
    subscriptions: tuple[Subscription, ...]
    properties: Properties = NO_PROPERTIES


class SubAck(Struct, frozen=True, gc=False):
    """One reason code for each subscription, in its order: the QoS granted, or why not."""

    identifier: int
    reasons: tuple[int, ...]
    properties: Properties = NO_PROPERTIES


class Unsubscribe(Struct, frozen=True, gc=False):
    """A client wants no more messages of these filters."""

    identifier: int
    filters: tuple[str, ...]
    properties: Properties = NO_PROPERTIES


class UnsubAck(Struct, frozen=True, gc=False):
    """The answer to UNSUBSCRIBE; `reasons` is empty in 3.1.1."""

    identifier: int
    reasons: tuple[int, ...] = ()
    properties: Properties = NO_PROPERTIES


class PingReq(Struct, frozen=True, gc=False):
    """A client says it is alive."""


class PingResp(Struct, frozen=True, gc=False):
    """So does the server."""


class Disconnect(Struct, frozen=True, gc=False):
    """The last packet. A 3.1.1 server has none to send."""

    reason: int = 0
    properties: Properties = NO_PROPERTIES


class Auth(Struct, frozen=True, gc=False):
    """Version 5's extended authentication."""

    reason: int = 0
    properties: Properties = NO_PROPERTIES


class PublishRun(Struct, frozen=True, gc=False):
    """
    Consecutive PUBLISH packets to one topic without flags or properties, kept as columns: how a busy device speaks.

    topic:       the topic's bytes, checked.
    identifiers: two bytes each, as they came; empty when `qos` is 0.
    """

    topic: bytes
    qos: int
    identifiers: list[bytes]
    payloads: list[bytes]

    def packets(self) -> list[Publish]:
        """The same, packet by packet."""
        topic = self.topic.decode()
        if self.qos == 0:
            return [Publish(topic, payload) for payload in self.payloads]
        return [
            Publish(topic, payload, 1, identifier=int.from_bytes(identifier))
            for identifier, payload in zip(self.identifiers, self.payloads, strict=True)
        ]


class PubAckRun(Struct, frozen=True, gc=False):
    """Consecutive PUBACK packets that say success in four bytes each."""

    identifiers: list[int]

    def packets(self) -> list[PubAck]:
        """The same, packet by packet."""
        return [PubAck(identifier) for identifier in self.identifiers]


Packet = (
    Connect
    | ConnAck
    | Publish
    | PubAck
    | PubRec
    | PubRel
    | PubComp
    | Subscribe
    | SubAck
    | Unsubscribe
    | UnsubAck
    | PingReq
    | PingResp
    | Disconnect
    | Auth
)
Run = PublishRun | PubAckRun
