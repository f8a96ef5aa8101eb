"""Data frames of pandas, which is asked for here alone and only when one is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from broadstreet.client.entity import Entity
from broadstreet.client.evolution import Series
from broadstreet.model.errors import OperationNotSupported

if TYPE_CHECKING:
    import pandas


def frame_of_entities(entities: Iterable[Entity]) -> pandas.DataFrame:
    """A row for each: its id is the index, then type, lon, lat and what the default instance of each attribute says."""
    rows = []
    for entity in entities:
        lon, lat = entity.lonlat or (None, None)
        row = {"id": entity.id, "type": entity.type, "lon": lon, "lat": lat}
        names = (name for name in entity if name != "location" or entity.lonlat is None)
        rows.append({**row, **{name: entity[name].value for name in names}})
    frame = _pandas().DataFrame(rows, columns=None if rows else ["id", "type", "lon", "lat"])
    return frame.set_index("id")


def frame_of_series(series: Iterable[Series], *, by_entity: bool, by_method: bool) -> pandas.DataFrame:
    """A column for each series, time as the index. A column is called by its attribute, with `@` and its dataset where
    it has one; by_entity: below its entity; by_method: above its method."""
    pandas = _pandas()
    columns = {}
    for one in series:
        name = one.attribute if one.dataset_id is None else f"{one.attribute}@{one.dataset_id}"
        label = (*((one.entity,) if by_entity else ()), name, *((one.method or "",) if by_method else ()))
        index = pandas.to_datetime(one.times_us, unit="us", utc=True)
        column = pandas.Series(one.values, index=index, dtype=None if one.values else object)
        columns[label] = column[~column.index.duplicated(keep="last")]
    levels = [*(["entity"] if by_entity else []), "attribute", *(["method"] if by_method else [])]
    return _put_together(pandas, columns, levels)


def _put_together(pandas: Any, columns: dict[tuple[str, ...], Any], levels: Sequence[str]) -> Any:
    nothing = pandas.DataFrame(index=pandas.to_datetime([], utc=True))
    frame = pandas.concat(columns, axis=1, sort=True) if columns else nothing
    if len(levels) == 1:
        frame.columns = pandas.Index([label[0] for label in columns], name=levels[0])
    else:
        frame.columns = pandas.MultiIndex.from_tuples(list(columns), names=levels)
    frame.index.name = "time"
    return frame


def _pandas() -> Any:
    try:
        return import_module("pandas")
    except ImportError:
        raise OperationNotSupported("a data frame needs pandas", remedy="Install it: pip install pandas.") from None
