"""Packs: what goes in comes out, and damage is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.log import Pack, decode_pack, encode_pack
from broadstreet.model.errors import CorruptData

_message = st.tuples(st.integers(1, 2**31 - 1), st.integers(0, 2**60), st.text(max_size=20), st.binary(max_size=200))


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
