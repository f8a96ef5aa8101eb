"""Topics: the trees of subscriptions and of retained messages find exactly what the standard's rule says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.gateway.message import Message
from broadstreet.gateway.retained import Topics
from broadstreet.gateway.subscriptions import Subscriptions
from broadstreet.mqtt import Subscription

levels = st.sampled_from(["", "a", "b", "$s", "é"])
topics = st.lists(levels, min_size=1, max_size=4).map("/".join).filter(bool)
filters = (
    st.tuples(st.lists(levels | st.just("+"), max_size=4), st.sampled_from(["", "#"]))
    .map(lambda parts: "/".join([*parts[0], *([parts[1]] if parts[1] else [])]))
    .filter(bool)
)


def matches(topic_filter: str, topic: str) -> bool:
    """The standard's rule, level by level: whether a topic name falls under a filter (section 4.7)."""
    if topic.startswith("$") and topic_filter[:1] in ("+", "#"):
        return False
    wanted, given = topic_filter.split("/"), topic.split("/")
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at >= len(given) or level not in ("+", given[at]):
            return False
    return len(wanted) == len(given)


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 3), filters, st.sampled_from([0, 1])), max_size=25),
    asked=st.lists(topics, min_size=1, max_size=8),
)
@settings(max_examples=400, deadline=None)
def test_subscriptions_match_as_the_rule_says(steps: list[tuple[bool, int, str, int]], asked: list[str]) -> None:
    tree: Subscriptions[int] = Subscriptions()
    held: dict[tuple[int, str], int] = {}
    for is_added, subscriber, topic_filter, qos in steps:
        before = tree.version
        if is_added:
            assert tree.add(subscriber, Subscription(topic_filter, qos), 1) is ((subscriber, topic_filter) not in held)
            held[subscriber, topic_filter] = qos
            assert tree.version > before
        else:
            assert tree.remove(subscriber, topic_filter) is (held.pop((subscriber, topic_filter), None) is not None)
    for topic in asked:
        expected: dict[int, list[int]] = {}
        for (subscriber, topic_filter), qos in held.items():
            if matches(topic_filter, topic):
                expected.setdefault(subscriber, []).append(qos)
        found = tree.match(topic).direct
        assert {subscriber: match.qos for subscriber, match in found.items()} == {
            subscriber: max(all_qos) for subscriber, all_qos in expected.items()
        }
        assert {s: len(m.identifiers) for s, m in found.items()} == {s: len(q) for s, q in expected.items()}


@given(
    members=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["g", "h"]), filters), min_size=1, max_size=8),
    gone=st.lists(st.integers(0, 7), max_size=4),
    ready=st.sets(st.integers(0, 3)),
    topic=topics,
)
@settings(max_examples=300, deadline=None)
def test_of_each_share_one_gets_a_message_and_each_has_its_turn(
    members: list[tuple[int, str, str]], gone: list[int], ready: set[int], topic: str
) -> None:
    tree: Subscriptions[int] = Subscriptions()
    shares: dict[tuple[str, str], set[int]] = {}
    for member, name, topic_filter in members:
        tree.add(member, Subscription(f"$share/{name}/{topic_filter}", 1))
        shares.setdefault((name, topic_filter), set()).add(member)
    for member, name, topic_filter in (members[at] for at in gone if at < len(members)):
        assert tree.remove(member, f"$share/{name}/{topic_filter}") is (member in shares[name, topic_filter])
        shares[name, topic_filter].discard(member)
    expected = [held for (_, topic_filter), held in shares.items() if held and matches(topic_filter, topic)]
    found = tree.match(topic)
    assert not found.direct
    assert sorted(map(sorted, expected)) == sorted(sorted(share.members) for share in found.shares)
    for share in found.shares:
        able = share.members & ready or set(share.members)
        chosen = [share.next(lambda member: member in ready)[0] for _ in range(2 * len(able))]
        assert set(chosen) == able
        assert all(chosen.count(member) == 2 for member in able)


@given(
    steps=st.lists(st.tuples(topics, st.sampled_from([b"", b"x", b"y"])), max_size=25),
    asked=st.lists(filters, min_size=1, max_size=8),
)
@settings(max_examples=400, deadline=None)
def test_retained_messages_match_as_the_rule_says(steps: list[tuple[str, bytes]], asked: list[str]) -> None:
    tree = Topics()
    held: dict[str, bytes] = {}
    for topic, payload in steps:
        tree.put(Message(topic, payload, 0))
        if payload:
            held[topic] = payload
        else:
            held.pop(topic, None)
        assert tree.count == len(held)
        assert tree.has(topic) is (topic in held)
    for topic_filter in asked:
        found = sorted((message.topic, message.payload) for message in tree.matching(topic_filter))
        assert found == sorted(item for item in held.items() if matches(topic_filter, item[0]))
