"""Everything of the house that reads bytes from outside, as targets for fuzzing."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from struct import pack as packed

import msgspec

from broadstreet.context import (
    CORE,
    Library,
    parse_coordinates,
    parse_entity,
    parse_query,
    parse_scope_query,
    parse_types,
)
from broadstreet.devices import Decoder as PayloadDecoder
from broadstreet.devices import Fault, Reading, parse_profile
from broadstreet.history import Period
from broadstreet.importer.mapping import Mapping
from broadstreet.log import (
    RELEASED,
    DeadLetter,
    DeadReason,
    Once,
    Pack,
    decode_dead_list,
    decode_pack,
    encode_dead_list,
    encode_pack,
)
from broadstreet.model.change import ChangeBatch, EntityEvent, decode_changes, encode_changes
from broadstreet.model.clock import parse_rfc3339
from broadstreet.model.errors import BadPacket, BroadstreetError, CorruptData
from broadstreet.mqtt import Connect, Decoder, Properties, Publish, Subscribe, Subscription, Version, Will, encode
from broadstreet.mqtt.topics import SHARED_PREFIX
from tests.property.fuzzing import Target

MAX_PACKET_BYTES = 2_000
PROFILE = """
[profile]
name = "p"
type = "T"
time = "ts"
[attributes.plain]
field = "a"
unit = "GQ"
minimum = 0
[attributes.scaled]
field = "d.b"
scale = 2
[attributes.text]
field = "t"
type = "text"
[attributes.any]
field = "j"
type = "json"
"""
MAPPING = """
[file]
form = "long"
[time]
column = "at"
time_zone = "Europe/Helsinki"
[sensor]
column = "sensor"
type = "T"
entity = "urn:ngsi-ld:T:{sensor}"
[attributes.level]
column = "level"
[dataset]
id = "urn:example:dataset:d"
title = "D"
"""
ENTITY = {
    "id": "urn:ngsi-ld:T:1",
    "type": ["T", "U"],
    "scope": "/a/b",
    "level": [
        {"type": "Property", "value": 1, "unitCode": "GQ", "observedAt": "2026-01-01T00:00:00Z", "datasetId": "urn:d:1"}
    ],
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [24.9, 60.2]}},
    "owner": {
        "type": "Relationship",
        "object": "urn:ngsi-ld:P:1",
        "since": {"type": "Property", "value": {"@type": "Date", "@value": "2026"}},
    },
    "title": {"type": "LanguageProperty", "languageMap": {"en": "a", "fi": ["b"]}},
    "kind": {"type": "VocabProperty", "vocab": "x"},
}
CONTEXT = {
    "@vocab": "https://example.org/",
    "a": "b:c",
    "b": {"@id": "https://example.org/b#", "@type": "@id"},
    "c": None,
}
_JSON_WORDS = (
    b"null",
    b"true",
    b"{}",
    b"[]",
    b'""',
    b"1e999",
    b"-0",
    b"\\u0000",
    b"\\ud800",
    b'"@id"',
    b'"type"',
    b'"value"',
)
_pack = Pack(b"0" * 16, "city", 1, "g", [1, 2], [3, 4], ["readings", "x"], [b"{}", b""])
_once_pack = msgspec.structs.replace(_pack, once=[Once(b"session1", 7, [5, 6, 5], [0, 1, RELEASED])])
_event = EntityEvent(1, "urn:a", ["T"], "created")
_changes = ChangeBatch("city", 1, "pack", "g", 2, [1], [1], [2], [1.5], [None], [3], [b"0" * 16], [0], [0], [_event])
_letter = DeadLetter(1, "city", "d", 1, DeadReason.NOT_JSON, "why", "readings", b"{", 2, b"0" * 16, 0, "p 1")
_library = Library()


def _mqtt(version: Version | None, runs: bool) -> Callable[[bytes], object]:
    """A stream of packets that comes in pieces, cut where its own bytes say."""

    def read(data: bytes) -> object:
        decoder = Decoder(version, MAX_PACKET_BYTES, runs=runs)
        found: list[object] = []
        rest = data
        while rest:
            size = 1 + rest[0] % 97
            decoder.feed(rest[:size])
            rest = rest[size:]
            while (packet := decoder.next()) is not None:
                found.append(packet)
        return found

    return read


def _framed(data: bytes) -> object:
    """A pack's body with the right frame, as whoever writes the log could."""
    return decode_pack(b"BSPK\x02\x00\x00\x00" + packed(">II", len(data), zlib.crc32(data)) + data)


_payloads = PayloadDecoder(parse_profile(PROFILE))


def _payload(data: bytes) -> object:
    readings: list[Reading] = []
    faults: list[Fault] = []
    _payloads.decode(data, 1_767_225_600_000_000, readings, faults)
    return [*readings, *faults]


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _json(read: Callable[[object], object]) -> Callable[[bytes], object]:
    def parse(data: bytes) -> object:
        try:
            value = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return read(value)

    return parse


