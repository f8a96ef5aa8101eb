"""Rows of an export, as columns: what the formats write down. The first columns say of what a row is.

    history   … observed_at, number, value, sub_attributes, origin, recorded_at, corrected_at, simulated
    summed    … from, to, and a column for each method
    entities  … kind, observed_at, modified_at, number, value, sub_attributes, origin, simulated, geometry

`number` is a number, and `value` any other JSON value as text; both are null for the JSON null. `unit_code` is of
UN/CEFACT, `unit` what people write. `origin` says what wrote (a pack of a device's messages, an API, an import).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from broadstreet.history import Method, origins_of
from broadstreet.history.columns import TIME
from broadstreet.model.entity import Kind
from broadstreet.model.naming import NAME, called
from broadstreet.model.terms import compact, expand
from broadstreet.model.units import unit
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store import Terms
    from broadstreet.store.database import Connection

ADDRESS: Final = expand("address")
LOCATION: Final = expand("location")
UNIT: Final = "unitCode"
_OF: Final = dict.fromkeys(("entity", "title", "type", "street", "attribute", "instance"), pl.String)
_UNITS: Final = dict.fromkeys(("unit", "unit_code", "dataset"), pl.String)
_VALUE: Final = {"number": pl.Float64, "value": pl.String, "sub_attributes": pl.String, "origin": pl.String}
_TIMES: Final = {"recorded_at": TIME, "corrected_at": TIME}
HISTORY: Final[dict[str, Any]] = {
    **_OF,
    **_UNITS,
    "observed_at": TIME,
    **_VALUE,
    **_TIMES,
    "simulated": pl.Boolean,
}
ENTITIES: Final[dict[str, Any]] = {
    **_OF,
    **_UNITS,
    "kind": pl.String,
    "observed_at": TIME,
    "modified_at": TIME,
    **_VALUE,
    "simulated": pl.Boolean,
    "geometry": pl.String,
}
_WHOLE: Final = frozenset({Method.TOTAL_COUNT, Method.DISTINCT_COUNT})
_KINDS: Final = {int(kind): kind.type_name for kind in Kind}
_SQL = load_queries("export")
_json = msgspec.json.Encoder(order="deterministic").encode


def summed_columns(methods: Sequence[Method]) -> dict[str, Any]:
    """The columns of what is summed up by these methods."""
    sums = {str(method): pl.Int64 if method in _WHOLE else pl.Float64 for method in methods}
    return {**_OF, **_UNITS, "from": TIME, "to": TIME, **sums}


class Labels:
    """What the series of some entities are called: a row a series, which joins what was read of it."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.series_keys: list[int] = frame["series_key"].to_list()

    @classmethod
    async def read(
        cls,
        connection: Connection,
        terms: Terms,
        entity_keys: Sequence[int],
        attributes: Sequence[int] | None,
        dataset: str | None,
    ) -> Labels:
        """Of entities, by attribute and dataset."""
        known = await terms.find([NAME, ADDRESS])
        name_key, address_key = known.get(NAME, 0), known.get(ADDRESS, 0)
        chosen = None if attributes is None else list(attributes)
        rows = await connection.fetch(_SQL["series"], list(entity_keys), chosen, dataset, name_key, address_key)
        iris = await terms.iris({key for row in rows for key in (row["type_key"], row["term_key"])}, connection)
        metas = await read_metas(connection, {row["meta_key"] for row in rows})
        return cls(_labels(rows, iris, metas))

    def of(self, frame: pl.DataFrame, columns: Mapping[str, Any]) -> pl.DataFrame:
        """What was read of series, with their labels, as these columns."""
        mine = [name for name in self.frame.columns if name not in frame.columns or name == "series_key"]
        joined = frame.join(self.frame.select(mine), on="series_key", how="left", maintain_order="left")
        return joined.select(pl.col(name).cast(kind) for name, kind in columns.items())


def _labels(
    rows: Sequence[asyncpg.Record], iris: Mapping[int, str], metas: Mapping[int, dict[str, Any]]
) -> pl.DataFrame:
    units = [metas.get(row["meta_key"], {}).get(UNIT) for row in rows]
    columns: dict[str, list[Any]] = {
        "series_key": [row["key"] for row in rows],
        "entity": [row["id"] for row in rows],
        "title": [called(row["name"], row["id"]) for row in rows],
        "type": [compact(iris[row["type_key"]]) for row in rows],
        "street": [_street(row["address"]) for row in rows],
        "attribute": [compact(iris[row["term_key"]]) for row in rows],
        "instance": [row["dataset_id"] for row in rows],
        "unit": [_symbol(code) for code in units],
        "unit_code": [code if isinstance(code, str) else None for code in units],
        "dataset": [row["dataset"] for row in rows],
        "made_up": [bool(row["simulated"]) for row in rows],
    }
    return pl.DataFrame(columns, {"series_key": pl.Int32, **_OF, **_UNITS, "made_up": pl.Boolean})


