"""What counts once does so under any order in which gateways bring it, and whatever they bring twice or late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broadstreet.log import RELEASED, Once, Pack
from broadstreet.recorder.once import NOBODY, OnceSession, sift, without

SESSION = b"session1"


def pack_of(number: int, *said: Once) -> Pack:
    """A pack of as many messages as its marks name."""
    count = sum(entry != RELEASED for once in said for entry in once.entries)
    return Pack(
        number.to_bytes(16),
        "city",
        0,
        "g",
        [7] * count,
        list(range(count)),
        ["readings"] * count,
        [b""] * count,
        list(said),
    )


def message(number: int, life: int, identifier: int) -> Pack:
    return pack_of(number, Once(SESSION, life, [identifier], [0]))


def release(number: int, life: int, identifier: int) -> Pack:
    return pack_of(number, Once(SESSION, life, [identifier], [RELEASED]))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Pack], int]:
    """
    What gateways bring to the log of a client that keeps to the standard, and how many messages it sent.

    Its session moves from life to life, now and then in the middle of a message; the client sends again what was not
    answered, and a life that is over brings what it still had at any later moment.
    """
    log: list[Pack] = []
    late: list[Pack] = []
    life, sent, resends = 1, 0, 0

    def lay(pack: Pack) -> bool:
        """Bring a pack to the log; whether it is there, or late because the session has moved."""
        nonlocal life
        if draw(st.booleans()):
            log.append(pack)
        else:
            late.append(pack)
        is_moved = log[-1:] != [pack] or draw(st.integers(0, 3)) == 0
        life += is_moved
        return not is_moved

    def number() -> int:
        nonlocal resends
        resends += 1
        return resends

    for _ in range(draw(st.integers(1, 6))):
        identifier = draw(st.integers(1, 3))
        sent += 1
        for _ in range(4):
            if lay(message(number(), life, identifier)):
                break
        else:
            log.append(message(number(), life, identifier))
        for _ in range(4):
            if lay(release(number(), life, identifier)):
                break
        else:
            log.append(release(number(), life, identifier))
        late = draw(st.permutations(late))
        come = draw(st.integers(0, len(late)))
        log += late[:come]
        late = late[come:]
    return log + late, sent


@given(conversations(), st.data())
def test_each_message_counts_once_whatever_comes_again_or_late(
    conversation: tuple[list[Pack], int], data: st.DataObject
) -> None:
    log, sent = conversation
    sessions: dict[bytes, OnceSession] = {}
    counted = 0
    while log:  # in transactions of any size
        size = data.draw(st.integers(1, len(log)))
        portion, log = log[:size], log[size:]
        repeated = sift(portion, sessions)
        counted += sum(key != NOBODY for pack in portion for key in without(pack, repeated).device)
    assert counted == sent


def test_what_is_left_out_leaves_every_other_message_in_its_place() -> None:
    pack = pack_of(1, Once(SESSION, 1, [5, 6], [0, 2]), Once(b"session2", 1, [5], [1]))
    sessions = {SESSION: OnceSession(1, {5})}
    repeated = sift([pack], sessions)
    assert repeated == {pack.id: {0}}
    assert without(pack, repeated).device == [NOBODY, 7, 7]
    assert without(pack, {}) is pack
    assert sessions == {SESSION: OnceSession(1, {5, 6}), b"session2": OnceSession(1, {5})}


def test_a_release_of_a_life_that_is_over_releases_nothing() -> None:
    sessions = {SESSION: OnceSession(2, {5})}
    assert sift([release(1, 1, 5)], sessions) == {}
    assert sessions[SESSION].open == {5}
