"""Who may use which MQTT topic: every role, every kind of topic, both ways; and limited tokens, and devices."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.access import ROLES, Permission, Principal, Role
from broadstreet.access.policy import POLICY
from broadstreet.access.topics import TOPIC_RULES, covers, may_connect, may_publish, may_subscribe, overlap
from tests.docs.pages import reference

READINGS, STATUS = "devices/d-0/readings", "devices/d-0/status/door"
COMMAND, RESULT = "devices/d-0/commands/c-1", "devices/d-0/commands/c-1/result"
OUTSIDE = ("readings", "city/x", "$SYS/x", "/devices/d-0/readings", "Devices/d-0/x")
NO_DEVICES = ("devices", "devices/", "devices//x", "devices/d-0", "devices/d-0/")
WRITERS = {"administrator", "engineer"}
ALL = set(ROLES)
LEVELS = st.lists(st.sampled_from(["a", "b", "", "+"]), min_size=0, max_size=3)
ENDS = st.sampled_from([[], ["#"]])
FILTERS = st.tuples(LEVELS, ENDS).map(lambda parts: "/".join(parts[0] + parts[1])).filter(bool)


def account(*roles: Role, limits: frozenset[Permission] | None = None, reach: str | None = None) -> Principal:
    return Principal.account("anna", "Anna", "city", roles, "a token", limits, reach)


@pytest.mark.parametrize(
    ("topic", "publishers"), [(READINGS, WRITERS), (STATUS, WRITERS), (RESULT, WRITERS), (COMMAND, set[str]())]
)
def test_who_publishes(topic: str, publishers: set[str]) -> None:
    assert {role for role in ROLES if may_publish(account(role), topic)} == publishers


@pytest.mark.parametrize(
    ("topic_filter", "subscribers"),
    [
        (READINGS, ALL),
        ("devices/+/readings", ALL),
        (STATUS, ALL),
        ("devices/d-0/status/#", ALL),
        ("devices/+/+", ALL),
        (COMMAND, ALL - {"viewer"}),
        (RESULT, ALL - {"viewer"}),
        ("devices/+/commands/+", ALL - {"viewer"}),
        ("devices/+/commands/#", ALL - {"viewer"}),
        ("devices/+/+/+", ALL - {"viewer"}),
        ("devices/d-0/#", ALL - {"viewer"}),
        ("devices/+/#", ALL - {"viewer"}),
        ("devices/#", ALL - {"viewer"}),
        ("#", set[str]()),
        ("+/d-0/readings", set[str]()),
        ("+/#", set[str]()),
    ],
)
def test_who_subscribes(topic_filter: str, subscribers: set[str]) -> None:
    assert {role for role in ROLES if may_subscribe(account(role), topic_filter)} == subscribers


@pytest.mark.parametrize("topic", OUTSIDE)
def test_what_is_nobodys(topic: str) -> None:
    for principal in (account(*ROLES), Principal.device("d-0", "city")):
        assert not may_publish(principal, topic)
        assert not may_subscribe(principal, topic)
    for above in NO_DEVICES:
        assert not may_publish(account(*ROLES), above)


def test_a_device_has_its_own_topics_and_does_not_speak_for_the_house() -> None:
    device = Principal.device("d-0", "city")
    assert [may_publish(device, topic) for topic in (READINGS, STATUS, RESULT, COMMAND)] == [True, True, True, False]
    for own in (READINGS, STATUS, RESULT, COMMAND, "devices/d-0/#", "devices/d-0/+"):
        assert may_subscribe(device, own)
    for other in ("devices/d-1/readings", "devices/d-01/readings", "devices/+/readings", "devices/#", *NO_DEVICES, "#"):
        assert not may_publish(device, other)
        assert not may_subscribe(device, other)


def test_a_token_keeps_its_limits() -> None:
    reads = account("engineer", limits=frozenset({"entity:read"}))
    assert may_subscribe(reads, "devices/+/readings")
    assert not may_subscribe(reads, "devices/#")
    assert not may_publish(reads, READINGS)
    writes = account("engineer", limits=frozenset({"reading:write"}))
    assert may_publish(writes, READINGS)
    assert not may_subscribe(writes, READINGS)
    watches = account("engineer", limits=frozenset({"device:read"}))
    assert may_subscribe(watches, "devices/+/commands/+/#"), "what a later row asks for is not asked here"
    assert not may_subscribe(watches, READINGS)
    assert not may_subscribe(account("administrator", reach="7"), READINGS)
    nothing = account("administrator", limits=frozenset({"audit:read"}))
    assert [may_connect(one) for one in (reads, writes, watches, nothing)] == [True, True, True, False]


def test_the_page_shows_the_table_in_force() -> None:
    section = reference("mqtt").section("Topics")
    assert section is not None

    def word(role: Role, subscribe: Permission | None, publish: Permission | None) -> str:
        may = (subscribe is not None and role in POLICY[subscribe], publish is not None and role in POLICY[publish])
        return {(True, True): "both", (True, False): "subscribe", (False, True): "publish", (False, False): ""}[may]

    shown = {name: [cell.strip() for cell in row.split("|")] for name, row in section.rows().items()}
    said = {
        rule.filter: [
            *(f"`{asked}`" if asked else "" for asked in (rule.subscribe, rule.publish)),
            *(word(role, rule.subscribe, rule.publish) for role in ROLES),
        ]
        for rule in TOPIC_RULES
    }
    assert {name: cells[: 2 + len(ROLES)] for name, cells in shown.items()} == said


def matches(topic_filter: str, topic: tuple[str, ...]) -> bool:
    """Whether a topic matches a filter, by the words of the standard (MQTT 5, 4.7.1)."""
    levels = topic_filter.split("/")
    if levels[-1] == "#":
        levels.pop()
        topic = topic[: len(levels)] if len(topic) >= len(levels) else topic
    return len(levels) == len(topic) and all(one in ("+", there) for one, there in zip(levels, topic, strict=True))


TOPICS = [topic for length in range(1, 6) for topic in product(("a", "b", ""), repeat=length)]


@given(FILTERS, FILTERS)
def test_filters_overlap_and_cover_as_their_topics_do(one: str, other: str) -> None:
    left, right = ({topic for topic in TOPICS if matches(each, topic)} for each in (one, other))
    assert overlap(one, other) == bool(left & right)
    assert overlap(other, one) == overlap(one, other)
    if covers(one, other):
        assert right <= left
    if "+" not in other and "#" not in other:
        assert covers(one, other) == (right <= left)