def _coordinates(value: object) -> object:
    if isinstance(value, dict):
        return parse_coordinates(str(value.get("type")), value.get("coordinates"))
    return parse_coordinates("Polygon", value)


_V3, _V5 = Version.V3_1_1, Version.V5
_MESSAGE = Properties(content_type="x", user_properties=(("a", "b"),), message_expiry_s=1)
_SUBSCRIBE = Subscribe(7, (Subscription(f"{SHARED_PREFIX}a/+/#", 1), Subscription("b", 0)))
_WORDS = (
    b"\x00\x04MQTT\x05",
    b"\x00\x04MQTT\x04",
    b"\xff\xff\xff\x7f",
    b"\x30\x00",
    b"\x00\x00",
    b"\x26\x00\x01a\x00\x01b",
    b"+",
    b"#",
)


def _session(version: Version) -> bytes:
    connect = Connect("c", version, True, 60, "u", b"p", Will("w", b"x", 1, False))
    publish = Publish(
        "devices/a/readings", b"{}", 1, identifier=3, properties=_MESSAGE if version == _V5 else Properties()
    )
    return encode(connect, version) + encode(_SUBSCRIBE, version) + encode(publish, version) * 3 + b"\xc0\x00\xe0\x00"


TARGETS = (
    Target("mqtt, from CONNECT on", _mqtt(None, True), (BadPacket,), (_session(_V3), _session(_V5)), _WORDS),
    Target("mqtt 3.1.1", _mqtt(_V3, True), (BadPacket,), (_session(_V3)[20:], encode(_SUBSCRIBE, _V3)), _WORDS),
    Target("mqtt 5", _mqtt(_V5, False), (BadPacket,), (encode(_SUBSCRIBE, _V5), _session(_V5)), _WORDS),
    Target("pack", decode_pack, (CorruptData,), (encode_pack(_pack), encode_pack(_once_pack)), (b"BSPK", b"BSPK\x02")),
    Target(
        "pack's body",
        _framed,
        (CorruptData,),
        (encode_pack(_pack)[16:], encode_pack(_once_pack)[16:]),
        (b"\xc0", b"\x98", b"\x99", b"\x94", b"\xdc\xff\xff", b"\xd3" + b"\xff" * 8),
    ),
    Target("changes", decode_changes, (CorruptData,), (encode_changes(_changes), b"\x90")),
    Target("dead letters", decode_dead_list, (CorruptData,), (encode_dead_list([_letter]), b"\x90")),
    Target(
        "payload",
        _payload,
        (),
        (b'{"a":1.5,"d":{"b":2},"t":"x","j":[1],"ts":"2026-01-01T00:00:00Z"}', b'[{"a":1},{"a":2}]'),
        _JSON_WORDS,
    ),
    Target(
        "profile",
        _text(parse_profile),
        (BroadstreetError,),
        (PROFILE.encode(),),
        (b"[attributes.x]\n", b'field = "a..b"\n', b"= nan", b"= 1e400"),
    ),
    Target(
        "mapping",
        _text(Mapping.parse),
        (BroadstreetError,),
        (MAPPING.encode(),),
        (b"[attributes.x]\n", b"{sensor}", b"= inf"),
    ),
    Target(
        "entity",
        _json(lambda value: parse_entity(value, CORE)),
        (BroadstreetError,),
        (msgspec.json.encode(ENTITY),),
        _JSON_WORDS,
    ),
    Target(
        "@context",
        _json(_library.vocabulary),
        (BroadstreetError,),
        (msgspec.json.encode(CONTEXT), b'["a",{"b":"c"}]'),
        (*_JSON_WORDS, b'"@vocab"', b'"b:a"'),
    ),
    Target(
        "coordinates",
        _json(_coordinates),
        (BroadstreetError,),
        (b"[[[0,0],[1,0],[1,1],[0,0]]]", b'{"type":"Point","coordinates":[1,2]}'),
        _JSON_WORDS,
    ),
    Target(
        "q",
        _text(parse_query),
        (BroadstreetError,),
        (b'a.b[c]>=5;(d=="x"|e~=^f.*$);g==1..2', b'speed==50;brand!="M"'),
        (b"==", b"..", b"~=", b"(", b")", b"|", b"%22"),
    ),
    Target("scopeQ", _text(parse_scope_query), (BroadstreetError,), (b"/a/b,(/c/#;/d/+)",), (b"/#", b"/+", b";", b",")),
    Target(
        "type",
        _text(lambda text: parse_types(text, CORE)),
        (BroadstreetError,),
        (b"A,(B;C)|D",),
        (b"(", b")", b";", b"|"),
    ),
    Target(
        "duration",
        _text(Period.parse),
        (BroadstreetError,),
        (b"P1Y2M3W4DT5H6M7.8S",),
        (b"T", b"P", b"99999999999999999999D"),
    ),
    Target(
        "time",
        _text(parse_rfc3339),
        (BroadstreetError,),
        (b"2026-01-01T00:00:00.123456+02:00",),
        (b"Z", b"-00:00", b":60"),
    ),
)
