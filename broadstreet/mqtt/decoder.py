"""A stream of bytes, cut into packets.

    decoder = Decoder(Version.V5)
    decoder.feed(data)
    while (packet := decoder.next()) is not None: ...

However the stream is split, the same packets come out. Bytes are copied only when a packet is not yet complete; topics
and payloads are cut out of the buffer they came in. With `runs`, consecutive plain PUBLISHes to one topic come as one
PublishRun and consecutive PUBACKs as one PubAckRun, which costs a third of the time. The first bad byte raises; packets
before it have come out, and the stream is of no use after it.
"""

from __future__ import annotations

from typing import Final

from broadstreet.model.errors import MalformedPacket, OversizedPacket, ProtocolError
from broadstreet.mqtt.decoding import check_first_byte, decode
from broadstreet.mqtt.packets import Connect, Packet, PacketType, PubAckRun, PublishRun, Run, Version
from broadstreet.mqtt.wire import MAX_VARIABLE_INTEGER, clause

MAX_PACKET_BYTES: Final = MAX_VARIABLE_INTEGER + 5
MAX_RUN: Final = 4096
"""The most packets in one run; the rest comes in the next."""
_PLAIN_PUBLISH = (0x32, 0x30)
_PUBACK = b"\x40\x02"
_NO_IDENTIFIER = b"\0\0"


class Decoder:
    """
    version:          of the connection; None on a server until CONNECT has told it.
    max_packet_bytes: a larger packet raises OversizedPacket as soon as its length is known.
    runs:             whether runs may come out, for whoever can use them.
    """

    def __init__(
        self, version: Version | None = None, max_packet_bytes: int = MAX_PACKET_BYTES, *, runs: bool = False
    ) -> None:
        self.version = version
        self._max_packet_bytes = max_packet_bytes
        self._runs = runs
        self._data = b""
        self._at = 0
        self._pending = bytearray()
        self._wanted = 0
        self._checked_topic = b""

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._pending:
            self._pending += data
        elif self._at == len(self._data):
            self._data = data
            self._at = 0
        else:
            self._pending += memoryview(self._data)[self._at :]
            self._pending += data
            self._data = b""
            self._at = 0

    def next(self) -> Packet | Run | None:
        """The next packet or run; None until more bytes have been fed."""
        if self._pending:
            if len(self._pending) < self._wanted:
                return None
            self._data = bytes(self._pending)
            self._at = 0
            self._wanted = 0
            self._pending = bytearray()
        data, at = self._data, self._at
        if at >= len(data):
            return None
        first = data[at]
        if self._runs and self.version is not None:
            run: Run | None = None
            if first in _PLAIN_PUBLISH:
                run = self._publish_run(data, at, first)
            elif first == 0x40:
                run = self._puback_run(data, at)
            if run is not None:
                return run
        return self._packet(data, at, first)

    def _packet(self, data: bytes, at: int, first: int) -> Packet | None:
        version = self.version
        if version is None and first >> 4 != PacketType.CONNECT:
            raise ProtocolError("the first packet is not CONNECT", where="MQTT 5, [MQTT-3.1.0-1]")
        check_first_byte(first, version or Version.V5)
        body = self._remaining_length(data, at + 1)
        if body is None:
            return None
        start, stop = body
        if stop > len(data):
            self._wanted = stop - at
            return None
        packet = decode(first, data, start, stop, version or Version.V5)
        self._at = stop
        if version is None and type(packet) is Connect:
            self.version = packet.version
        return packet

    def _remaining_length(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Where the body begins and ends; None while the length itself is incomplete."""
        start = at
        value = shift = 0
        while at < len(data):
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 21:
                raise MalformedPacket(
                    "the remaining length has more than four bytes", where=self._clause("2.2.3", "2.1.4")
                )
        else:
            return None
        if byte == 0 and shift and self.version != Version.V3_1_1:
            raise MalformedPacket("a remaining length has more bytes than it needs", where="MQTT 5, [MQTT-1.5.5-1]")
        if at - start + 1 + value > self._max_packet_bytes:
            raise OversizedPacket(
                f"a packet of {value} bytes is over the bound of {self._max_packet_bytes}",
                where=self._clause("2.2.3", "[MQTT-3.2.2-15]"),
            )
        return at, at + value

    def _clause(self, v3_1_1: str, v5: str) -> str:
        return clause(self.version or Version.V5, v3_1_1, v5)

    def _publish_run(self, data: bytes, at: int, first: int) -> PublishRun | None:
        """
        Plain PUBLISHes from `at` on that share the first one's topic. Anything out of the ordinary ends the run, and
        stands first when `_packet` looks at it with all its care.
        """
        size = len(data)
        start = _short_body(data, at, size)
        if start is None or start + 2 > size:
            return None
        stop_of_topic = start + 2 + (data[start] << 8 | data[start + 1])
        prefix = data[start:stop_of_topic]
        if prefix != self._checked_topic and not self._check_topic(prefix, stop_of_topic - start):
            return None
        v5, qos = self.version == Version.V5, first >> 1 & 1
        identifiers: list[bytes] = []
        payloads: list[bytes] = []
        topic_bytes = len(prefix)
        least = topic_bytes + 2 * qos + v5
        most = self._max_packet_bytes - 5
        while at + 3 < size and data[at] == first and len(payloads) < MAX_RUN:
            length = data[at + 1]
            if length < 0x80:
                start = at + 2
            else:
                high = data[at + 2]
                if high >= 0x80 or high == 0:
                    break
                length += (high << 7) - 0x80
                start = at + 3
            stop = start + length
            if length < least or length > most or stop > size:
                break
            rest = start + topic_bytes
            if data[start:rest] != prefix:
                break
            if qos:
                identifier = data[rest : rest + 2]
                rest += 2
                if identifier == _NO_IDENTIFIER:
                    break
            if v5:
                if data[rest]:
                    break
                rest += 1
            if qos:
                identifiers.append(identifier)
            payloads.append(data[rest:stop])
            at = stop
        if not payloads:
            return None
        self._at = at
        return PublishRun(prefix[2:], qos, identifiers, payloads)

    def _check_topic(self, prefix: bytes, length: int) -> bool:
        """Whether a topic, with its length before it, is complete and right; the last one that was is remembered."""
        if len(prefix) != length or length == 2 or b"\0" in prefix[2:] or b"+" in prefix[2:] or b"#" in prefix[2:]:
            return False
        try:
            prefix[2:].decode()
        except UnicodeDecodeError:
            return False
        self._checked_topic = prefix
        return True

    def _puback_run(self, data: bytes, at: int) -> PubAckRun | None:
        identifiers: list[int] = []
        size = len(data)
        while at + 4 <= size and data[at : at + 2] == _PUBACK and len(identifiers) < MAX_RUN:
            identifier = data[at + 2] << 8 | data[at + 3]
            if identifier == 0:
                break
            identifiers.append(identifier)
            at += 4
        if not identifiers:
            return None
        self._at = at
        return PubAckRun(identifiers)


def _short_body(data: bytes, at: int, size: int) -> int | None:
    """Where the body of the packet at `at` begins, if its length takes one or two bytes that are here."""
    if at + 2 >= size:
        return None
    if data[at + 1] < 0x80:
        return at + 2
    return at + 3 if data[at + 2] < 0x80 else None
