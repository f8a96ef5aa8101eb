"""The forms of files that a plan is made from, known by their first bytes; and how large each may be.

Nothing here opens a file, or needs a package that does: who only takes files in asks here whether they are what their
names say, and whole.
"""

from __future__ import annotations

from typing import Final

from broadstreet.model.errors import InvalidInput

MAX_BYTES: Final = {
    "GPKG": 4_000_000_000,
    "ESRI Shapefile": 2_000_000_000,
    "GeoJSON": 100_000_000,
    "CSV": 200_000_000,
}
"""The largest file of each form. GeoJSON is read whole to find anything in it; the others feature by feature."""
SUFFIXES: Final = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".json": "GeoJSON", ".csv": "CSV"}
"""How files of layers are called."""
BEGINNING_BYTES: Final = 100
"""So much of a file says what it is, and how long: the header of an SQLite database, or of a Shapefile."""

_BEGINNINGS: Final = (
    ("GPKG", b"SQLite format 3\x00"),
    ("ESRI Shapefile", b"\x00\x00\x27\x0a"),
)
_UNPACK: Final = "Unpack it and give the layer that is in it, each as a file of its own; a workbook is saved as CSV."
_OTHERS: Final = (
    (b"PK\x03\x04", "a ZIP archive, or a workbook", _UNPACK),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"%PDF", "a PDF", "Export the layer from the program it is from."),
    (
        b"<",
        "a web page or XML",
        "Fetch the file itself: such a page mostly says why it could not be had.",
    ),
)


def form_of(name: str, beginning: bytes) -> str | None:
    """The form of a layer's file that is called so and begins so; None where it is not what its name says."""
    form = next((form for suffix, form in SUFFIXES.items() if name.lower().endswith(suffix)), None)
    found = next((kind for kind, begins in _BEGINNINGS if beginning.startswith(begins)), None)
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if found is None and text.startswith(b"{"):
        found = "GeoJSON"
    elif found is None and form == "CSV" and text and looks_like(beginning) is None:
        found = "CSV"
    return form if form == found else None


def looks_like(beginning: bytes) -> tuple[str, str] | None:
    """What a file looks like that is no layer, and what to do about it; None where nothing is known of it."""
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    for begins, what, remedy in _OTHERS:
        if text.startswith(begins):
            return what, remedy
    return ("no text", "Write it again from the program it is from.") if b"\x00" in beginning else None


def not_as_named(name: str, form: str | None, beginning: bytes, where: str) -> InvalidInput:
    """What is said of a file that is not what its name says. form: that its name says; None for a name of none."""
    other = looks_like(beginning)
    found = next((kind for kind, begins in _BEGINNINGS if beginning.startswith(begins)), None)
    if not beginning:
        seems, remedy = ": it is empty", "Write it again from the program it is from."
    elif found is not None:
        seems, remedy = f": it begins as {found} does", "Give it the name of what it is."
    elif other is not None:
        seems, remedy = f": it looks like {other[0]}", other[1]
    else:
        seems, remedy = "", "Write it again from the program it is from, or give it the name of what it is."
    if form is None:
        names = ", ".join(sorted(SUFFIXES))
        remedy = remedy if other is not None else f"Give one of {names}, written as its name says."
        return InvalidInput(f"this is not a layer in a form that is read here{seems}", where=where, remedy=remedy)
    return InvalidInput(f"this is not {form}, as its name says{seems}", where=where, remedy=remedy)


def check_whole(form: str, beginning: bytes, size: int, where: str) -> None:
    """Raises InvalidInput for a file that is shorter than its own header says. beginning: BEGINNING_BYTES of it."""
    told = _told_bytes(form, beginning)
    if size < told:
        raise InvalidInput(
            f"this {form} is cut short: by its header it has {told:,} bytes, and there are {size:,}",
            where=where,
            remedy="Copy or fetch it again, to the end.",
        )


def _told_bytes(form: str, beginning: bytes) -> int:
    """How long a file's own header says that it is; 0 where it does not say."""
    if len(beginning) < BEGINNING_BYTES:
        return BEGINNING_BYTES if form in ("GPKG", "ESRI Shapefile") else 0
    if form == "GPKG":
        # SQLite: the count of pages holds where the file was last changed by who also wrote it.
        if beginning[24:28] != beginning[92:96]:
            return 0
        page = int.from_bytes(beginning[16:18], "big")
        return (65_536 if page == 1 else page) * int.from_bytes(beginning[28:32], "big")
    if form == "ESRI Shapefile":
        return 2 * int.from_bytes(beginning[24:28], "big")  # in words of 16 bits
    return 0
