"""A choice of sites as files: GeoJSON for a map, CSV for a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from broadstreet.network.siting.place import Gateway, Place
from broadstreet.network.siting.statement import SitedSensor, SitingStatement

_COLUMNS = (
    "order",
    "place",
    "lon",
    "lat",
    "label",
    "kind",
    "cost",
    "connection",
    "why",
    "gain",
    "covered",
    "mean_variance",
    "spreading_factor",
    "spare_db",
)


def sites_geojson(statement: SitingStatement, today: Iterable[Place] = (), gateways: Iterable[Gateway] = ()) -> bytes:
    """A Point for each site in its order, with what it gains and costs; then today's sensors and the gateways."""
    features = [_feature((site.lon, site.lat), _row(order, site)) for order, site in enumerate(statement.sites, 1)]
    features += [_feature((place.lon, place.lat), {"today": place.id, "label": place.label}) for place in today]
    features += [_feature((one.lon, one.lat), {"gateway": one.id, "height_m": one.height_m}) for one in gateways]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def sites_csv(statement: SitingStatement) -> bytes:
    """A line for each site in its order; costs in the currency's own unit."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_rows(statement))
    return text.getvalue().encode()


def _rows(statement: SitingStatement) -> Iterator[dict[str, Any]]:
    for order, site in enumerate(statement.sites, 1):
        row = _row(order, site)
        # What begins like a formula would be one in a spreadsheet.
        yield {name: f"'{value}" if _is_formula(value) else value for name, value in row.items()}


def _row(order: int, site: SitedSensor) -> dict[str, Any]:
    values = (
        order,
        site.place,
        site.lon,
        site.lat,
        site.label,
        site.kind,
        f"{site.cents / 100:.2f}",
        site.connection.means.value,
        site.connection.why,
        site.gain,
        site.after.covered,
        site.after.mean_variance,
        site.connection.spreading_factor,
        site.connection.spare_db,
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _is_formula(value: object) -> bool:
    return isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")


def _feature(place: tuple[float, float], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": list(place)}, "properties": properties}
