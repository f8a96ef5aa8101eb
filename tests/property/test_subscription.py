"""A subscription is shown as it was sent under the same @context, and means the same under another one."""

from __future__ import annotations

import string
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadstreet.context import (
    Library,
    Subscription,
    SubscriptionPresentation,
    Vocabulary,
    parse_subscription,
    parse_types,
    render_query,
)
from broadstreet.context.expression import leaves
from broadstreet.context.subscription import merge, parse_update, query_of, types_of
from tests.property.test_query_language import QUERIES

QUITE_LARGE = settings(suppress_health_check=[HealthCheck.too_slow])
NOW_US = 1_772_366_400_000_000
OWN = Library().vocabulary({"@vocab": "https://own.example/", "a": "https://other.example/deep/a", "ex": "urn:ex:"})
OTHER = Library().vocabulary({"@vocab": "https://own.example/", "named_otherwise": "https://other.example/deep/a"})
NAMES = st.just("a") | st.text(string.ascii_letters + "_1", max_size=6).map("n".__add__)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: text != "urn:ngsi-ld:null"
)
URIS = st.from_regex(r"urn:[a-z]{1,8}:[A-Za-z0-9]{1,8}", fullmatch=True).filter(lambda uri: uri[:7] != "urn:ex:")
SECONDS = st.integers(1, 100_000) | st.floats(0.001, 1e6)
TYPES = st.lists(NAMES, min_size=1, max_size=4).map("|".join) | st.lists(NAMES, min_size=2, max_size=4).map(";".join)
SELECTORS = st.fixed_dictionaries({"type": TYPES | st.just("*")}, optional={"id": URIS, "idPattern": TEXTS})
PAIRS = st.fixed_dictionaries(
    {"key": st.from_regex(r"[A-Za-z-]{1,9}", fullmatch=True), "value": st.from_regex(r"[ -~]{0,9}", fullmatch=True)}
)
ENDPOINTS = st.fixed_dictionaries(
    {"uri": st.sampled_from(["https://example.org/a?b=c", "mqtt://u:p@example.org:1883/a/b", "http://[::1]:81/"])},
    optional={"timeout": SECONDS, "receiverInfo": st.lists(PAIRS, min_size=1, max_size=3)},
)
NOTIFICATIONS = st.fixed_dictionaries(
    {"endpoint": ENDPOINTS},
    optional={
        "attributes": st.lists(NAMES, min_size=1, max_size=3),
        "format": st.sampled_from(["normalized", "concise", "keyValues", "simplified"]),
        "sysAttrs": st.booleans(),
    },
)
SUBSCRIPTIONS = st.fixed_dictionaries(
    {"type": st.just("Subscription"), "notification": NOTIFICATIONS},
    optional={
        "subscriptionName": TEXTS,
        "entities": st.lists(SELECTORS, min_size=1, max_size=3),
        "watchedAttributes": st.lists(NAMES, min_size=1, max_size=3),
        "notificationTrigger": st.just(["entityCreated"]),
        "q": QUERIES.map(render_query),
        "throttling": SECONDS,
        "isActive": st.booleans(),
        "expiresAt": st.just("2100-01-01T00:00:00Z"),
        "datasetId": st.lists(URIS | st.just("@none"), min_size=1, max_size=3),
    },
).filter(lambda document: "entities" in document or "watchedAttributes" in document)


def shown(kept: dict[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """What is kept, through JSON as the database keeps it, as somebody is shown it."""
    document = msgspec.json.decode(msgspec.json.encode(kept))
    row = Subscription("urn:s:1", document, "https://own.example/c", None, NOW_US, NOW_US, True, None)
    return SubscriptionPresentation(vocabulary, NOW_US, with_secrets=True).show(row)


@QUITE_LARGE
@given(SUBSCRIPTIONS)
def test_it_is_shown_as_it_was_sent(document: dict[str, Any]) -> None:
    kept = parse_subscription(document, OWN, NOW_US)
    added = {"id": "urn:s:1", "jsonldContext": "https://own.example/c", "status": "active"}
    expected = {"notificationTrigger": ["attributeCreated", "attributeUpdated"], **document, **added}
    assert shown(kept, OWN) == expected


@QUITE_LARGE
@given(SUBSCRIPTIONS)
def test_it_means_the_same_under_another_context(document: dict[str, Any]) -> None:
    kept = parse_subscription(document, OWN, NOW_US)
    again = parse_subscription(shown(kept, OTHER), OTHER, NOW_US)
    for name in ("entities", "watchedAttributes", "notification"):
        assert again.get(name) == kept.get(name)
    if "q" in kept:
        assert meant(again) == meant(kept)


@given(TYPES | st.just("*"))
def test_a_type_selection_is_kept_whole(text: str) -> None:
    document = {
        "type": "Subscription",
        "entities": [{"type": text}],
        "notification": {"endpoint": {"uri": "http://a/"}},
    }
    (selector,) = parse_subscription(document, OWN, NOW_US)["entities"]
    assert types_of(msgspec.json.decode(msgspec.json.encode(selector["type"]))) == parse_types(text, OWN)


@QUITE_LARGE
@given(SUBSCRIPTIONS, SUBSCRIPTIONS)
def test_an_update_takes_the_place_of_members_and_of_no_other(first: dict[str, Any], second: dict[str, Any]) -> None:
    kept, update = parse_subscription(first, OWN, NOW_US), parse_update(second, OWN, NOW_US)
    assert merge(kept, update) == {**kept, **update}
    gone = {name: None for name in update if name not in ("notification", "entities", "watchedAttributes")}
    assert set(merge({**kept, **update}, gone)) == set(kept | update) - set(gone)


def meant(kept: dict[str, Any]) -> list[str]:
    """The IRIs in a q, in their order."""
    query, vocabulary = query_of(kept["q"])
    return [vocabulary.expand(name) for term in leaves(query) for name in term.path.names]
