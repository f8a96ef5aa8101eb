"""MQTT's data types as bytes (MQTT 5, section 1.5): integers, variable byte integers, strings, binary data.

`Reader` walks over part of a buffer without copying it and raises MalformedPacket, with the clause of the version in
use, at the first byte that cannot be right. The write functions refuse with InvalidInput what has no form on the wire.
"""

from __future__ import annotations

from broadstreet.model.errors import InvalidInput, MalformedPacket, ProtocolError

MAX_VARIABLE_INTEGER = 268_435_455
MAX_STRING_BYTES = 65_535
MAX_IDENTIFIER = 65_535


def clause(version: int, v3_1_1: str, v5: str) -> str:
    """The place in the standard of the version in use."""
    return f"MQTT 3.1.1, {v3_1_1}" if version == 4 else f"MQTT 5, {v5}"


class Reader:
    """A cursor over `data[at:end]`, the rest of one packet."""

    __slots__ = ("at", "data", "end", "version")

    def __init__(self, data: bytes, at: int, end: int, version: int) -> None:
        self.data = data
        self.at = at
        self.end = end
        self.version = version

    def malformed(self, message: str, v3_1_1: str, v5: str) -> MalformedPacket:
        """The error to raise for bytes that cannot be parsed."""
        return MalformedPacket(message, where=clause(self.version, v3_1_1, v5))

    def protocol_error(self, message: str, v3_1_1: str, v5: str) -> ProtocolError:
        """The error to raise for what can be parsed but is not allowed."""
        return ProtocolError(message, where=clause(self.version, v3_1_1, v5))

    def _end(self) -> MalformedPacket:
        return self.malformed("the packet ends in the middle of a field", "2.2.3", "2.1.4")

    def u8(self) -> int:
        """One byte."""
        at = self.at
        if at >= self.end:
            raise self._end()
        self.at = at + 1
        return self.data[at]

    def u16(self) -> int:
        """Two bytes, big-endian."""
        at = self.at
        if at + 2 > self.end:
            raise self._end()
        self.at = at + 2
        return self.data[at] << 8 | self.data[at + 1]

    def u32(self) -> int:
        """Four bytes, big-endian."""
        return int.from_bytes(self._take(4))

    def variable(self) -> int:
        """A variable byte integer, in as few bytes as it needs (MQTT-1.5.5-1)."""
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 21:
                raise self.malformed("a variable byte integer has more than four bytes", "2.2.3", "1.5.5")
        if byte == 0 and shift:
            raise self.malformed("a variable byte integer is longer than it needs to be", "2.2.3", "[MQTT-1.5.5-1]")
        return value

    def binary(self) -> bytes:
        """Binary data after its two-byte length."""
        return self._take(self.u16())

    def string(self) -> str:
        """A UTF-8 string after its two-byte length: well formed, without U+0000."""
        raw = self._take(self.u16())
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise self.malformed("a string is not well-formed UTF-8", "[MQTT-1.5.3-1]", "[MQTT-1.5.4-1]") from None
        if "\0" in text:
            raise self.malformed("a string contains U+0000", "[MQTT-1.5.3-2]", "[MQTT-1.5.4-2]")
        return text

    def identifier(self) -> int:
        """A packet identifier: not zero."""
        value = self.u16()
        if value == 0:
            raise self.malformed("a packet identifier is zero", "[MQTT-2.3.1-1]", "[MQTT-2.2.1-3]")
        return value

    def rest(self) -> bytes:
        """Whatever is left."""
        raw = self.data[self.at : self.end]
        self.at = self.end
        return raw

    def finish(self) -> None:
        """Nothing may be left."""
        if self.at != self.end:
            raise self.malformed(f"{self.end - self.at} bytes stand after the packet's last field", "2.2.3", "2.1.4")

    def _take(self, length: int) -> bytes:
        at = self.at
        stop = at + length
        if stop > self.end:
            raise self._end()
        self.at = stop
        return self.data[at:stop]


def write_variable(value: int) -> bytes:
    """A variable byte integer."""
    if value < 0x80:
        if value < 0:
            raise InvalidInput(f"{value} has no form as a variable byte integer")
        return bytes((value,))
    if value > MAX_VARIABLE_INTEGER:
        raise InvalidInput(f"{value} is over {MAX_VARIABLE_INTEGER}, the largest variable byte integer")
    raw = bytearray()
    while value > 0x7F:
        raw.append(value & 0x7F | 0x80)
        value >>= 7
    raw.append(value)
    return bytes(raw)


def write_integer(value: int, length: int) -> bytes:
    """An unsigned big-endian integer of `length` bytes."""
    try:
        return value.to_bytes(length)
    except OverflowError:
        raise InvalidInput(f"{value} does not fit {length} unsigned bytes") from None


def write_identifier(value: int) -> bytes:
    """A packet identifier: 1 to 65,535."""
    if not 0 < value <= MAX_IDENTIFIER:
        raise InvalidInput(f"{value} is no packet identifier", remedy=f"Use 1 to {MAX_IDENTIFIER}.")
    return value.to_bytes(2)


def write_binary(raw: bytes) -> bytes:
    """Binary data after its two-byte length."""
    if len(raw) > MAX_STRING_BYTES:
        raise InvalidInput(f"{len(raw)} bytes are over {MAX_STRING_BYTES}, the most an MQTT field holds")
    return len(raw).to_bytes(2) + raw


def write_string(text: str) -> bytes:
    """A UTF-8 string after its two-byte length."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("a string with lone surrogates has no form in MQTT") from None
    if b"\0" in raw:
        raise InvalidInput("a string with U+0000 has no form in MQTT")
    return write_binary(raw)
