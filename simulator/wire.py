"""What a device needs of MQTT 3.1.1 (OASIS, 2014): the packets it sends, and the few it listens to.

Written from the standard and nothing of the house's own, so that the city tests the house's edge as a stranger would.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

CONNACK: Final = 2
PUBACK: Final = 4
PINGRESP: Final = 13

PINGREQ_BYTES: Final = b"\xc0\x00"
DISCONNECT_BYTES: Final = b"\xe0\x00"

MAX_PACKET_BYTES: Final = 64 * 1024
"""More than any packet a device expects."""
_CLEAN: Final = 0x02
_PASSWORD: Final = 0x40
_USER_NAME: Final = 0x80
_PUBLISH_AT_LEAST_ONCE: Final = 0x32


class WireFault(Exception):
    """What came is no MQTT packet that a device expects."""


class Packet(NamedTuple):
    """A packet received: its type and what follows its length."""

    kind: int
    body: bytes


def connect_bytes(client_id: str, user_name: str, password: str, keep_alive_s: int) -> bytes:
    """A CONNECT for a clean session."""
    flags = _CLEAN | _PASSWORD | _USER_NAME
    body = _text("MQTT") + struct.pack(">BBH", 4, flags, keep_alive_s) + _text(client_id) + _text(user_name)
    return _framed(0x10, body + _text(password))


def publish_bytes(topic: str, packet_id: int, payload: bytes) -> bytes:
    """A PUBLISH at QoS 1."""
    return _framed(_PUBLISH_AT_LEAST_ONCE, _text(topic) + struct.pack(">H", packet_id) + payload)


def packet_id_of(packet: Packet) -> int:
    """The packet id of a PUBACK. Raises WireFault."""
    if len(packet.body) < 2:
        raise WireFault("a PUBACK without a packet id")
    return int.from_bytes(packet.body[:2], "big")


def refusal_of(packet: Packet) -> int:
    """The return code of a CONNACK; 0 means welcome. Raises WireFault."""
    if packet.kind != CONNACK or len(packet.body) < 2:
        raise WireFault("something else came where a CONNACK was due")
    return packet.body[1]


class PacketReader:
    """Cuts what a connection receives into packets, however it comes in pieces."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are whole by now. Raises WireFault for one that is too long."""
        data = self._pending + data
        packets, start = [], 0
        while (header := _length_at(data, start)) is not None:
            length, body_at = header
            if len(data) < body_at + length:
                break
            packets.append(Packet(data[start] >> 4, data[body_at : body_at + length]))
            start = body_at + length
        self._pending = data[start:]
        return packets


def _length_at(data: bytes, start: int) -> tuple[int, int] | None:
    """The length of the packet that starts here, and where its body does; None if more must come first."""
    length = 0
    for place in range(4):
        at = start + 1 + place
        if at >= len(data):
            return None
        length |= (data[at] & 0x7F) << (7 * place)
        if data[at] < 0x80:
            if length > MAX_PACKET_BYTES:
                raise WireFault(f"a packet of {length} bytes")
            return length, at + 1
    raise WireFault("a length of more than four bytes")


def _framed(first: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([first]) + bytes(length) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded
