"""Entities over time: asked for in as few answers as the house gives them in, put together by series.

An answer of status 206 holds the oldest instances of each series, and not all. What every series is whole up to is
kept, and the rest asked for from there, so that nothing is left out and nothing comes twice.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from broadstreet.client.form import HEAD
from broadstreet.client.link import Link
from broadstreet.client.query import Names, Query
from broadstreet.model.clock import MAX_US, MIN_US, format_rfc3339, parse_rfc3339, to_datetime, to_us
from broadstreet.model.errors import InvalidInput, TooMany

PATH: Final = "/temporal/entities"
PAGE: Final = 50
"""Entities in one answer."""
METHODS: Final = ("avg", "min", "max", "sum", "stddev", "sumsq", "totalCount", "distinctCount")
"""How values become one, by the standard's names."""
Moment = datetime | date | timedelta | str
"""A time; a whole day, from its beginning in UTC; so long ago; or RFC 3339."""
_WRAPPED: Final = ("languageMap", "vocab", "json")
_PLAIN: Final = frozenset({"type", "datasetId"})
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_answers: Final = msgspec.json.Decoder(dict[str, Any] | list[dict[str, Any]])
Key = tuple[str, str, str | None, str | None]


@dataclass(frozen=True)
class Observation:
    """What an attribute was at a time; or, with a method, what its values of a period amount to that begins then."""

    entity: str
    attribute: str
    at: datetime
    value: Any
    dataset_id: str | None = None
    method: str | None = None


@dataclass
class Series:
    """Observations of one attribute, or sums of one method, oldest first."""

    entity: str
    attribute: str
    dataset_id: str | None = None
    method: str | None = None
    times_us: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.entity, self.attribute, self.dataset_id, self.method

    def take(self, other: Series, upto_us: int) -> None:
        """Go on with what another one has before a time."""
        count = bisect_left(other.times_us, upto_us)
        self.times_us += other.times_us[:count]
        self.values += other.values[:count]

    def observations(self) -> Iterator[Observation]:
        """One by one."""
        for at_us, value in zip(self.times_us, self.values, strict=True):
            yield Observation(self.entity, self.attribute, to_datetime(at_us), value, self.dataset_id, self.method)


@dataclass(frozen=True)
class Stretch:
    """Which time, and how it is summed up. every: the length of a period; None: the whole of it."""

    since: Moment | None = None
    until: Moment | None = None
    every: timedelta | str | None = None
    methods: Sequence[str] = ()
    last: int | None = None

    def parameters(self, now_us: int) -> dict[str, str]:
        """As the parameters of a request. Raises InvalidInput."""
        if self.every is not None and not self.methods:
            raise InvalidInput("every goes with aggregate", where="every", remedy='Such as aggregate="avg".')
        since = None if self.since is None else moment_us(self.since, now_us, "since")
        until = None if self.until is None else moment_us(self.until, now_us, "until")
        given = {"format": "aggregatedValues" if self.methods else "temporalValues", **within(since, until)}
        if self.methods:
            given["aggrMethods"] = ",".join(self.methods)
        if self.every is not None:
            given["aggrPeriodDuration"] = _duration(self.every)
        if self.last is not None:
            given["lastN"] = str(self.last)
        return given


def within(since_us: int | None, until_us: int | None) -> dict[str, str]:
    """A stretch of time as the standard says it."""
    if since_us is None:
        return {} if until_us is None else {"timerel": "before", "timeAt": format_rfc3339(until_us)}
    if until_us is None:
        return {"timerel": "after", "timeAt": format_rfc3339(since_us)}
    return {"timerel": "between", "timeAt": format_rfc3339(since_us), "endTimeAt": format_rfc3339(until_us)}


