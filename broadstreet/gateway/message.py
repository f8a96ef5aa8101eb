"""A message on its way to subscribers, and its bytes for each of them."""

from __future__ import annotations

import msgspec

from broadstreet.model.errors import BadPacket, CorruptData
from broadstreet.mqtt import NO_PROPERTIES, Decoder, Properties, Publish, Version, encode
from broadstreet.mqtt.encoding import publish_head
from broadstreet.mqtt.properties import write_properties
from broadstreet.mqtt.wire import write_string

_PUBLISH = 3
_FORWARDED = (
    "payload_format",
    "message_expiry_s",
    "content_type",
    "response_topic",
    "correlation_data",
    "user_properties",
)
"""What a server hands on unaltered (MQTT 5, sections 3.3.2.3.2 to 3.3.2.3.9)."""


def forwarded(properties: Properties) -> Properties:
    """Those of a PUBLISH's properties that belong to the message and not to the connection it came by."""
    if properties is NO_PROPERTIES:
        return NO_PROPERTIES
    return Properties(**{name: getattr(properties, name) for name in _FORWARDED})


class Message:
    """
    topic:      in full; `devices/<id>/readings`, never its short form.
    sent_us:    when it came, in microseconds since 1970.
    sender:     the session that sent it, so that its own subscriptions may leave it out; None for the house.
    is_handed:  whether another process has handed it on.
    id:         what the log knows it by, however often it is handed on; empty where that is once.
    """

    __slots__ = (
        "_encoded",
        "_frame",
        "id",
        "is_handed",
        "payload",
        "properties",
        "qos",
        "retain",
        "sender",
        "sent_us",
        "topic",
    )

    def __init__(
        self,
        topic: str,
        payload: bytes,
        sent_us: int,
        *,
        qos: int = 0,
        retain: bool = False,
        properties: Properties = NO_PROPERTIES,
        sender: object = None,
        is_handed: bool = False,
        id: str = "",
    ) -> None:
        self.topic = topic
        self.payload = payload
        self.sent_us = sent_us
        self.qos = qos
        self.retain = retain
        self.properties = properties
        self.sender = sender
        self.is_handed = is_handed
        self.id = id
        self._frame = b""
        self._encoded: dict[tuple[Version, bool], bytes] = {}

    def is_expired(self, now_us: int) -> bool:
        """Whether its sender wanted it delivered no more (MQTT-3.3.2-5)."""
        expiry_s = self.properties.message_expiry_s
        return expiry_s is not None and now_us >= self.sent_us + expiry_s * 1_000_000

    def encode(
        self,
        version: Version,
        qos: int,
        retain: bool,
        identifier: int,
        identifiers: tuple[int, ...],
        now_us: int,
        *,
        dup: bool = False,
        alias: int = 0,
        is_alias_known: bool = False,
    ) -> bytes:
        """
        The PUBLISH for one subscriber. At QoS 0 without properties it is the same for all, and made once.

        identifier:  the packet's; 0 at QoS 0.
        identifiers: of the subscriptions that match.
        alias:       stands for the topic on this connection, by itself once it is known; 0 for none.
        """
        plain = version != Version.V5 or (self.properties is NO_PROPERTIES and not identifiers and not alias)
        if plain and qos == 0:
            raw = self._encoded.get((version, retain))
            if raw is None:
                head = self._head(version, self.topic, 0, retain, False, 0, NO_PROPERTIES)
                raw = self._encoded[version, retain] = head + self.payload
            return raw
        properties = NO_PROPERTIES if plain else self._own(identifiers, now_us)
        if alias:
            properties = msgspec.structs.replace(properties, topic_alias=alias)
        topic = "" if is_alias_known else self.topic
        return self._head(version, topic, qos, retain, dup, identifier, properties) + self.payload

    def _own(self, identifiers: tuple[int, ...], now_us: int) -> Properties:
        """The properties with what is left of the expiry (MQTT-3.3.2-6), and the subscriptions' identifiers."""
        properties = self.properties
        if properties.message_expiry_s is not None:
            left_s = max(0, properties.message_expiry_s - (now_us - self.sent_us) // 1_000_000)
            properties = msgspec.structs.replace(properties, message_expiry_s=left_s)
        return msgspec.structs.replace(properties, subscription_identifiers=identifiers) if identifiers else properties

    def _head(
        self, version: Version, topic: str, qos: int, retain: bool, dup: bool, identifier: int, properties: Properties
    ) -> bytes:
        written = write_properties(properties, _PUBLISH) if version == Version.V5 else b""
        return publish_head(write_string(topic), qos, retain, dup, identifier, written, len(self.payload))

    def frame(self) -> bytes:
        """As it is kept in the log and told to other gateways: an MQTT 5 PUBLISH, made once. See `message_of`."""
        if not self._frame:
            packet = Publish(
                self.topic,
                self.payload,
                self.qos,
                self.retain,
                identifier=1 if self.qos else 0,
                properties=self.properties,
            )
            self._frame = encode(packet, Version.V5)
        return self._frame


def message_of(frame: bytes, sent_us: int) -> Message:
    """The message of a frame, and when it came. Raises CorruptData."""
    decoder = Decoder(Version.V5)
    decoder.feed(frame)
    try:
        packet = decoder.next()
    except BadPacket as error:
        raise CorruptData(f"a message's frame cannot be read: {error}") from error
    if not isinstance(packet, Publish):
        raise CorruptData("a message's frame is no PUBLISH")
    return Message(
        packet.topic, packet.payload, sent_us, qos=packet.qos, retain=packet.retain, properties=packet.properties
    )