def _street(address: Any) -> str | None:
    if isinstance(address, dict):
        address = address.get("streetAddress")
    return address if isinstance(address, str) else None


def _symbol(code: Any) -> str | None:
    return unit(code).symbol if isinstance(code, str) else None


async def read_metas(connection: Connection, keys: set[int | None]) -> dict[int, dict[str, Any]]:
    """Sub-attributes by key."""
    wanted = sorted(key for key in keys if key is not None)
    return {row["key"]: row["body"] for row in await connection.fetch(_SQL["metas"], wanted)} if wanted else {}


async def observed(connection: Connection, labels: Labels, frame: pl.DataFrame) -> pl.DataFrame:
    """Observations, whole, as rows of history."""
    metas = await _meta_columns(connection, frame["meta_key"].drop_nulls().unique().to_list())
    origins = await origins_of(connection, frame["origin_key"].unique().to_list())
    told = (
        frame.join(metas, on="meta_key", how="left", maintain_order="left")
        .join(origins, on="origin_key", how="left", maintain_order="left")
        .join(labels.frame.select("series_key", "made_up"), on="series_key", how="left", maintain_order="left")
        .with_columns(
            pl.col("modified_at").alias("corrected_at"),
            (pl.col("made_up") | (pl.col("origin") == "simulated").fill_null(value=False)).alias("simulated"),
        )
        .drop("made_up", "modified_at")
    )
    return labels.of(told, HISTORY)


async def _meta_columns(connection: Connection, keys: Sequence[int]) -> pl.DataFrame:
    """Units and the rest of sub-attributes, by `meta_key`."""
    bodies = await read_metas(connection, set(keys))
    codes = [body.get(UNIT) for body in bodies.values()]
    rest = [{name: value for name, value in body.items() if name != UNIT} for body in bodies.values()]
    return pl.DataFrame(
        {
            "meta_key": list(bodies),
            "unit": [_symbol(code) for code in codes],
            "unit_code": [code if isinstance(code, str) else None for code in codes],
            "sub_attributes": [_json(body).decode() if body else None for body in rest],
        },
        {"meta_key": pl.Int32, "unit": pl.String, "unit_code": pl.String, "sub_attributes": pl.String},
    )


def added_up(labels: Labels, frame: pl.DataFrame, methods: Sequence[Method]) -> pl.DataFrame:
    """What series amount to by period, as rows."""
    ends = [pl.col(f"{name}_us").cast(TIME).alias(name) for name in ("from", "to")]
    return labels.of(frame.with_columns(ends), summed_columns(methods))


async def newest(connection: Connection, terms: Terms, labels: Labels, entity_keys: Sequence[int]) -> pl.DataFrame:
    """What entities are now: a row an attribute, those of an entity together."""
    rows = await connection.fetch(_SQL["newest"], labels.series_keys)
    place = (await terms.find([LOCATION])).get(LOCATION, 0)
    stands = {
        row["id"]: _json(row["geojson"]).decode()
        for row in await connection.fetch(_SQL["places"], list(entity_keys), place)
    }
    metas = await _meta_columns(connection, [row["meta_key"] for row in rows if row["meta_key"] is not None])
    frame = pl.DataFrame(
        {
            "series_key": [row["series_key"] for row in rows],
            "kind": [_KINDS[row["kind"]] for row in rows],
            "number": [row["number"] for row in rows],
            "value": [None if row["value"] is None else _json(row["value"]).decode() for row in rows],
            "meta_key": [row["meta_key"] for row in rows],
            "observed_at": [row["observed_at"] for row in rows],
            "modified_at": [row["modified_at"] for row in rows],
            "origin": [row["origin"] for row in rows],
        },
        {
            "series_key": pl.Int32,
            "kind": pl.String,
            "number": pl.Float64,
            "value": pl.String,
            "meta_key": pl.Int32,
            "observed_at": pl.Int64,
            "modified_at": pl.Int64,
            "origin": pl.String,
        },
    )
    known = labels.frame.select("series_key", "made_up", "entity")
    told = (
        frame.join(metas, on="meta_key", how="left", maintain_order="left")
        .join(known, on="series_key", how="left", maintain_order="left")
        .with_columns(
            (pl.col("made_up") | (pl.col("origin") == "simulated").fill_null(value=False)).alias("simulated"),
            pl.col("entity").replace_strict(stands, default=None, return_dtype=pl.String).alias("geometry"),
        )
        .sort("entity", "series_key")
    )
    return labels.of(told, ENTITIES)
