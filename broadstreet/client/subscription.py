"""Subscriptions: who is told of which changes, and how that goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from broadstreet.client.evolution import Moment, moment_us
from broadstreet.client.form import Form
from broadstreet.client.html import facts, table
from broadstreet.client.link import Link
from broadstreet.client.query import Names, Query
from broadstreet.model.clock import format_rfc3339, parse_rfc3339, to_datetime

PATH: Final = "/subscriptions"
TYPE: Final = "Subscription"


@dataclass(frozen=True)
class Wish:
    """What a subscription is to be, beside which entities it is about; as `City.subscribe` takes it."""

    to: str
    watch: Names | None
    attributes: Names | None
    form: Form
    name: str | None
    every_s: float | None
    throttle_s: float | None
    until: Moment | None
    headers: Mapping[str, str]

    def document(self, query: Query, now_us: int) -> dict[str, Any]:
        """As the standard writes it (5.2.12). Raises InvalidInput."""
        is_geojson = self.form == "geojson"
        endpoint: dict[str, Any] = {
            "uri": self.to,
            "accept": "application/geo+json" if is_geojson else "application/json",
        }
        if self.headers:
            endpoint["receiverInfo"] = [{"key": key, "value": value} for key, value in self.headers.items()]
        notification: dict[str, Any] = {"endpoint": endpoint, "format": "normalized" if is_geojson else self.form}
        if self.attributes is not None:
            notification["attributes"] = _listed(self.attributes)
        members = {
            "subscriptionName": self.name,
            "watchedAttributes": None if self.watch is None else _listed(self.watch),
            "timeInterval": self.every_s,
            "throttling": self.throttle_s,
            "expiresAt": None if self.until is None else format_rfc3339(moment_us(self.until, now_us, "until")),
        }
        given = {name: value for name, value in members.items() if value is not None}
        return {"type": TYPE, **query.subscription(), **given, "notification": notification}


def _listed(names: Names) -> list[str]:
    return names.split(",") if isinstance(names, str) else list(names)


class Subscription:
    """One of them, as it stood when it was asked for; `refresh` asks again."""

    def __init__(self, link: Link, document: Mapping[str, Any]) -> None:
        """document: as the house shows it."""
        self._link = link
        self._document = document

    @property
    def id(self) -> str:
        """Its URI."""
        return str(self._document["id"])

    @property
    def status(self) -> str:
        """active, paused or expired."""
        return str(self._document.get("status", ""))

    @property
    def to(self) -> str:
        """The address that is told."""
        return str(self._notification["endpoint"]["uri"])

    @property
    def sent(self) -> int:
        """How often it was told."""
        return int(self._notification.get("timesSent", 0))

    @property
    def failed(self) -> int:
        """How often telling failed."""
        return int(self._notification.get("timesFailed", 0))

    @property
    def last_notification(self) -> datetime | None:
        """When it was told last."""
        text = self._notification.get("lastNotification")
        return None if text is None else to_datetime(parse_rfc3339(text))

    def refresh(self) -> Subscription:
        """Ask how it stands now. Raises NotFound."""
        self._document = self._link.get(self._place).json()
        return self

    def update(self, **members: Any) -> Subscription:
        """Change members, by the standard's names, each as a whole; None takes one away."""
        self._link.send("PATCH", self._place, {"type": TYPE, **members})
        return self.refresh()

    def pause(self) -> Subscription:
        """Tell nobody until `resume`."""
        return self.update(isActive=False)

    def resume(self) -> Subscription:
        """Tell again."""
        return self.update(isActive=True)

    def delete(self) -> None:
        """End it."""
        self._link.send("DELETE", self._place)

    def to_dict(self) -> dict[str, Any]:
        """As the house shows it."""
        return dict(self._document)

    @property
    def _notification(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._document["notification"]
        return found

    @property
    def _place(self) -> str:
        return f"{PATH}/{quote(self.id, safe=':')}"

    def __repr__(self) -> str:
        return f"<Subscription {self.id} to {self.to}: {self.status}, told {self.sent:,} times>"

    def _repr_html_(self) -> str:
        said = {name: value for name, value in self._document.items() if name not in ("id", "type", "notification")}
        rows = list({**said, **self._notification}.items())
        return table(self.id, ("member", "value"), rows) + facts(
            {"told": f"{self.sent:,}", "failed": f"{self.failed:,}"}
        )
