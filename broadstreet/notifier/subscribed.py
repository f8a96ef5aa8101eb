"""A subscription made ready to be asked of every change: whom it is about, what makes it fire, what must hold.

What it is about decides where the directory files it; `fires` looks at what happened; `holds` at the entity. A question
that only the database can answer (`question`) is asked there, of all entities of a batch at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from broadstreet.context import (
    CORE,
    GeoQuery,
    Selection,
    Selector,
    Vocabulary,
    parse_coordinates,
    parse_georel,
    parse_scope_query,
)
from broadstreet.context.bounds import MAX_LIMIT
from broadstreet.context.condition import Condition, Needs, condition_of, needs_of
from broadstreet.context.expression import AllOf, Expression, One
from broadstreet.context.representation import EntityRow
from broadstreet.context.selection import types_hold
from broadstreet.context.subscription import DEFAULT_TRIGGERS, query_of, types_of
from broadstreet.model.clock import US_PER_S
from broadstreet.notifier.event import CAME, WENT
from broadstreet.notifier.frame import Frame
from broadstreet.notifier.look import Look
from broadstreet.notifier.state import Moment

ENTITY_UPDATED: Final = "entityUpdated"
ENTITY_CREATED, ENTITY_DELETED = "entityCreated", "entityDeleted"
ATTRIBUTE_CREATED, ATTRIBUTE_UPDATED, ATTRIBUTE_DELETED = "attributeCreated", "attributeUpdated", "attributeDeleted"
DEFAULT_TIMEOUT_S: Final = 10.0
MAX_TIMEOUT_S: Final = 60.0
"""How long a receiver may take, whatever it asks for."""
_ATTRIBUTE_TRIGGERS: Final = frozenset({ATTRIBUTE_CREATED, ATTRIBUTE_UPDATED, ATTRIBUTE_DELETED})


@dataclass(frozen=True)
class Wanted:
    """Entities by id or type; None: any. id_pattern: a regular expression, for the database to tell."""

    ids: frozenset[str] | None = None
    id_pattern: str | None = None
    types: Expression[str] | None = None

    def takes(self, types: Sequence[str]) -> bool:
        """Whether entities of these types are meant."""
        return types_hold(self.types, types)


ANY: Final = Wanted()
"""Whatever there is."""


@dataclass(frozen=True)
class Receiver:
    """Where notifications go. settings: how they get there (notifierInfo)."""

    url: str
    timeout_s: float
    cooldown_s: float
    settings: Mapping[str, str]

    @property
    def is_mqtt(self) -> bool:
        """Whether it is an MQTT server."""
        return urlsplit(self.url).scheme.startswith("mqtt")

    @property
    def topic(self) -> str:
        """The topic that its address ends with."""
        return unquote(urlsplit(self.url).path.lstrip("/"))


@dataclass(frozen=True, eq=False)
class Subscribed:
    """A subscription.

    since_us: what changed before that it is not told. ends_at_us: when it ends. question: what of its q only the
    database can answer. needs: without what its q does not hold. everything: all that it is about, where it is
    told of that from time to time (interval_us).
    """

    key: int
    id: str
    since_us: int
    ends_at_us: int | None
    wanted: tuple[Wanted, ...]
    watched: frozenset[str] | None
    triggers: frozenset[str]
    dataset_ids: frozenset[str] | None
    condition: Condition | None
    question: Selection | None
    needs: Needs | None
    geo: GeoQuery | None
    scopes: Callable[[Sequence[str]], bool] | None
    everything: Selection | None
    look: Look
    frame: Frame
    receiver: Receiver
    throttling_us: int
    interval_us: int | None
    last_told_us: int | None

    @classmethod
    def of(cls, row: Mapping[str, Any], vocabulary: Vocabulary, context: str, looks: dict[object, Look]) -> Subscribed:
        """From its row.

        context: the address of the @context that its notifications speak. looks: those of others, so that whoever wants
        to be shown the same has the same.
        """
        document = row["document"]
        look = Look.of(document, vocabulary, context)
        look = looks.setdefault(look.alike, look)
        condition, question, needed = _asked(document)
        throttling_s, interval_s = document.get("throttling", 0), document.get("timeInterval")
        endpoint = document["notification"]["endpoint"]
        headers = {pair["key"]: pair["value"] for pair in endpoint.get("receiverInfo", ())}
        datasets = document.get("datasetId")
        watched = document.get("watchedAttributes")
        return cls(
            key=row["key"],
            id=row["id"],
            since_us=row["active_since"],
            ends_at_us=row["expires_at"],
            wanted=tuple(_wanted(one) for one in document.get("entities", ())),
            watched=None if watched is None else frozenset(watched),
            triggers=_triggers(document.get("notificationTrigger", DEFAULT_TRIGGERS)),
            dataset_ids=None if datasets is None else frozenset("" if one == "@none" else one for one in datasets),
            condition=condition,
            question=question,
            needs=needed,
            geo=_geo(document),
            scopes=_scopes(document.get("scopeQ")),
            look=look,
            frame=Frame(row["id"], look.media_type, context, headers),
            receiver=_receiver(endpoint),
            everything=None if interval_s is None else _everything(document),
            throttling_us=round(throttling_s * US_PER_S),
            interval_us=None if interval_s is None else max(1, round(interval_s * US_PER_S)),
            last_told_us=row["last_notification"],
        )

    def watches(self, name: str) -> bool:
        """Whether a change of an attribute is looked at."""
        return self.watched is None or name in self.watched

    def fires(self, moment: Moment) -> frozenset[int] | None:
        """The series of the deletions that it is to be told of; None where it is not to be told at all."""
        fired, told, is_about = False, set(), self.watched is None
        triggers = self.triggers
        created = {change.series_key for change in moment.event.changes if change.is_created}
        for series_key, row in (*moment.changed.items(), *moment.gone.items()):
            if not self.watches(row.name) or (self.dataset_ids is not None and row.dataset_id not in self.dataset_ids):
                continue
            is_about = True
            if series_key in moment.gone:
                trigger = ATTRIBUTE_DELETED
            else:
                trigger = ATTRIBUTE_CREATED if series_key in created else ATTRIBUTE_UPDATED
            if trigger in triggers:
                fired = True
                if trigger == ATTRIBUTE_DELETED:
                    told.add(series_key)
        if is_about and (
            (moment.event.operation == CAME and ENTITY_CREATED in triggers)
            or (moment.event.operation == WENT and ENTITY_DELETED in triggers)
        ):
            fired = True
        return frozenset(told) if fired else None

    def holds(self, entity: EntityRow) -> bool:
        """Whether what it asks of an entity holds, as far as can be told without the database."""
        if self.scopes is not None and not self.scopes(entity.scopes):
            return False
        if self.condition is not None and not self.condition(entity):
            return False
        return self.geo is None or _is_placed(entity, self.geo)


def _triggers(named: Sequence[str]) -> frozenset[str]:
    """entityUpdated stands for all that may happen to attributes (5.2.12)."""
    return frozenset(named) | (_ATTRIBUTE_TRIGGERS if ENTITY_UPDATED in named else frozenset())


def _wanted(selector: Mapping[str, Any]) -> Wanted:
    ids = selector.get("id")
    return Wanted(
        None if ids is None else frozenset([ids] if isinstance(ids, str) else ids),
        selector.get("idPattern"),
        types_of(selector["type"]),
    )


def _asked(document: Mapping[str, Any]) -> tuple[Condition | None, Selection | None, Needs | None]:
    if "q" not in document:
        return None, None, None
    query, vocabulary = query_of(document["q"])
    condition = condition_of(query, vocabulary)
    question = None if condition is not None else Selection(query=query, vocabulary=vocabulary)
    return condition, question, needs_of(query, vocabulary)


def _everything(document: Mapping[str, Any]) -> Selection:
    """All entities that it is about."""
    query, vocabulary = query_of(document["q"]) if "q" in document else (None, CORE)
    scopes = document.get("scopeQ")
    wanted = map(_wanted, document.get("entities", ()))
    return Selection(
        selectors=tuple(Selector(tuple(sorted(one.ids or ())), one.id_pattern, one.types) for one in wanted),
        query=query,
        geo=_geo(document),
        scopes=None if scopes is None else parse_scope_query(scopes),
        vocabulary=vocabulary,
        limit=MAX_LIMIT,
    )


def _geo(document: Mapping[str, Any]) -> GeoQuery | None:
    asked = document.get("geoQ")
    if asked is None:
        return None
    geometry = parse_coordinates(asked["geometry"], asked["coordinates"])
    return parse_georel(asked["georel"], geometry, asked.get("geoproperty") or CORE.expand("location"))


def _is_placed(entity: EntityRow, geo: GeoQuery) -> bool:
    places = [one.value for one in entity.attributes if one.name == geo.geo_property and one.value is not None]
    return bool(places) and bool(geo.matches(places).any())


def _scopes(text: str | None) -> Callable[[Sequence[str]], bool] | None:
    if text is None:
        return None
    return _scope_test(parse_scope_query(text))


def _scope_test(expression: Expression[str]) -> Callable[[Sequence[str]], bool]:
    if isinstance(expression, One):
        pattern = re.compile(expression.leaf)
        return lambda scopes: any(map(pattern.search, scopes))
    parts = [_scope_test(part) for part in expression.parts]
    if isinstance(expression, AllOf):
        return lambda scopes: all(part(scopes) for part in parts)
    return lambda scopes: any(part(scopes) for part in parts)


def _receiver(endpoint: Mapping[str, Any]) -> Receiver:
    timeout_s = min(endpoint.get("timeout", DEFAULT_TIMEOUT_S * 1_000) / 1_000, MAX_TIMEOUT_S)
    settings = {pair["key"]: pair["value"] for pair in endpoint.get("notifierInfo", ())}
    return Receiver(endpoint["uri"], timeout_s, endpoint.get("cooldown", 0) / 1_000, settings)
