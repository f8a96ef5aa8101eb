"""q, read and written: whatever can be written is read back as it was, and nonsense is refused with a reason."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.context.bounds import MAX_QUERY_DEPTH
from broadstreet.context.expression import AllOf, AnyOf, One
from broadstreet.context.query_language import (
    Moment,
    Operator,
    Path,
    Pattern,
    Query,
    Range,
    Subquery,
    Term,
    TimeForm,
    parse_query,
    render_query,
)
from broadstreet.model.errors import InvalidQuery, TooLarge, TooMany

NAMES = st.from_regex(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-z0-9_]{0,8}", fullmatch=True)
KEYS = st.from_regex(r"[A-Za-z0-9_@-]{1,8}", fullmatch=True) | st.just("*")
PATHS = st.builds(
    lambda names, keys: Path(tuple(names), tuple(keys)),
    st.lists(NAMES, min_size=1, max_size=3),
    st.lists(KEYS, max_size=2),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
MOMENTS = st.one_of(
    st.datetimes().map(lambda at: Moment(at.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"), TimeForm.DATE_TIME)),
    st.dates().map(lambda at: Moment(at.isoformat(), TimeForm.DATE)),
    st.times().map(lambda at: Moment(at.strftime("%H:%M:%S") + "Z", TimeForm.TIME)),
)
VALUES = st.one_of(NUMBERS, TEXTS, MOMENTS)
# A backslash pairs with what follows it, so that a pattern never ends on one, nor escapes a quote that needs none.
PATTERNS = st.lists(
    st.sampled_from(string.ascii_letters + string.digits + '.*+?^$()[]{}|" ;,=<>~!') | st.sampled_from(["\\d", "\\\\"]),
    min_size=1,
    max_size=20,
).map("".join)
RANGES = st.one_of(st.tuples(NUMBERS, NUMBERS), st.tuples(TEXTS, TEXTS)).map(lambda pair: Range(*pair))
ORDERING = st.sampled_from([Operator.LESS, Operator.LESS_EQUAL, Operator.GREATER, Operator.GREATER_EQUAL])
EQUALITY = st.sampled_from([Operator.EQUAL, Operator.UNEQUAL])
TERMS = st.one_of(
    st.builds(Term, PATHS, st.sampled_from([None, Operator.ABSENT])),
    st.builds(lambda path, operator, value: Term(path, operator, (value,)), PATHS, ORDERING, VALUES),
    st.builds(
        lambda path, operator, values: Term(path, operator, tuple(values)),
        PATHS,
        EQUALITY,
        st.lists(VALUES | st.booleans(), min_size=1, max_size=4),
    ),
    st.builds(Term, PATHS, EQUALITY, RANGES),
    st.builds(
        lambda path, operator, regex: Term(path, operator, Pattern(regex)),
        PATHS,
        st.sampled_from([Operator.LIKE, Operator.UNLIKE]),
        PATTERNS,
    ),
)


def _combined(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(parts, min_size=2, max_size=4).map(tuple)
    return several.map(AllOf) | several.map(AnyOf)


def _linked(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    """Queries over what a relationship leads to."""
    types = st.lists(NAMES, max_size=2).map(tuple)
    return st.builds(lambda name, own: One(Term(Path((name,)), subquery=own)), NAMES, st.builds(Subquery, types, parts))


LINKS = 8
QUERIES: st.SearchStrategy[Query] = st.recursive(
    TERMS.map(One), lambda parts: _combined(parts) | _linked(parts), max_leaves=LINKS
)


@given(QUERIES)
def test_a_query_is_read_back_as_it_was_written(query: Query) -> None:
    assert parse_query(render_query(query), MAX_QUERY_DEPTH) == query


@given(QUERIES)
def test_a_written_query_is_written_the_same_again(query: Query) -> None:
    text = render_query(query)
    assert render_query(parse_query(text, MAX_QUERY_DEPTH)) == text


@given(st.text(max_size=200) | st.text('ab.[](){};|,=!<>~"\\0123456789-:TZ* ', max_size=60))
def test_nonsense_is_refused_and_nothing_else(text: str) -> None:
    try:
        query = parse_query(text, LINKS)
    except (InvalidQuery, TooLarge, TooMany) as error:
        assert error.message
    else:
        assert parse_query(render_query(query), MAX_QUERY_DEPTH) == query


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("NO2>40", "NO2>40"),
        ("speed==4..5", "speed==4..5"),
        ('name=="a","b"', 'name=="a","b"'),
        ("owner==urn:ngsi-ld:Person:7", 'owner=="urn:ngsi-ld:Person:7"'),
        ("at>=2026-03-01T12:00:00Z", "at>=2026-03-01T12:00:00Z"),
        ("at==2026-03-01..2026-03-31", "at==2026-03-01..2026-03-31"),
        ("(a==1|b==2);c", "(a==1|b==2);c"),
        ("a;(b;c)|d", "a;(b;c)|d"),
        ("((a))", "a"),
        ("name~=^Kat.*", 'name~="^Kat.*"'),
        ('name!~="a|b;c"', 'name!~="a|b;c"'),
        ("address[city.district]", "address[city.district]"),
        ("color[*]!=true", "color[*]!=true"),
        ("a.b.c<=-1.5e3", "a.b.c<=-1500"),
        ("at==2026-03-01T12:00:00", "at==2026-03-01T12:00:00"),
        ("at==2026-03-01T12:00:00+0200,12:00:00", "at==2026-03-01T12:00:00+0200,12:00:00"),
        ("!a.b;(!c|d)", "!a.b;(!c|d)"),
        ("a{b}==1", "a{b==1}"),
        ("a{T,U:b{c}}>=2", "a{T,U:b{c>=2}}"),
        ("a{b;c|(d;e{f})}", "a{b;c|d;e{f}}"),
        ("a{b~=^x{2}(y)};c==4", 'a{b~="^x{2}(y)"};c==4'),
        ("a{T:ex:b==2026-03-01}", "a{T:ex:b==2026-03-01}"),
    ],
)
def test_examples(text: str, canonical: str) -> None:
    assert render_query(parse_query(text, 2)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", ";", "a;", "a==", "a=1", "(a", "a)", "a==1..", "a>4..5", "a>true", "a==1e999", "a==2026-02-30", "a.b."),
        *("!", "!!a", "!a==1", "!a{b}", "!~=a", "a!"),
        *("a{b", "a{}", "a{T:}", "a{b;c}==1", "a{b==1}==1", "a.x{b}", "a[x]{b}", "a{b}}"),
        *("a[", "a[]", 'a=="open', "9a", "a b", "a~=", 'a=="\\q"', 'a==1.."x"'),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str) -> None:
    with pytest.raises(InvalidQuery, match=r"expected|real") as caught:
        parse_query(text, 2)
    assert caught.value.where == "q"


@pytest.mark.parametrize(("text", "links"), [("a{b}", 0), ("a{b{c}}==1", 1), ("a{b{c{d}}}", 2)])
def test_links_are_followed_no_further_than_allowed(text: str, links: int) -> None:
    with pytest.raises(InvalidQuery, match="as far as they are joined"):
        parse_query(text, links)
    assert parse_query(text, links + 1)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a" * 9_000, TooLarge),
        ("(" * 40 + "a" + ")" * 40, TooLarge),
        (";".join(["a"] * 100), TooMany),
        (";".join(["a{b;c;d}"] * 17), TooMany),
        ("a{" * 5 + "(" * 17 + "b" + ")" * 17 + "}" * 5, TooLarge),
        ("a==" + ",".join(["1"] * 300), TooMany),
        ('a~="' + "x" * 600 + '"', TooLarge),
    ],
)
def test_a_query_has_bounds(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_query(text, LINKS)
