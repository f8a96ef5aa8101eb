"""pick and omit, nested: whatever can be written is read back as it was, and nonsense is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.context import Members, links_deep, parse_members, render_members, split_members
from broadstreet.context.bounds import MAX_JOIN_LEVEL, MAX_NAMES
from broadstreet.model.errors import InvalidInput, TooMany

NAMES = st.from_regex(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-z0-9_:/.#-]{0,8}", fullmatch=True)
MEMBERS: st.SearchStrategy[Members] = st.recursive(
    st.just({}), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4), max_leaves=12
)
LISTS = st.dictionaries(NAMES, MEMBERS, min_size=1, max_size=4).filter(lambda one: links_deep(one) <= MAX_JOIN_LEVEL)


def count(members: Members) -> int:
    return sum(1 + count(inner) for inner in members.values())


@given(LISTS)
def test_what_is_written_is_read_back(members: Members) -> None:
    text = render_members(members)
    assert parse_members([text], "pick") == members
    assert parse_members([text.replace(",", " | ")], "pick") == members
    parts = split_members(text, "pick")
    assert ",".join(parts) == text
    assert parse_members(parts, "pick") == members
    assert [parse_members([part], "pick") for part in parts] == [{name: inner} for name, inner in members.items()]


@given(st.text("ab,|{} :", max_size=24))
def test_anything_is_read_or_refused(text: str) -> None:
    try:
        members = parse_members([text], "pick")
    except InvalidInput as error:
        assert error.where == "pick"
        return
    assert parse_members([render_members(members)], "pick") == members
    assert text.count("{") == text.count("}") <= count(members)
    assert all(name == name.strip() != "" for name in members)


@given(LISTS, LISTS)
def test_two_mentions_ask_for_both(one: Members, other: Members) -> None:
    both = parse_members([render_members(one), render_members(other)], "pick")
    assert both.keys() == {*one, *other}
    for name, inner in both.items():
        mentions = [members[name] for members in (one, other) if name in members]
        assert inner.keys() == (set().union(*mentions) if all(mentions) else set())


@pytest.mark.parametrize(
    "text", ["", ",a", "a,", "a,,b", "a{", "a{}", "a{b", "a{{b}}", "a{,b}", "a{b,}", "a{b}}", "a{b}c", "{a}", "}", "a}"]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_members([text], "omit")
    with pytest.raises(InvalidInput):
        split_members(text, "omit")


def test_bounds() -> None:
    deep = "a{" * MAX_JOIN_LEVEL + "a" + "}" * MAX_JOIN_LEVEL
    assert links_deep(parse_members([deep], "pick")) == MAX_JOIN_LEVEL
    with pytest.raises(InvalidInput, match="links"):
        parse_members([f"a{{{deep}}}"], "pick")
    names = [f"a{at}" for at in range(MAX_NAMES)]
    assert len(parse_members([",".join(names)], "pick")) == MAX_NAMES
    with pytest.raises(TooMany):
        parse_members([",".join(names), "b"], "pick")
