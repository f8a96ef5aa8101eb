"""GeoJSON (RFC 7946): a feature for each entity, where it stands and what it is now.

`properties` has the entity's `type`, `title` and `street`, and for each attribute its newest value under its name, with
`<name>_unit_code` and `<name>_observed_at` beside it where they are known; an attribute's further instance is called
`<name>@<instance>`. A feature without a place has the geometry null.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
import polars as pl

from broadstreet.exports.form import Form
from broadstreet.exports.lines import with_times

_encode = msgspec.json.encode


class GeoJson(Form):
    """A FeatureCollection. The rows of an entity come together, in one piece."""

    def __init__(self) -> None:
        self._is_first = True

    def begin(self) -> bytes:
        """Up to the features."""
        return b'{"type":"FeatureCollection","features":['

    def rows(self, frame: pl.DataFrame) -> bytes:
        """Features."""
        rows = with_times(frame).iter_rows(named=True)
        features = [_encode(_feature(list(of_one))) for _, of_one in groupby(rows, itemgetter("entity"))]
        lead = b"\n" if self._is_first else b",\n"
        self._is_first = self._is_first and not features
        return lead + b",\n".join(features) if features else b""

    def end(self) -> bytes:
        """Behind the features."""
        return b"\n]}\n"


def _feature(rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = rows[0]
    properties: dict[str, Any] = {"type": first["type"], "title": first["title"], "street": first["street"]}
    for row in rows:
        if row["kind"] == "GeoProperty":
            continue
        name = row["attribute"] + (f"@{row['instance']}" if row["instance"] else "")
        value = row["number"] if row["number"] is not None else msgspec.Raw((row["value"] or "null").encode())
        properties[name] = value
        for of in ("unit_code", "observed_at"):
            if row[of] is not None:
                properties[f"{name}_{of}"] = row[of]
    geometry = next((row["geometry"] for row in rows if row["geometry"]), "null")
    return {
        "type": "Feature",
        "id": first["entity"],
        "geometry": msgspec.Raw(geometry.encode()),
        "properties": properties,
    }
