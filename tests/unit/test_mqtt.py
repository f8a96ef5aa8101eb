"""The MQTT codec against bytes written out by hand: the standard's examples, and one broken packet for each rule."""

from __future__ import annotations

import pytest

from broadstreet.gateway.subscriptions import Subscriptions
from broadstreet.model.errors import (
    InvalidInput,
    MalformedPacket,
    OversizedPacket,
    ProtocolError,
    UnsupportedVersion,
)
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Decoder,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    Properties,
    PubAck,
    PubAckRun,
    Publish,
    PublishRun,
    Run,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
    Version,
    Will,
    encode,
    encode_pubacks,
)
from broadstreet.mqtt.topics import filter_fault
from broadstreet.mqtt.wire import Reader, write_string, write_variable

V3, V5 = Version.V3_1_1, Version.V5


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text)


def _decode(raw: bytes, version: Version | None) -> Packet | Run | None:
    decoder = Decoder(version)
    decoder.feed(raw)
    return decoder.next()


GOLDEN: dict[str, tuple[Version, str, Packet]] = {
    # 3.1.1, figures 3.6 and 3.2: name, password, will at QoS 1, clean session, keep alive 10.
    "connect 3.1.1": (
        V3,
        "10 24 0004 4D515454 04 CE 000A 0003 643A31 0003 612F62 0003 6F6666 0004 75736572 0003 707764",
        Connect("d:1", V3, True, 10, "user", b"pwd", Will("a/b", b"off", 1)),
    ),
    # 5, figures 3-6 and 3-3: the same, with a session expiry of 10 seconds.
    "connect 5": (
        V5,
        "10 2B 0004 4D515454 05 CE 000A 05 11 0000000A0003 643A31 00 0003 612F62 0003 6F6666 0004 75736572 0003 707764",
        Connect("d:1", V5, True, 10, "user", b"pwd", Will("a/b", b"off", 1), Properties(session_expiry_s=10)),
    ),
    "connack 3.1.1": (V3, "20 02 01 00", ConnAck(True, 0)),
    "connack 5": (V5, "20 08 00 00 05 21 000A 24 01", ConnAck(False, 0, Properties(receive_maximum=10, maximum_qos=1))),
    # 3.1.1, figure 3.11: topic a/b, packet identifier 10.
    "publish 3.1.1": (V3, "32 09 0003 612F62 000A 6869", Publish("a/b", b"hi", 1, identifier=10)),
    # 5, figure 3-9: the same, without properties.
    "publish 5": (V5, "32 0A 0003 612F62 000A 00 6869", Publish("a/b", b"hi", 1, identifier=10)),
    "publish 5 with an alias": (
        V5,
        "31 06 0000 03 23 0007",
        Publish("", b"", retain=True, properties=Properties(topic_alias=7)),
    ),
    "puback": (V3, "40 02 000A", PubAck(10)),
    "puback 5 with a reason": (V5, "40 03 000A 97", PubAck(10, 0x97)),
    "puback 5 with words": (V5, "40 08 000A 97 04 1F 0001 78", PubAck(10, 0x97, Properties(reason_string="x"))),
    # 3.1.1, figure 3.23: a/b at QoS 1 and c/d at QoS 2.
    "subscribe 3.1.1": (
        V3,
        "82 0E 000A 0003 612F62 01 0003 632F64 02",
        Subscribe(10, (Subscription("a/b", 1), Subscription("c/d", 2))),
    ),
    # 5, figure 3-22.
    "subscribe 5": (
        V5,
        "82 0F 000A 00 0003 612F62 01 0003 632F64 02",
        Subscribe(10, (Subscription("a/b", 1), Subscription("c/d", 2))),
    ),
    # 3.1.1, figure 3.26: QoS 0, QoS 2, failure.
    "suback 3.1.1": (V3, "90 05 000A 00 02 80", SubAck(10, (0, 2, 0x80))),
    "suback 5": (V5, "90 06 000A 00 00 02 80", SubAck(10, (0, 2, 0x80))),
    # 3.1.1, figure 3.30.
    "unsubscribe 3.1.1": (V3, "A2 0C 000A 0003 612F62 0003 632F64", Unsubscribe(10, ("a/b", "c/d"))),
    "unsuback 3.1.1": (V3, "B0 02 000A", UnsubAck(10)),
    "unsuback 5": (V5, "B0 05 000A 00 00 11", UnsubAck(10, (0, 0x11))),
    "pingreq": (V3, "C0 00", PingReq()),
    "pingresp": (V5, "D0 00", PingResp()),
    "disconnect 3.1.1": (V3, "E0 00", Disconnect()),
    "disconnect 5": (V5, "E0 01 8E", Disconnect(0x8E)),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes_both_ways(name: str) -> None:
    version, text, packet = GOLDEN[name]
    assert encode(packet, version) == _bytes(text)
    assert _decode(_bytes(text), None if isinstance(packet, Connect) else version) == packet


def test_the_standards_examples_of_data_types() -> None:
    # 5, section 1.5.4: U+0041 U+2A6D4.
    assert write_string("A\U0002a6d4") == _bytes("0005 41 F0AA9B94")
    # U+FEFF is a character like any other and is not stripped (MQTT-1.5.4-3).
    assert Reader(_bytes("0003 EFBBBF"), 0, 5, 5).string() == "\ufeff"
    # 5, table 1-1, and the example of section 2.2.3 in 3.1.1: 321 is 193, 2.
    sizes = {0: "00", 127: "7F", 128: "8001", 321: "C102", 16_383: "FF7F", 16_384: "808001"}
    sizes |= {2_097_151: "FFFF7F", 2_097_152: "80808001", 268_435_455: "FFFFFF7F"}
    for value, text in sizes.items():
        raw = _bytes(text)
        assert write_variable(value) == raw
        assert Reader(raw, 0, len(raw), 5).variable() == value


CONNECT = "0004 4D515454"
BROKEN_V3 = {
    "a first packet that is not CONNECT": (None, "C0 00", ProtocolError, "MQTT-3.1.0-1"),
    "a packet type of 0": (V3, "00 00", MalformedPacket, "2.2.1"),
    "AUTH in 3.1.1": (V3, "F0 00", MalformedPacket, "2.2.1"),
    "flags on PINGREQ": (V3, "C1 00", MalformedPacket, "MQTT-2.2.2-1"),
    "no flags on SUBSCRIBE": (V3, "80 06 000A 0001 61 00", MalformedPacket, "MQTT-2.2.2-1"),
    "a length of five bytes": (V3, "C0 FFFFFFFF 01", MalformedPacket, "2.2.3"),
    "a body on PINGREQ": (V3, "C0 01 00", MalformedPacket, "2.2.3"),
    "a protocol of another name": (None, "10 0C 0004 4D515458 04 00 0000 0000", MalformedPacket, "MQTT-3.1.2-1"),
    "a reserved flag in CONNECT": (None, f"10 0C {CONNECT} 04 01 0000 0000", MalformedPacket, "MQTT-3.1.2-3"),
    "a will's QoS without a will": (None, f"10 0C {CONNECT} 04 08 0000 0000", MalformedPacket, "MQTT-3.1.2-13"),
    "a will's QoS of 3": (None, f"10 0C {CONNECT} 04 1C 0000 0000", MalformedPacket, "MQTT-3.1.2-14"),
    "a will's retain without a will": (None, f"10 0C {CONNECT} 04 20 0000 0000", MalformedPacket, "MQTT-3.1.2-15"),
    "a password without a name": (None, f"10 0E {CONNECT} 04 40 0000 0000 0000", MalformedPacket, "MQTT-3.1.2-22"),
    "a CONNECT that is cut": (None, f"10 0B {CONNECT} 04 02 0000 00", MalformedPacket, "2.2.3"),
    "bytes after a CONNECT": (None, f"10 0D {CONNECT} 04 02 0000 0000 00", MalformedPacket, "2.2.3"),
    "a PUBLISH of QoS 3": (V3, "36 05 0001 61 0001", MalformedPacket, "MQTT-3.3.1-4"),
    "a QoS 0 duplicate": (V3, "38 03 0001 61", MalformedPacket, "MQTT-3.3.1-2"),
    "a wildcard in a topic name": (V3, "30 03 0001 23", MalformedPacket, "MQTT-3.3.2-2"),
    "an empty topic name": (V3, "30 02 0000", ProtocolError, "MQTT-4.7.3-1"),
    "a packet identifier of 0": (V3, "32 05 0001 61 0000", MalformedPacket, "MQTT-2.3.1-1"),
    "a topic that is no UTF-8": (V3, "30 04 0002 C080", MalformedPacket, "MQTT-1.5.3-1"),
    "a surrogate in a topic": (V3, "30 05 0003 EDA080", MalformedPacket, "MQTT-1.5.3-1"),
    "U+0000 in a topic": (V3, "30 03 0001 00", MalformedPacket, "MQTT-1.5.3-2"),
    "a SUBSCRIBE for nothing": (V3, "82 02 000A", ProtocolError, "MQTT-3.8.3-3"),
    "a subscription's QoS of 3": (V3, "82 06 000A 0001 61 03", MalformedPacket, "MQTT-3-8.3-4"),
    "a reserved subscription bit": (V3, "82 06 000A 0001 61 04", MalformedPacket, "MQTT-3-8.3-4"),
    "# in the middle of a filter": (V3, "82 08 000A 0003 23 2F 61 00", MalformedPacket, "4.7"),
    "an UNSUBSCRIBE from nothing": (V3, "A2 02 000A", ProtocolError, "MQTT-3.10.3-2"),
    "an unknown SUBACK code": (V3, "90 03 000A 03", ProtocolError, "MQTT-3.9.3-2"),
}
BROKEN_V5 = {
    "a remaining length longer than need be": (V5, "C0 8000", MalformedPacket, "MQTT-1.5.5-1"),
    "flags on PINGREQ": (V5, "C1 00", MalformedPacket, "MQTT-2.1.3-1"),
    "an unknown property": (V5, "30 06 0001 61 02 7F 00", MalformedPacket, "2.2.2.2"),
    "a property of another packet": (V5, "30 07 0001 61 03 21 000A", MalformedPacket, "2.2.2.2"),
    "a property that comes twice": (V5, "30 08 0001 61 04 0101 0101", ProtocolError, "3.3.2.3.2"),
    "properties longer than the packet": (V5, "30 04 0001 61 05", MalformedPacket, "2.2.2.1"),
    "a property cut by the properties' length": (V5, "30 07 0001 61 02 02 0000", MalformedPacket, "2.1.4"),
    "a receive maximum of 0": (None, f"10 10 {CONNECT} 05 02 0000 03 21 0000 0000", ProtocolError, "3.1.2.11.3"),
    "a topic alias of 0": (V5, "30 07 0001 61 03 23 0000", ProtocolError, "MQTT-3.3.2-8"),
    "a wildcard in a response topic": (V5, "30 08 0001 61 04 08 0001 2B", ProtocolError, "MQTT-3.3.2-14"),
    "neither topic nor alias": (V5, "30 03 0000 00", ProtocolError, "3.3.2.1"),
    "authentication data without a method": (
        None,
        f"10 11 {CONNECT} 05 02 0000 04 16 0001 00 0000",
        ProtocolError,
        "3.1.2.11.10",
    ),
    "a reserved subscription bit": (V5, "82 07 000A 00 0001 61 40", MalformedPacket, "MQTT-3.8.3-5"),
    "a retain handling of 3": (V5, "82 07 000A 00 0001 61 30", ProtocolError, "3.8.3.1"),
    "no local on a shared subscription": (
        V5,
        "82 10 000A 00 000A 2473686172652F612F62 04",
        ProtocolError,
        "MQTT-3.8.3-4",
    ),
    "an unknown PUBACK code": (V5, "40 03 000A 01", ProtocolError, "MQTT-3.4.2-1"),
    "an unknown DISCONNECT code": (V5, "E0 01 86", ProtocolError, "MQTT-3.14.2-1"),
    "reserved CONNACK flags": (V5, "20 03 02 00 00", MalformedPacket, "MQTT-3.2.2-1"),
    "a session that is present though refused": (V5, "20 03 01 87 00", ProtocolError, "MQTT-3.2.2-6"),
}
BROKEN = {f"{name} (3.1.1)": case for name, case in BROKEN_V3.items()}
BROKEN |= {f"{name} (5)": case for name, case in BROKEN_V5.items()}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_packet_is_told_with_its_clause(name: str) -> None:
    version, text, kind, clause = BROKEN[name]
    with pytest.raises(kind) as caught:
        _decode(_bytes(text), version)
    assert caught.value.where is not None
    assert clause in caught.value.where


@pytest.mark.parametrize("text", ["10 0C 0004 4D515454 06 02 0000 0000", "10 0E 0006 4D5149736470 03 02 0000 0000"])
def test_other_versions_are_told_apart_from_nonsense(text: str) -> None:
    with pytest.raises(UnsupportedVersion):
        _decode(_bytes(text), None)


def test_a_large_packet_is_refused_before_it_has_come() -> None:
    decoder = Decoder(V5, 1000)
    decoder.feed(_bytes("30 E807"))
    with pytest.raises(OversizedPacket):
        decoder.next()


def test_packets_before_a_broken_one_come_out() -> None:
    decoder = Decoder(V3, runs=True)
    decoder.feed(encode(Publish("r", b"1", 1, identifier=1), V3) * 2 + b"\x00\x00")
    assert decoder.next() == PublishRun(b"r", 1, [b"\0\1", b"\0\1"], [b"1", b"1"])
    with pytest.raises(MalformedPacket):
        decoder.next()


def test_a_run_ends_where_the_topic_or_the_flags_change() -> None:
    sent = [Publish("a", b"1"), Publish("a", b"2"), Publish("b", b"3"), Publish("b", b"4", retain=True)]
    decoder = Decoder(V5, runs=True)
    decoder.feed(b"".join(encode(packet, V5) for packet in sent))
    assert decoder.next() == PublishRun(b"a", 0, [], [b"1", b"2"])
    assert decoder.next() == PublishRun(b"b", 0, [], [b"3"])
    assert decoder.next() == sent[3]


def test_acknowledgements_come_and_go_as_runs() -> None:
    raw = encode_pubacks([b"\0\1", b"\1\0"])
    assert raw == _bytes("40 02 0001 40 02 0100")
    assert encode_pubacks([]) == b""
    decoder = Decoder(V5, runs=True)
    decoder.feed(raw)
    assert decoder.next() == PubAckRun([1, 256])


@pytest.mark.parametrize(
    ("packet", "version"),
    [
        (Publish("a/+", b""), V5),
        (Publish("", b""), V5),
        (Publish("a", b"", 1), V5),
        (Publish("a", b"", 0, identifier=4), V3),
        (Publish("a\0", b""), V3),
        (Publish("a", b"", properties=Properties(topic_alias=1)), V3),
        (Publish("a", b"", properties=Properties(receive_maximum=1)), V5),
        (Publish("a", b"", 3, identifier=1), V5),
        (Connect("c", V3, password=b"p"), V3),
        (Subscribe(1, (Subscription("a/#/b"),)), V3),
        (Subscribe(1, (Subscription("a", no_local=True),)), V3),
        (Subscribe(1, ()), V3),
        (Disconnect(0x8E), V3),
        (PubAck(0), V5),
    ],
)
def test_what_a_version_cannot_say_is_refused(packet: Packet, version: Version) -> None:
    with pytest.raises(InvalidInput):
        encode(packet, version)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        # Section 4.7.1.2 and 4.7.1.3's own examples.
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", "anything/at/all", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/monitor/Clients", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/monitor", True),
        ("a/b", "a/b/c", False),
        ("A/b", "a/b", False),
    ],
)
def test_filters_match_as_the_standard_says(topic_filter: str, topic: str, expected: bool) -> None:
    tree: Subscriptions[str] = Subscriptions()
    tree.add("someone", Subscription(topic_filter))
    assert bool(tree.match(topic)) is expected


@pytest.mark.parametrize(
    "text", ["", "a/#/b", "a#", "a+/b", "$share/", "$share//a", "$share/g", "$share/+/a", "/" * 64]
)
def test_faulty_filters_are_named(text: str) -> None:
    assert filter_fault(text) is not None