def evolve(link: Link, of: Names | Query, attrs: Names | None, stretch: Stretch, now_us: int) -> Iterator[Series]:
    """The series of one entity (a text), of several, or of those that a query means, each whole.

    Raises NotFound where one entity is asked for that is not there, and what else the house refuses with.
    """
    given = stretch.parameters(now_us)
    if attrs is not None:
        given["attrs"] = attrs if isinstance(attrs, str) else ",".join(attrs)
    if isinstance(of, str):
        ask = partial(_ask, link, f"{PATH}/{quote(of, safe=':')}", given)
        yield from _whole(ask({}), ask)
        return
    query = of if isinstance(of, Query) else Query(id=of)
    given = {**within(None, MAX_US), **given}  # a query over time says of which time
    offset = 0
    while True:
        portion = {**query.parameters(), **given, "limit": str(PAGE), "offset": str(offset)}
        ask = partial(_ask, link, PATH, portion)
        first = ask({})
        yield from _whole(first, ask)
        if "next" not in first.links:
            return
        offset += PAGE


def _ask(link: Link, path: str, given: Mapping[str, str], time: Mapping[str, str]) -> httpx.Response:
    return link.get(path, {**given, **time})


def _whole(response: httpx.Response, ask: Callable[[Mapping[str, str]], httpx.Response]) -> Iterable[Series]:
    """The series that an answer begins with, and all that follows of them. ask: asks for another stretch of time."""
    whole: dict[Key, Series] = {}
    ends = response.request.url.params
    until_us = parse_rfc3339(ends["endTimeAt"]) if "endTimeAt" in ends else None
    if ends.get("timerel") == "before":
        until_us = parse_rfc3339(ends["timeAt"])
    reached_us = MIN_US
    while True:
        found = list(_series_of(response))
        is_cut = response.status_code == HTTPStatus.PARTIAL_CONTENT and "lastN" not in ends
        upto_us = _whole_up_to_us(found) if is_cut else MAX_US
        if upto_us <= reached_us:
            raise TooMany("more was observed at one moment than is answered at once", where=format_rfc3339(upto_us))
        for one in found:
            whole.setdefault(one.key, replace(one, times_us=[], values=[])).take(one, upto_us)
        if not is_cut:
            return whole.values()
        reached_us = upto_us
        response = ask(within(upto_us, until_us))


def _whole_up_to_us(found: Sequence[Series]) -> int:
    """Up to when every series of a cut answer is whole: the longest ones are those that may have been cut."""
    longest = max((len(one.times_us) for one in found), default=0)
    return min((one.times_us[-1] for one in found if longest and len(one.times_us) == longest), default=MAX_US)


def _series_of(response: httpx.Response) -> Iterator[Series]:
    said = _answers.decode(response.content)
    for entity in said if isinstance(said, list) else [said]:
        for name, bodies in entity.items():
            if name not in HEAD:
                for body in bodies if isinstance(bodies, list) else [bodies]:
                    yield from _of_body(entity.get("id", ""), name, body)


def _of_body(entity_id: str, name: str, body: Mapping[str, Any]) -> Iterator[Series]:
    for said, rows in body.items():
        if said in _PLAIN:
            continue
        method = said if said in METHODS else None
        times_us = [parse_rfc3339(row[1]) for row in rows]
        yield Series(entity_id, name, body.get("datasetId"), method, times_us, [_bare(row[0]) for row in rows])


def _bare(value: Any) -> Any:
    """A value out of the object that says which kind it is of."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name in _WRAPPED:
            return inner
    return value


def moment_us(moment: Moment, now_us: int, where: str) -> int:
    """Raises InvalidInput."""
    if isinstance(moment, timedelta):
        return now_us - round(moment / timedelta(microseconds=1))
    if isinstance(moment, str):
        return parse_rfc3339(f"{moment}T00:00:00Z" if _DAY.fullmatch(moment) else moment, where)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if moment.tzinfo is None:
        raise InvalidInput(f"{moment} is of no time zone", where=where, remedy="Give it a tzinfo, such as UTC.")
    return to_us(moment)


def _duration(every: timedelta | str) -> str:
    """As ISO 8601 says it."""
    return every if isinstance(every, str) else f"PT{round(every.total_seconds())}S"
