"""Subscriptions as they are shown (5.2.12, 5.2.14, 5.2.15 of the standard), by the names of an asker's @context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from broadstreet.context.expression import AllOf, AnyOf, Expression, One, render
from broadstreet.context.query_language import Path, Query, is_query_name, render_query
from broadstreet.context.subscription import DEFAULT_TRIGGERS, ENTITY_MEMBERS, TYPE, query_of, types_of
from broadstreet.context.vocabulary import Vocabulary
from broadstreet.model.clock import format_rfc3339

_SECRETS: Final = ("receiverInfo", "notifierInfo")


class Subscription(msgspec.Struct, frozen=True):
    """A subscription that is kept. document: as subscription.py reads one. jsonld_context: the address of the @context
    that its notifications speak, a path where it stands here; context_id: its id, where it was kept for this alone."""

    id: str
    document: dict[str, Any]
    jsonld_context: str
    context_id: str | None
    created_at_us: int
    modified_at_us: int
    is_active: bool
    expires_at_us: int | None
    times_sent: int = 0
    times_failed: int = 0
    last_notification_us: int | None = None
    last_success_us: int | None = None
    last_failure_us: int | None = None
    failure: str | None = None
    """Why the last notification that failed did."""
    dropped: int = 0
    """Entities that were not delivered: given up, or without room to wait in."""

    def status(self, now_us: int) -> Literal["active", "paused", "expired"]:
        """Whether it is to be served."""
        if self.expires_at_us is not None and self.expires_at_us <= now_us:
            return "expired"
        return "active" if self.is_active else "paused"


@dataclass(frozen=True)
class SubscriptionPresentation:
    """How subscriptions are shown.

    base: the address of this house, before paths. with_times: createdAt and modifiedAt as well. with_secrets: what
    opens the receiver's door as well: headers, and the user in an address.
    """

    vocabulary: Vocabulary
    now_us: int
    base: str = ""
    with_times: bool = False
    with_secrets: bool = False

    def show(self, kept: Subscription) -> dict[str, Any]:
        """One of them."""
        names = self._names
        shown: dict[str, Any] = {"id": kept.id, "type": TYPE, **kept.document}
        for name in ("q", "csf"):
            if name in shown:
                shown[name] = self._query(shown[name])
        if "entities" in shown:
            shown["entities"] = [
                {**one, "type": self._types(types_of(one["type"]))} for one in kept.document["entities"]
            ]
        if "watchedAttributes" in shown:
            shown["watchedAttributes"] = names(shown["watchedAttributes"])
        if "timeInterval" not in shown:
            shown.setdefault("notificationTrigger", list(DEFAULT_TRIGGERS))
        if "geoproperty" in shown.get("geoQ", {}):
            shown["geoQ"] = {**shown["geoQ"], "geoproperty": self.vocabulary.compact(shown["geoQ"]["geoproperty"])}
        shown["notification"] = self._notification(kept)
        is_here = kept.jsonld_context.startswith("/")
        shown["jsonldContext"] = self.base + kept.jsonld_context if is_here else kept.jsonld_context
        shown["status"] = kept.status(self.now_us)
        if self.with_times:
            shown["createdAt"] = format_rfc3339(kept.created_at_us)
            shown["modifiedAt"] = format_rfc3339(kept.modified_at_us)
        return shown

    def _notification(self, kept: Subscription) -> dict[str, Any]:
        shown = dict(kept.document["notification"])
        for name in ("attributes", "pick", "omit"):
            if name in shown:
                shown[name] = self._names(shown[name])
        shown["endpoint"] = self._endpoint(shown["endpoint"])
        if kept.times_sent or kept.times_failed:
            has_failed = (kept.last_failure_us or 0) > (kept.last_success_us or 0)
            shown["status"] = "failed" if has_failed else "ok"
            shown["timesSent"], shown["timesFailed"] = kept.times_sent, kept.times_failed
        for name, at_us in (
            ("lastNotification", kept.last_notification_us),
            ("lastSuccess", kept.last_success_us),
            ("lastFailure", kept.last_failure_us),
        ):
            if at_us is not None:
                shown[name] = format_rfc3339(at_us)
        if kept.failure is not None and shown.get("status") == "failed":
            shown["failure"] = kept.failure
        if kept.dropped:
            shown["dropped"] = kept.dropped
        return shown

    def _endpoint(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        if self.with_secrets:
            return dict(kept)
        parts = urlsplit(kept["uri"])
        shown = {name: value for name, value in kept.items() if name not in _SECRETS}
        shown["uri"] = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return shown

    def _names(self, iris: list[str]) -> list[str]:
        return [iri if iri in ENTITY_MEMBERS else self.vocabulary.compact(iri) for iri in iris]

    def _types(self, types: Expression[str] | None) -> str:
        return "*" if types is None else render(types, self.vocabulary.compact)

    def _query(self, kept: Mapping[str, Any]) -> str:
        """A q by the asker's names; as it was written where one of its attributes has no name that can stand in a q."""
        named = {name: self.vocabulary.compact(iri) for name, iri in kept["names"].items()}
        if all(name == said for name, said in named.items()) or not all(map(is_query_name, named.values())):
            return str(kept["text"])
        return render_query(_renamed(query_of(kept)[0], named))


def _renamed(query: Query, names: Mapping[str, str]) -> Query:
    if isinstance(query, One):
        term = query.leaf
        path = Path(tuple(names[name] for name in term.path.names), term.path.keys)
        subquery = term.subquery
        if subquery is not None:
            types = tuple(names[name] for name in subquery.types)
            subquery = replace(subquery, types=types, query=_renamed(subquery.query, names))
        return One(replace(term, path=path, subquery=subquery))
    parts = tuple(_renamed(part, names) for part in query.parts)
    return AllOf(parts) if isinstance(query, AllOf) else AnyOf(parts)
