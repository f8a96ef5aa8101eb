"""A city as a notebook sees it: ask, write, look back, be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, Unpack
from urllib.parse import quote, unquote

import httpx
import msgspec

from broadstreet.client.contexts import Contexts
from broadstreet.client.entity import Entity
from broadstreet.client.evolution import Moment, Observation, Series, Stretch, evolve
from broadstreet.client.form import Form
from broadstreet.client.found import PAGE, PATH, Entities, pages
from broadstreet.client.frame import frame_of_series
from broadstreet.client.kinds import AttributeKind, EntityType
from broadstreet.client.link import Link, Patience
from broadstreet.client.outcome import Outcome
from broadstreet.client.query import Asked, Names, Query
from broadstreet.client.subscription import PATH as SUBSCRIPTIONS
from broadstreet.client.subscription import Subscription, Wish
from broadstreet.model.clock import to_us
from broadstreet.model.errors import Conflict

if TYPE_CHECKING:
    import pandas

BATCH: Final = 500
"""Entities in one request that writes."""
ANSWER_WITHIN_S: Final = 30.0
BATCHES: Final = "/entityOperations"
_MULTI_STATUS: Final = 207
Document = Mapping[str, Any] | Entity


class City:
    """A house, by its address, such as https://city.example. It is left by `close`, or at the end of a `with`."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        tenant: str | None = None,
        context: str | None = None,
        timeout_s: float = ANSWER_WITHIN_S,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """token: as the portal or `broadstreet token` gives one; without it, what everyone may see.
        context: the address of the @context that names are of; without it, the core's.
        patience: how often a question is asked that finds no answer.
        transport: how requests travel, where that is special.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        http = httpx.Client(base_url=address, headers=headers, timeout=timeout_s, transport=transport)
        link = Link(http, context=context, patience=patience or Patience())
        self._link = link if tenant is None else link.within(tenant)
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._link.http.close()

    def speaking(self, context: str | None) -> City:
        """The same city with names of another @context, by its address; None: of the core's."""
        return self._with(self._link.speaking(context))

    def within(self, tenant: str) -> City:
        """Another tenant of the same house."""
        return self._with(self._link.within(tenant))

    @property
    def contexts(self) -> Contexts:
        """The @contexts that are kept here."""
        return Contexts(self._link)

    # Asking.

    def entity(self, entity_id: str, **asked: Unpack[Asked]) -> Entity:
        """One entity. asked: what is wanted of it, such as pick, lang or join. Raises NotFound."""
        parameters = Query(**asked).parameters()
        parameters.pop("local", None)
        return Entity(self._link.get(_place(entity_id), parameters).json())

    def entities(self, query: Query | None = None, /, *, page: int = PAGE, **asked: Unpack[Asked]) -> Entities:
        """The entities that a `Query` means, or its fields given as keywords. Nothing is asked before you look."""
        return Entities(self._link, (query or Query(**asked)).parameters(), page)

    def types(self) -> list[EntityType]:
        """The types that entities have, with the names of their attributes."""
        return [EntityType.of(one) for one in self._link.get("/types", {"details": "true"}).json()]

    def type(self, name: str) -> EntityType:
        """One type, with its attributes and how many entities have it. Raises NotFound."""
        return EntityType.of(self._link.get(f"/types/{quote(name, safe='')}").json())

    def attributes(self) -> list[AttributeKind]:
        """The attributes that entities have, with the types of those entities."""
        return [AttributeKind.of(one) for one in self._link.get("/attributes", {"details": "true"}).json()]

    def attribute(self, name: str) -> AttributeKind:
        """One attribute, with its kinds and how often it is there. Raises NotFound."""
        return AttributeKind.of(self._link.get(f"/attributes/{quote(name, safe='')}").json())

    # Looking back.

    def history(
        self,
        of: Names | Query,
        attrs: Names | None = None,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        every: timedelta | str | None = None,
        aggregate: Names = (),
        last: int | None = None,
    ) -> pandas.DataFrame:
        """A data frame of what attributes were, with time as its index and a column for each attribute.

        of:           an entity's id; several, or a `Query`: then columns are called by entity and attribute.
        since, until: from when on, and before when; a timedelta is so long ago.
        every:        the length of a period, as a timedelta or by ISO 8601; left out: the whole time is one.
        aggregate:    what the values of a period become: avg, min, max, sum, stddev, sumsq, totalCount, distinctCount;
                      a list gives a column for each.
        last:         the newest so many of each attribute alone.

        Raises NotFound where one entity is asked for that is not there, or has none of the attributes in this time.
        """
        methods = [aggregate] if isinstance(aggregate, str) else list(aggregate)
        series = self._evolve(of, attrs, Stretch(since, until, every, methods, last))
        several = not isinstance(aggregate, str) and len(methods) > 0
        return frame_of_series(series, by_entity=not isinstance(of, str), by_method=several)

    def observations(
        self,
        of: Names | Query,
        attrs: Names | None = None,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        last: int | None = None,
    ) -> Iterator[Observation]:
        """What attributes were, one by one, series after series: `history` without pandas, and with its errors."""
        for one in self._evolve(of, attrs, Stretch(since, until, last=last)):
            yield from one.observations()

    def _evolve(self, of: Names | Query, attrs: Names | None, stretch: Stretch) -> Iterator[Series]:
        return evolve(self._link, of, attrs, stretch, to_us(self._clock()))

    # Writing.

    def create(self, *entities: Document) -> Outcome:
        """Create entities, in any of the standard's forms. Raises Conflict where one is there."""
        if len(entities) == 1:
            written = _written(entities[0])
            self._link.send("POST", PATH, written)
            return Outcome([str(written["id"])])
        return self._batch("create", [_written(one) for one in entities], check=True)

    def upsert(self, entities: Iterable[Document], *, update: bool = False, check: bool = True) -> Outcome:
        """Create entities, or replace those that are there; update: lay the new attributes over theirs instead.

        check: whether an entity that could not be written raises; otherwise `Outcome.failures` tells.
        """
        parameters = {"options": "update"} if update else None
        return self._batch("upsert", [_written(one) for one in entities], check=check, parameters=parameters)

    def update(self, entity_id: str, attributes: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Write attributes of an entity, each as a whole; the others stay. Raises NotFound."""
        response = self._link.send("PATCH", f"{_place(entity_id)}/attrs", {**(attributes or {}), **more})
        if response.status_code == _MULTI_STATUS:
            left = response.json()["notUpdated"]
            said = "; ".join(f"{one['attributeName']}: {one['reason']}" for one in left)
            raise Conflict(f"not all of {entity_id} was written: {said}")

    def merge(self, entity_id: str, fragment: Mapping[str, Any]) -> None:
        """Lay parts of attributes over an entity; "urn:ngsi-ld:null" takes one away. Raises NotFound."""
        self._link.send("PATCH", _place(entity_id), fragment)

    def replace(self, entity: Document) -> None:
        """Put an entity in the place of what is there under its id. Raises NotFound."""
        written = _written(entity)
        self._link.send("PUT", _place(str(written.get("id", ""))), written)

    def delete(self, *entity_ids: str, check: bool = True) -> Outcome:
        """Delete entities; their past stays. Raises NotFound where one is not there, unless check is False."""
        if len(entity_ids) == 1 and check:
            self._link.send("DELETE", _place(entity_ids[0]))
            return Outcome(list(entity_ids))
        return self._batch("delete", entity_ids, check=check)

    def delete_attribute(self, entity_id: str, name: str) -> None:
        """Delete an attribute with all its instances. Raises NotFound."""
        place = f"{_place(entity_id)}/attrs/{quote(name, safe='')}"
        self._link.send("DELETE", place, parameters={"deleteAll": "true"})

    def _batch(
        self, operation: str, wanted: Sequence[Any], *, check: bool, parameters: Mapping[str, str] | None = None
    ) -> Outcome:
        outcome = Outcome()
        for start in range(0, len(wanted), BATCH):
            portion = wanted[start : start + BATCH]
            ids = [one if isinstance(one, str) else str(one.get("id", "")) for one in portion]
            outcome.take(ids, self._link.send("POST", f"{BATCHES}/{operation}", portion, parameters))
        if check:
            outcome.check()
        return outcome

    # Being told.

    def subscribe(
        self,
        query: Query | None = None,
        /,
        *,
        to: str,
        watch: Names | None = None,
        attributes: Names | None = None,
        form: Form = "normalized",
        name: str | None = None,
        every_s: float | None = None,
        throttle_s: float | None = None,
        until: Moment | None = None,
        headers: Mapping[str, str] | None = None,
        **asked: Unpack[Asked],
    ) -> Subscription:
        """Have changes of the entities that a query means told to an address: http, https, mqtt or mqtts.

        watch:      the attributes whose change is told of; left out: any.
        attributes: what is told of an entity; left out: all.
        every_s:    tell at this interval instead. throttle_s: tell at most this often. until: when it ends.
        headers:    sent to the address each time.
        """
        wish = Wish(to, watch, attributes, form, name, every_s, throttle_s, until, headers or {})
        body = wish.document(query or Query(**asked), to_us(self._clock()))
        location = self._link.send("POST", SUBSCRIPTIONS, body).headers["location"]
        return self.subscription(unquote(location.rpartition("/")[2]))

    def subscription(self, subscription_id: str) -> Subscription:
        """One subscription. Raises NotFound."""
        found = self._link.get(f"{SUBSCRIPTIONS}/{quote(subscription_id, safe=':')}").json()
        return Subscription(self._link, found)

    def subscriptions(self) -> list[Subscription]:
        """All of the tenant's."""
        answers = pages(lambda part: self._link.get(SUBSCRIPTIONS, part), BATCH)
        return [Subscription(self._link, one) for answer in answers for one in msgspec.json.decode(answer.content)]

    def _with(self, link: Link) -> City:
        other = copy(self)
        other._link = link
        return other

    def __repr__(self) -> str:
        said = [str(self._link.http.base_url).rstrip("/")]
        said += [f"tenant {one}" for name, one in self._link.headers.items() if name == "NGSILD-Tenant"]
        said += [f"names of {self._link.context}"] if self._link.context else []
        return f"<City {', '.join(said)}>"


def _place(entity_id: str) -> str:
    return f"{PATH}/{quote(entity_id, safe=':')}"


def _written(entity: Document) -> Mapping[str, Any]:
    return entity.to_dict() if isinstance(entity, Entity) else entity
