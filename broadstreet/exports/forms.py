"""The formats: rows as columns go in, bytes come out, piece by piece; what was begun is always ended as a whole file.

csv      RFC 4180 (lines.py)
ndjson   an object a line (lines.py)
arrow    Apache Arrow's IPC stream (columnar.py)
parquet  Apache Parquet (columnar.py)
geojson  RFC 7946: a feature for each entity (features.py)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from broadstreet.exports.columnar import Arrow, Parquet
from broadstreet.exports.features import GeoJson
from broadstreet.exports.form import Form
from broadstreet.exports.lines import Csv, Ndjson

if TYPE_CHECKING:
    from broadstreet.exports.wish import Wish

MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}


def form_of(wish: Wish, columns: Mapping[str, Any]) -> Form:
    """The format that is wished for, at work on a file of these columns."""
    match wish.format:
        case "csv":
            return Csv(columns, verbatim=wish.verbatim)
        case "ndjson":
            return Ndjson()
        case "arrow":
            return Arrow(columns)
        case "parquet":
            return Parquet(columns)
        case "geojson":
            return GeoJson()
