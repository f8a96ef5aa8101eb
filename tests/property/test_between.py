"""Between processes: wishes match at least what is wanted and stay few; a link loses nothing, doubles nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.gateway.interest import Interest
from broadstreet.gateway.link import Ears, Item, Link
from broadstreet.gateway.subscriptions import Subscriptions
from broadstreet.gateway.words import Batch, Handed, Taken, decode_word, encode_word
from broadstreet.mqtt import Subscription
from tests.property.test_topics import filters, topics

MOST = 12
"""Fewer than the 2 x 4 + 4 forms that filters of four levels have with nothing but wildcards would not do."""


class Listener:
    """A process that hears what another wants, change by change."""

    def __init__(self) -> None:
        self.tree: Subscriptions[str] = Subscriptions()
        self.held: set[str] = set()

    def hear(self, interest: Interest) -> None:
        for wish in interest.changes():
            if wish.count:
                self.tree.add("it", Subscription(wish.filter), turns=wish.count)
                self.held.add(wish.filter)
            else:
                self.tree.remove("it", wish.filter)
                self.held.discard(wish.filter)


@given(
    steps=st.lists(st.tuples(st.booleans(), st.booleans(), filters), max_size=60),
    asked=st.lists(topics, min_size=1, max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_wishes_match_what_sessions_want_and_are_few(steps: list[tuple[bool, bool, str]], asked: list[str]) -> None:
    with patch("broadstreet.gateway.interest.MAX_WISHES", MOST):
        interest, listener = Interest(lambda: None), Listener()
        own: Subscriptions[int] = Subscriptions()
        held: list[str] = []
        for is_added, is_told, topic_filter in steps:
            if is_added:
                held.append(topic_filter)
                own.add(len(held), Subscription(topic_filter))
                interest.add("city", topic_filter)
            elif topic_filter in held:
                held.remove(topic_filter)
                interest.remove("city", topic_filter)
            if is_told:
                listener.hear(interest)
                assert len(listener.held) <= MOST
        listener.hear(interest)
        assert listener.held == {wish.filter for wish in interest.all()}
        wanted: Subscriptions[int] = Subscriptions()
        for at, topic_filter in enumerate(held):
            wanted.add(at, Subscription(topic_filter))
        for topic in asked:
            if wanted.match(topic) and not topic.startswith("$"):
                assert listener.tree.match(topic)
        if len(set(held)) <= MOST // 2:
            assert listener.held == {one for one in held if not one.startswith("$")}, "few are told as they are"
        for topic_filter in held:
            interest.remove("city", topic_filter)
        listener.hear(interest)
        assert not listener.held


def test_a_level_in_which_many_differ_is_told_as_any() -> None:
    interest = Interest(lambda: None)
    for n in range(2_000):
        interest.add("city", f"devices/d-{n}/commands/+")
    interest.add("city", "devices/d-1/#")
    assert {wish.filter for wish in interest.all()} == {"devices/+/commands/+", "devices/+/#"}


def test_a_shared_subscription_is_told_with_its_members() -> None:
    interest, listener = Interest(lambda: None), Listener()
    for _ in range(3):
        interest.add("city", "$share/desk/devices/#")
    interest.remove("city", "$share/desk/devices/#")
    assert [(wish.filter, wish.count) for wish in interest.all()] == [("$share/desk/devices/#", 2)]
    listener.hear(interest)
    assert interest.version == 1
    listener.hear(interest)
    assert interest.version == 1
    with patch("broadstreet.gateway.interest.MAX_SHARES", 1):
        assert interest.has_room("city", "$share/desk/devices/#")
        assert not interest.has_room("city", "$share/other/devices/#")
        assert interest.has_room("city", "devices/+")


def item(number: int) -> Item:
    return Handed("city", "", False, "a", b"%d" % number, 0, 1, False)


class Air:
    """What carries batches one way and answers the other, and loses some of both."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.loss = 0.4
        self.ears = Ears()
        self.heard: list[Item] = []
        self.link: Link | None = None

    async def publish(self, batch: Batch) -> None:
        await asyncio.sleep(0)
        word = decode_word(encode_word(batch))
        assert isinstance(word, Batch)
        if self.chance.random() < self.loss:
            return
        if self.ears.take(word):
            self.heard += word.items
        assert self.link is not None
        if self.chance.random() >= self.loss:
            self.link.taken(Taken("b", self.ears.channel, self.ears.number))


@pytest.fixture(autouse=True)
def hurried() -> Iterator[None]:
    with (
        patch("broadstreet.gateway.link.LINK_EVERY_S", 0),
        patch("broadstreet.gateway.link.LINK_BATCH_ITEMS", 3),
        patch("broadstreet.gateway.link.LINK_WINDOW", 4),
    ):
        yield


@pytest.mark.parametrize("seed", range(20))
async def test_a_link_over_bad_air_brings_each_item_once_in_order(seed: int) -> None:
    air, now = Air(seed), [0.0]
    link = air.link = Link("a/1", 1, air.publish, lambda: now[0])
    sending = asyncio.create_task(link.run())
    items = [item(n) for n in range(40)]
    for at, one in enumerate(items):
        assert link.send(one)
        if at % 7 == 0:
            await asyncio.sleep(0)
    for _ in range(2_000):
        if len(air.heard) == len(items) and not link.left():
            break
        await asyncio.sleep(0)
        now[0] += 0.3
        link.look()
    async with asyncio.timeout(5):
        await link.emptied()
    sending.cancel()
    assert air.heard == items


async def test_a_new_channel_begins_anew_and_an_old_one_is_not_heard() -> None:
    ears = Ears()
    assert ears.take(Batch("a/1", 1, 1, []))
    assert not ears.take(Batch("a/1", 1, 1, [])), "it was taken"
    assert not ears.take(Batch("a/1", 1, 3, [])), "the second is to come"
    assert ears.take(Batch("a/1", 2, 1, []))
    assert not ears.take(Batch("a/1", 1, 2, []))
    assert (ears.channel, ears.number) == (2, 1)


async def test_what_is_too_much_for_a_neighbour_is_dropped_qos_0_first() -> None:
    air = Air(0)
    link = Link("a/1", 1, air.publish, lambda: 0.0)
    with patch("broadstreet.gateway.link.MAX_LINK_BYTES", 1_000):
        qos_0 = Handed("city", "", False, "a", b"x" * 200, 0, 0, False)
        qos_1 = Handed("city", "", False, "a", b"x" * 200, 0, 1, False)
        assert [link.send(qos_0), link.send(qos_0)] == [True, False]
        assert [link.send(qos_1), link.send(qos_1), link.send(qos_1)] == [True, True, False]
