"""The features of an OpenStreetMap extract, as plain columns: ids, shapes and the tags that are asked for.

pyrosm reads the PBF into frames. Ways and relations are read apart: read together, pyrosm leaves out each way that is a
member of a relation found. An extract is read whole into memory, so its size has a bound.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from shapely.geometry.base import BaseGeometry

from broadstreet.city.bounds import MAX_EXTRACT_BYTES as MAX_EXTRACT_BYTES
from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.model.geometry import Box

Row = dict[str, str]
"""The tags of one feature that were asked for; one it lacks is ''."""
Wanted = Mapping[str, bool | list[str]]
"""Which features: for a key any value (True), or one of these."""


@dataclass(frozen=True, slots=True)
class Features:
    """Features of an extract: `ids` as OpenStreetMap has them (`way/25413715`), shapes in WGS 84 degrees, one column a
    key; `header`: the bounds that the file states."""

    ids: list[str]
    shapes: list[BaseGeometry]
    tags: dict[str, list[str]]
    header: Box | None

    def rows(self) -> Iterator[tuple[Row, BaseGeometry]]:
        """Each feature's tags and its shape."""
        columns = self.tags.values()
        for shape, *values in zip(self.shapes, *columns, strict=True):
            yield dict(zip(self.tags, values, strict=True)), shape


def read_features(path: Path, single: Wanted, joined: Wanted, keys: Sequence[str]) -> Features:
    """Reads an OSM PBF file: nodes and ways that have what `single` asks for, relations that have what `joined` does.

    Raises NotFound if there is no such file, TooLarge over the bound, and InvalidInput if it is not a whole OSM PBF.
    """
    if not path.is_file():
        raise NotFound(
            "there is no such map file", where=str(path), remedy="Give the path of an OpenStreetMap extract, *.osm.pbf."
        )
    if (size := path.stat().st_size) > MAX_EXTRACT_BYTES:
        raise TooLarge(
            f"an extract of {size / 1e6:.0f} MB is over the bound of {MAX_EXTRACT_BYTES / 1e6:.0f} MB",
            where=str(path),
            remedy="Cut the city out of it first, for instance: osmium extract --bbox WEST,SOUTH,EAST,NORTH.",
        )
    # Loaded by who reads an extract: with it come pandas and geopandas, for half a second.
    import pyrosm
    from google.protobuf.message import DecodeError
    from pyrosm.exceptions import InvalidOSMFileError, PBFException, PBFNotImplemented
    from pyrosm.utils import get_bounding_box

    try:
        header = get_bounding_box(str(path))
        with warnings.catch_warnings():
            # Said where nothing matches; who asked says it better.
            warnings.filterwarnings("ignore", "Could not find any OSM data", UserWarning)
            file = pyrosm.OSM(str(path), keep_metadata=False, progress=False)
            asked: Any = partial(
                file.get_data_by_custom_criteria,
                filter_type="keep",
                tags_as_columns=list(keys),
                keep_other_tags=False,
            )
            frames = [asked(single, keep_relations=False), asked(joined, keep_nodes=False, keep_ways=False)]
    except (InvalidOSMFileError, PBFException, PBFNotImplemented, DecodeError) as error:
        raise InvalidInput(
            f"this is not a whole OpenStreetMap extract: {_reason(error)}",
            where=str(path),
            remedy="Fetch the file again, in the PBF form (*.osm.pbf).",
        ) from error
    found = Features([], [], {key: [] for key in keys}, Box(*header.bounds) if header is not None else None)
    for frame in frames:
        if frame is not None:
            _add(found, frame)
    return found


def _add(found: Features, frame: Any) -> None:
    """The rows of a frame of pyrosm's that have a shape."""
    shapes = frame.geometry.to_numpy()
    kept = [shape is not None and not shape.is_empty for shape in shapes]
    found.shapes.extend(shape for shape, keep in zip(shapes, kept, strict=True) if keep)
    named = zip(frame["osm_type"], frame["id"], kept, strict=True)
    found.ids.extend(f"{kind}/{number}" for kind, number, keep in named if keep)
    for key, column in found.tags.items():
        values = frame[key].tolist() if key in frame.columns else [""] * len(frame)
        column.extend(value if isinstance(value, str) else "" for value, keep in zip(values, kept, strict=True) if keep)


def _reason(error: Exception) -> str:
    """What pyrosm found: the last words in brackets, after its lines about the form in general."""
    from google.protobuf.message import DecodeError

    if isinstance(error, DecodeError):
        return "it is cut short or damaged"
    if "BlobHeader size" in str(error):
        return "it does not begin as one, whatever its name says"
    found = re.search(r"\(([^()]*)\)\.?$", str(error))
    return found[1] if found else str(error)
