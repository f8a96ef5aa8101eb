"""Which entities are meant, and what of them is wanted: the query of the standard with Python's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

import msgspec

from broadstreet.model.errors import InvalidInput

_encode: Final = msgspec.json.Encoder().encode
Names = str | Sequence[str]
"""One name, or several."""
Place = tuple[float, float]
"""Longitude and latitude, in degrees."""


class Asked(TypedDict, total=False):
    """The fields of a `Query`, as keywords."""

    type: Names
    id: Names
    id_pattern: str
    q: str
    near: tuple[float, float, float]
    within: Any
    scope: str
    attrs: Names
    pick: Names
    omit: Names
    order_by: Names
    order_from: Place
    lang: str
    dataset_id: Names
    join: str
    join_level: int
    with_times: bool


@dataclass(frozen=True)
class Query:
    """type:       types, of which an entity has one; or the standard's own expression, such as `A;B` for both.
    q:          conditions, such as `NO2>40;street~="^Kirj"`.
    near:       longitude, latitude and how many metres from there at most.
    within:     a GeoJSON geometry, or what can say itself as one, such as shapely's.
    scope:      a query over scopes, such as `/Helsinki/#`.
    attrs:      attributes: an entity has one of them, and only these are wanted. pick, omit: what is wanted alone.
    order_by:   such as `name`, `NO2;desc`, or `location;dist-asc` with order_from.
    join:       `inline` or `flat`: entities that relationships lead to, join_level links deep.
    with_times: when things were written first and last, too.
    """

    type: Names | None = None
    id: Names | None = None
    id_pattern: str | None = None
    q: str | None = None
    near: tuple[float, float, float] | None = None
    within: Any = None
    scope: str | None = None
    attrs: Names | None = None
    pick: Names | None = None
    omit: Names | None = None
    order_by: Names | None = None
    order_from: Place | None = None
    lang: str | None = None
    dataset_id: Names | None = None
    join: str | None = None
    join_level: int | None = None
    with_times: bool = False

    def parameters(self) -> dict[str, str]:
        """As the parameters of a request. Raises InvalidInput."""
        given = {
            "type": _joined(self.type),
            "id": _joined(self.id),
            "idPattern": self.id_pattern,
            "q": self.q,
            "scopeQ": self.scope,
            "attrs": _joined(self.attrs),
            "pick": _joined(self.pick),
            "omit": _joined(self.omit),
            "orderBy": _joined(self.order_by),
            "orderFrom": None if self.order_from is None else _encode(list(self.order_from)).decode(),
            "lang": self.lang,
            "datasetId": _joined(self.dataset_id),
            "join": self.join,
            "joinLevel": None if self.join_level is None else str(self.join_level),
            "options": "sysAttrs" if self.with_times else None,
        }
        geometry = self.geometry()
        if geometry is not None:
            given |= {**geometry, "coordinates": _encode(geometry["coordinates"]).decode()}
        elif all(given[name] is None for name in ("type", "id", "idPattern", "q", "scopeQ", "attrs")):
            given["local"] = "true"  # everything there is: the standard asks that this be said
        return {name: value for name, value in given.items() if value is not None}

    def geometry(self) -> dict[str, Any] | None:
        """near or within as the standard's geoQ. Raises InvalidInput."""
        if self.near is not None and self.within is not None:
            raise InvalidInput("near and within do not go together", where="within", remedy="Ask twice.")
        if self.near is not None:
            lon, lat, metres = self.near
            return {"georel": f"near;maxDistance=={metres}", "geometry": "Point", "coordinates": [lon, lat]}
        if self.within is None:
            return None
        shape = getattr(self.within, "__geo_interface__", self.within)
        if not isinstance(shape, Mapping) or "type" not in shape or "coordinates" not in shape:
            raise InvalidInput("within is a GeoJSON geometry", where="within", remedy="It has type and coordinates.")
        return {"georel": "within", "geometry": shape["type"], "coordinates": shape["coordinates"]}

    def subscription(self) -> dict[str, Any]:
        """As the members of a subscription that say which entities are meant. Raises InvalidInput."""
        members: dict[str, Any] = {}
        if self.type is not None or self.id is not None or self.id_pattern is not None:
            selector = {"type": _joined(self.type) or "*", "idPattern": self.id_pattern}
            ids: Sequence[str | None] = [self.id] if self.id is None or isinstance(self.id, str) else self.id
            each = [{**selector, "id": one} for one in ids]
            members["entities"] = [{name: value for name, value in one.items() if value is not None} for one in each]
        members |= {name: value for name, value in (("q", self.q), ("scopeQ", self.scope)) if value is not None}
        geometry = self.geometry()
        return members if geometry is None else {**members, "geoQ": geometry}


def _joined(names: Names | None) -> str | None:
    return names if names is None or isinstance(names, str) else ",".join(names)
