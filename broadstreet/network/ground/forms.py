"""The forms of files that a plan is made from, known by their first bytes; and how large each may be.

Nothing here opens a file, or needs a package that does: who only takes files in asks here whether they are what their
names say.
"""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = {
    "GPKG": 4_000_000_000,
    "ESRI Shapefile": 2_000_000_000,
    "GeoJSON": 100_000_000,
    "CSV": 200_000_000,
}
"""The largest file of each form. GeoJSON is read whole to find anything in it; the others feature by feature."""
SUFFIXES: Final = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".json": "GeoJSON", ".csv": "CSV"}
"""How files of layers are called."""

_BEGINNINGS: Final = (
    ("GPKG", b"SQLite format 3\x00"),
    ("ESRI Shapefile", b"\x00\x00\x27\x0a"),
)


def form_of(name: str, beginning: bytes) -> str | None:
    """The form of a layer's file that is called so and begins so; None where it is not what its name says."""
    form = next((form for suffix, form in SUFFIXES.items() if name.lower().endswith(suffix)), None)
    found = next((kind for kind, begins in _BEGINNINGS if beginning.startswith(begins)), None)
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if found is None and text.startswith(b"{"):
        found = "GeoJSON"
    elif found is None and form == "CSV" and text and not text.startswith(b"<"):
        found = "CSV"
    return form if form == found else None
