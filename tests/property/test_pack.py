"""Packs: what goes in comes out, and damage is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.log import RELEASED, Once, Pack, decode_pack, encode_pack
from broadstreet.log.pack import MAX_IDENTIFIER, PLAIN, WITH_ONCE
from broadstreet.model.errors import CorruptData

_message = st.tuples(st.integers(1, 2**31 - 1), st.integers(0, 2**60), st.text(max_size=20), st.binary(max_size=200))


@st.composite
def onces(draw: st.DrawFn, messages: int) -> Once:
    """What counts once of a session, of so many messages."""
    some = st.lists(st.integers(0, messages - 1), unique=True) if messages else st.just([])
    entries = draw(st.permutations(draw(some) + [RELEASED] * draw(st.integers(0, 3))))
    identifiers = [draw(st.integers(1, MAX_IDENTIFIER)) for _ in entries]
    return Once(draw(st.binary(min_size=8, max_size=8)), draw(st.integers(0, 2**63 - 1)), identifiers, entries)


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    """Any pack."""
    messages = draw(st.lists(_message, max_size=30))
    return Pack(
        id=draw(st.binary(min_size=16, max_size=16)),
        tenant="city",
        partition=draw(st.integers(0, 63)),
        gateway="gateway-1",
        device=[m[0] for m in messages],
        received_us=[m[1] for m in messages],
        topic=[m[2] for m in messages],
        payload=[m[3] for m in messages],
        once=draw(st.lists(onces(len(messages)), max_size=2)),
    )


@given(packs())
def test_a_pack_comes_back_as_it_was(pack: Pack) -> None:
    assert decode_pack(encode_pack(pack)) == pack


@given(packs(), st.data())
def test_a_changed_byte_is_noticed(pack: Pack, data: st.DataObject) -> None:
    framed = bytearray(encode_pack(pack))
    # Bytes 5 to 7 are padding and carry nothing.
    place = data.draw(st.integers(0, len(framed) - 1).filter(lambda i: i not in (5, 6, 7)))
    framed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptData):
        decode_pack(bytes(framed))


@given(packs(), st.data())
def test_a_cut_pack_is_noticed(pack: Pack, data: st.DataObject) -> None:
    framed = encode_pack(pack)
    with pytest.raises(CorruptData):
        decode_pack(framed[: data.draw(st.integers(0, len(framed) - 1))])


@given(st.binary(max_size=400))
def test_noise_is_no_pack(noise: bytes) -> None:
    with pytest.raises(CorruptData):
        decode_pack(noise)


def test_columns_of_different_length_are_refused() -> None:
    pack = Pack(b"i" * 16, "city", 0, "g", [1, 2], [1], ["readings"], [b"{}"])
    with pytest.raises(CorruptData, match="differ in length"):
        decode_pack(encode_pack(pack))


def test_a_pack_without_what_is_new_is_written_as_it_always_was() -> None:
    """Byte for byte: a recorder that was not upgraded yet reads it, and so does one that reads an old log."""
    pack = Pack(b"i" * 16, "city", 3, "g", [1], [2], ["readings"], [b"{}"])
    body = b"\x98\xc4\x10" + b"i" * 16 + b"\xa4city\x03\xa1g\x91\x01\x91\x02\x91\xa8readings\x91\xc4\x02{}"
    framed = encode_pack(pack)
    assert (framed[4], framed[16:]) == (PLAIN, body)
    assert decode_pack(framed) == pack
    pack.once = [Once(b"session1", 1, [5], [0])]
    assert encode_pack(pack)[4] == WITH_ONCE


@pytest.mark.parametrize(
    "once",
    [
        Once(b"short", 1, [5], [0]),
        Once(b"session1", -1, [5], [0]),
        Once(b"session1", 1, [5, 6], [0]),
        Once(b"session1", 1, [0], [0]),
        Once(b"session1", 1, [MAX_IDENTIFIER + 1], [RELEASED]),
        Once(b"session1", 1, [5], [1]),
        Once(b"session1", 1, [5], [-2]),
        Once(b"session1", 1, [5, 6], [0, 0]),
    ],
    ids=str,
)
def test_a_mark_that_fits_no_message_is_refused(once: Once) -> None:
    pack = Pack(b"i" * 16, "city", 0, "g", [1], [1], ["readings"], [b"{}"], [once])
    with pytest.raises(CorruptData):
        decode_pack(encode_pack(pack))
