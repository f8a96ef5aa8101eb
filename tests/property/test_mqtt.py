"""The MQTT codec, both ways, for every packet and both versions; and whatever bytes a stranger sends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.model.errors import BadPacket
from broadstreet.mqtt import (
    NO_PROPERTIES,
    Auth,
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
    PubComp,
    Publish,
    PublishRun,
    PubRec,
    PubRel,
    Run,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
    Version,
    Will,
    encode,
)
from broadstreet.mqtt import reasons as codes

V3, V5 = Version.V3_1_1, Version.V5
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
levels = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), max_size=8)
topics = st.lists(levels, min_size=1, max_size=5).map("/".join).filter(bool)
binaries = st.binary(max_size=40)
bits = st.sampled_from([0, 1])
u16 = st.integers(0, 65_535)
identifiers = st.integers(1, 65_535)
u32 = st.integers(0, 2**32 - 1)
qualities = st.sampled_from([0, 1, 2])
flags = st.booleans()

_MESSAGE = {
    "payload_format": bits,
    "message_expiry_s": u32,
    "content_type": texts,
    "response_topic": topics,
    "correlation_data": binaries,
}
_REASON = {"reason_string": texts}
_AUTHENTICATION = {"authentication_method": texts, "authentication_data": binaries}
_BY_PLACE: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "connect": {
        "session_expiry_s": u32,
        "receive_maximum": identifiers,
        "maximum_packet_bytes": st.integers(1, 2**32 - 1),
        "topic_alias_maximum": u16,
        "request_response_information": bits,
        "request_problem_information": bits,
        **_AUTHENTICATION,
    },
    "connack": {
        "session_expiry_s": u32,
        "receive_maximum": identifiers,
        "maximum_qos": bits,
        "retain_available": bits,
        "maximum_packet_bytes": st.integers(1, 2**32 - 1),
        "assigned_client_id": texts,
        "topic_alias_maximum": u16,
        "wildcards_available": bits,
        "subscription_identifiers_available": bits,
        "shared_available": bits,
        "server_keep_alive_s": u16,
        "response_information": texts,
        "server_reference": texts,
        **_REASON,
        **_AUTHENTICATION,
    },
    "will": {"will_delay_s": u32, **_MESSAGE},
    "publish": {
        "topic_alias": identifiers,
        "subscription_identifiers": st.lists(st.integers(1, 268_435_455), max_size=3).map(tuple),
        **_MESSAGE,
    },
    "answer": _REASON,
    "subscribe": {"subscription_identifiers": st.tuples(st.integers(1, 268_435_455))},
    "unsubscribe": {},
    "disconnect": {"session_expiry_s": u32, "server_reference": texts, **_REASON},
    "auth": {**_AUTHENTICATION, **_REASON},
}


def properties(place: str, version: Version) -> st.SearchStrategy[Properties]:
    """The properties that may stand in a place; none in 3.1.1."""
    if version == V3:
        return st.just(NO_PROPERTIES)
    users = st.lists(st.tuples(texts, texts), max_size=2).map(tuple)
    optional: dict[str, st.SearchStrategy[Any]] = {**_BY_PLACE[place], "user_properties": users}
    some: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({}, optional=optional)
    if place in ("connect", "connack"):
        some = some.filter(lambda found: "authentication_method" in found or "authentication_data" not in found)
    return st.just(NO_PROPERTIES) | some.map(lambda found: Properties(**found))


def filters(version: Version) -> st.SearchStrategy[str]:
    """Topic filters, with wildcards and, now and then, shared."""
    plain = st.lists(levels | st.just("+"), min_size=1, max_size=5).map("/".join).filter(bool)
    plain = plain.filter(lambda text: not text.startswith("$share"))
    return plain | st.just("#") | plain.map(lambda text: text + "/#") | plain.map(lambda text: "$share/group/" + text)


def subscriptions(version: Version) -> st.SearchStrategy[Subscription]:
    """One filter with its options."""
    if version == V3:
        return st.builds(Subscription, filters(version), qualities)
    made = st.builds(Subscription, filters(version), qualities, flags, flags, st.sampled_from([0, 1, 2]))
    return made.filter(lambda one: not (one.no_local and one.filter.startswith("$share/")))


def publishes(version: Version) -> st.SearchStrategy[Publish]:
    """PUBLISH at every QoS; with an empty topic where an alias stands for it."""
    some = properties("publish", version)

    def with_topic(made: Properties) -> st.SearchStrategy[Publish]:
        names = topics if made.topic_alias is None else topics | st.just("")
        plain = st.builds(Publish, names, binaries, retain=flags, properties=st.just(made))
        counted = st.builds(
            Publish, names, binaries, st.sampled_from([1, 2]), flags, flags, identifiers, properties=st.just(made)
        )
        return plain | counted

    return some.flatmap(with_topic)


def connects(version: Version) -> st.SearchStrategy[Connect]:
    """CONNECT with and without a will and a credential."""
    will = st.builds(Will, topics, binaries, qualities, flags, properties("will", version))
    made = st.builds(
        Connect,
        texts,
        st.just(version),
        flags,
        u16,
        st.none() | texts,
        st.none() | binaries,
        st.none() | will,
        properties("connect", version),
    )
    return made if version == V5 else made.filter(lambda one: one.username is not None or one.password is None)


def _one_of(allowed: Iterable[int]) -> st.SearchStrategy[int]:
    return st.sampled_from(sorted(allowed))


def _connack(session_present: bool, reason: int, some: Properties) -> ConnAck:
    return ConnAck(session_present and reason == 0, reason, some)


def packets(version: Version) -> st.SearchStrategy[Packet]:
    """Every packet a version has."""
    answer = properties("answer", version)
    v5 = version == V5
    puback = _one_of(codes.PUBACK_REASONS) if v5 else st.just(0)
    pubrel = _one_of(codes.PUBREL_REASONS) if v5 else st.just(0)
    suback = st.lists(_one_of(codes.SUBACK_REASONS if v5 else codes.SUBACK_RETURN_CODES), min_size=1, max_size=4)
    connack = _one_of(codes.CONNACK_REASONS if v5 else codes.CONNACK_RETURN_CODES)
    some_subscriptions = st.lists(subscriptions(version), min_size=1, max_size=4).map(tuple)
    some_filters = st.lists(filters(version), min_size=1, max_size=4).map(tuple)
    unsuback = st.lists(_one_of(codes.UNSUBACK_REASONS), min_size=1, max_size=4).map(tuple) if v5 else st.just(())
    kinds: list[st.SearchStrategy[Packet]] = [
        connects(version),
        st.builds(_connack, flags, connack, properties("connack", version)),
        publishes(version),
        st.builds(PubAck, identifiers, puback, answer),
        st.builds(PubRec, identifiers, puback, answer),
        st.builds(PubRel, identifiers, pubrel, answer),
        st.builds(PubComp, identifiers, pubrel, answer),
        st.builds(Subscribe, identifiers, some_subscriptions, properties("subscribe", version)),
        st.builds(SubAck, identifiers, suback.map(tuple), answer),
        st.builds(Unsubscribe, identifiers, some_filters, properties("unsubscribe", version)),
        st.builds(UnsubAck, identifiers, unsuback, answer),
        st.just(PingReq()),
        st.just(PingResp()),
    ]
    if v5:
        kinds.append(st.builds(Disconnect, _one_of(codes.DISCONNECT_REASONS), properties("disconnect", version)))
        kinds.append(st.builds(Auth, _one_of(codes.AUTH_REASONS), properties("auth", version)))
    else:
        kinds.append(st.just(Disconnect()))
    return st.one_of(kinds)


def drain(decoder: Decoder) -> list[Packet]:
    """What a decoder has ready, runs taken apart."""
    found: list[Packet] = []
    one: Packet | Run | None
    while (one := decoder.next()) is not None:
        if isinstance(one, PublishRun | PubAckRun):
            found.extend(one.packets())
        else:
            found.append(one)
    return found


@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_packet_survives_its_bytes(version: Version, data: st.DataObject) -> None:
    packet = data.draw(packets(version))
    decoder = Decoder(None if isinstance(packet, Connect) else version)
    decoder.feed(encode(packet, version))
    assert decoder.next() == packet
    assert decoder.next() is None


def _busy(version: Version) -> st.SearchStrategy[list[Packet]]:
    """What a connection carries: runs of plain messages and of acknowledgements among all the rest."""
    plain = st.builds(Publish, st.sampled_from(["readings", "r", "é/b"]), st.binary(max_size=300), st.just(0))
    counted = st.builds(Publish, st.just("readings"), st.binary(max_size=300), st.just(1), identifier=identifiers)
    acknowledged = st.builds(PubAck, identifiers)
    others = packets(version).filter(lambda packet: not isinstance(packet, Connect))
    return st.lists(counted | plain | acknowledged | others, max_size=12)


@pytest.mark.parametrize("runs", [False, True], ids=["packets", "runs"])
@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_split_gives_the_same_packets(version: Version, runs: bool, data: st.DataObject) -> None:
    sent = data.draw(_busy(version))
    stream = b"".join(encode(packet, version) for packet in sent)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=10)))
    decoder = Decoder(version, runs=runs)
    received: list[Packet] = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoder.feed(stream[start:stop])
        received += drain(decoder)
    assert received == sent


@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_stream_byte_by_byte_gives_the_same_packets(version: Version, data: st.DataObject) -> None:
    sent = data.draw(_busy(version))
    decoder = Decoder(version, runs=True)
    received: list[Packet] = []
    for byte in b"".join(encode(packet, version) for packet in sent):
        decoder.feed(bytes((byte,)))
        received += drain(decoder)
    assert received == sent


def _feed_anything(version: Version | None, runs: bool, chunks: list[bytes]) -> list[Packet] | None:
    """The packets of arbitrary bytes; None where they broke the standard."""
    decoder = Decoder(version, 10_000, runs=runs)
    found: list[Packet] = []
    try:
        for chunk in chunks:
            decoder.feed(chunk)
            found += drain(decoder)
    except BadPacket as error:
        assert error.where is not None
        assert error.where.startswith("MQTT ")
        return None
    return found


@given(
    version=st.sampled_from([None, V3, V5]),
    runs=flags,
    chunks=st.lists(st.binary(max_size=60), max_size=6),
)
@settings(max_examples=800, deadline=None)
def test_random_bytes_raise_nothing_but_bad_packets(version: Version | None, runs: bool, chunks: list[bytes]) -> None:
    _feed_anything(version, runs, chunks)


@pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_mutated_packets_raise_nothing_but_bad_packets(version: Version, data: st.DataObject) -> None:
    """And what still decodes is a packet that can be encoded again, the same with runs and without."""
    stream = bytearray().join(encode(packet, version) for packet in data.draw(_busy(version)))
    for _ in range(data.draw(st.integers(1, 4))):
        if stream:
            at = data.draw(st.integers(0, len(stream) - 1))
            match data.draw(st.sampled_from(["change", "drop", "insert"])):
                case "change":
                    stream[at] = data.draw(st.integers(0, 255))
                case "drop":
                    del stream[at]
                case _:
                    stream.insert(at, data.draw(st.integers(0, 255)))
    slow, fast = (_feed_anything(version, runs, [bytes(stream)]) for runs in (False, True))
    assert slow == fast
    for packet in slow or ():
        decoder = Decoder(None if isinstance(packet, Connect) else version)
        decoder.feed(encode(packet, version))
        assert decoder.next() == packet
