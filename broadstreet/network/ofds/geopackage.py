"""Networks as the standard's GeoPackage (1.4): nodes and spans as layers, what belongs to them as tables beside.

A list of objects is a table; what refers to an organisation, a phase or a node has its row's number; a code of an open
list has that of a table of codes; lists of either are tables of pairs. By the standard's naming, an object's members
are columns with two underscores between, and its own id is `ofds_id`. That has no room for what a network says beyond
the standard, a reference's own words, or a height. So there is one table more, `kept`, with those members of a row that
would not come back the same, as JSON. What must always hold: a package that went out comes back as it was.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.ofds.document import MAX_DOCUMENT_BYTES
from broadstreet.network.ofds.gpkg import SHAPES, TABLES, founded
from broadstreet.network.ofds.network import CRS_NAME, CRS_URI, SCHEMA, Package
from broadstreet.network.ofds.part import give

Json = dict[str, Any]
Within = dict[tuple[str, str], tuple[int, Json]]
"""The row of each thing that can be referred to, by its table and id, and how it is referred to."""
MAGIC: Final = b"SQLite format 3\0"
PACKAGE: Final = "package"
_LISTS: Final = ("organisations", "phases", "wayleaves", "contracts", "nodes", "spans")
"""A network's lists that are tables, those first that others refer to."""
_GONE: Final = "\0gone"
"""What stands in `kept` for a member that the tables have and the network has not."""
_HEADER: Final = struct.Struct("<2sBBi")
_FLAGS: Final = 1
_CRS: Final = 4326


def write_geopackage(path: Path, package: Package, moment: str) -> None:
    """Write a GeoPackage at a path where nothing is. moment: of its making, as RFC 3339."""
    given = give(package)
    with closing(sqlite3.connect(path)) as base:
        # Nobody sees the file before it is whole.
        base.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        founded(base, moment)
        writer = _Writer(base)
        whole = given if isinstance(given, dict) else {}
        networks = whole.get("networks")
        rows = networks if isinstance(networks, list) else []
        for network in rows:
            writer.network(network)
        bare = {name: value for name, value in whole.items() if name != "networks" or not rows}
        writer.keep(PACKAGE, 0, bare)
        writer.bounds()
        base.commit()


def read_geopackage(path: Path) -> Json:
    """The package in a GeoPackage, as JSON. Raises InvalidInput where it is none by the standard."""
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as base:
            # A view can be any query at all: only tables are read.
            names = {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"networks", "nodes", "spans"} <= names:
                raise _wrong(path, "it has no tables networks, nodes and spans")
            return _Reader(base, names).package()
    except (sqlite3.Error, ValueError, KeyError, TypeError, struct.error, RecursionError) as error:
        raise _wrong(path, str(error)) from None


def _wrong(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"this is no GeoPackage by the Open Fibre Data Standard: {why}",
        where=str(path),
        remedy="Give one with the standard's tables, or the network as JSON.",
    )


class _Writer:
    """Rows of one network after another."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base
        self._codes: dict[tuple[str, str], int] = {}
        self._boxes: dict[str, list[float]] = {}

    def network(self, network: Any) -> None:
        """A network with all that is in it."""
        within: Within = {}
        listed = {name: network.get(name) for name in _LISTS} if isinstance(network, dict) else {}
        tables = {
            name: value for name, value in listed.items() if isinstance(value, list) and value and _objects(value)
        }
        bare = {k: v for k, v in network.items() if k not in tables} if isinstance(network, dict) else network
        number = self._put("networks", bare, {}, within)
        for name in _LISTS:
            for thing in tables.get(name, ()):
                row = self._put(name, thing, {"network_id": number}, within)
                if isinstance(thing.get("id"), str):
                    within.setdefault((name, thing["id"]), (row, _reference(thing["id"], thing.get("name"))))

    def _put(self, name: str, thing: Any, outer: Mapping[str, int], within: Within) -> int:
        """An object's row, the rows that belong to it, and what they cannot tell."""
        table, value = TABLES[name], thing if isinstance(thing, dict) else {}
        columns: dict[str, Any] = dict(outer)
        back: Json = {}
        for column, member in table.columns.items():
            found = _at(value, member.path)
            told = self._told(member.kind, member.to, found, within)
            if told is not None:
                columns[column] = told
                _set(back, member.path, found if member.kind != "ref" else within[member.to, found["id"]][1])
        if table.shape and _shape(value.get(table.shape), SHAPES[table.shape]):
            columns["geom"] = _wkb(value[table.shape])
            self._box(name, value[table.shape]["coordinates"])
            back[table.shape] = value[table.shape]
        number = self._insert(name, columns)
        for pairs, member in table.pairs.items():
            listed = _at(value, member.path)
            told_all = [self._told(member.kind, member.to, one, within) for one in _items(listed)]
            if told_all and None not in told_all and len(set(told_all)) == len(told_all):
                rows = [(number, told) for told in told_all]
                self._base.executemany(f'INSERT INTO "{pairs}" (base_id, related_id) VALUES (?, ?)', rows)
                _set(
                    back,
                    member.path,
                    listed if member.kind != "ref" else [within[member.to, one["id"]][1] for one in listed],
                )
        for below, member_name in table.below.items():
            children = value.get(member_name)
            if isinstance(children, list) and children and _objects(children):
                for child in children:
                    self._put(below, child, {**outer, TABLES[below].parent: number}, within)
                back[member_name] = children
        self.keep(name, number, _difference(back, thing))
        return number

    def _told(self, kind: str, to: str, found: Any, within: Within) -> Any:
        """A member as its column has it; None where it is not of its kind, and so has to be kept."""
        match kind, found:
            case "text", str():
                return found if _plain(found) else None
            case "flag", bool():
                return str(found).lower()
            case "whole", int() if not isinstance(found, bool) and abs(found) < 2**63:
                return found
            case "number", float():
                return found
            case "code", str() if _plain(found):
                return self._code(to, found)
            case "ref", {"id": str() as id}:
                return within.get((to, id), (None,))[0]
            case "id", str():
                return within.get((to, found), (None,))[0]
        return None

    def _code(self, table: str, code: str) -> int:
        if (table, code) not in self._codes:
            self._codes[table, code] = self._insert(table, {"code": code})
        return self._codes[table, code]

    def _insert(self, table: str, columns: Mapping[str, Any]) -> int:
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" for _ in columns)
        words = f"({names}) VALUES ({marks})" if columns else "DEFAULT VALUES"
        return int(self._base.execute(f'INSERT INTO "{table}" {words}', tuple(columns.values())).lastrowid or 0)

    def keep(self, table: str, number: int, members: Any) -> None:
        """What a row cannot tell of its object, or what stands in an object's place."""
        if members != {}:
            row = (table, number, json.dumps(members))
            self._base.execute("INSERT INTO kept (table_name, row_id, members) VALUES (?, ?, ?)", row)

    def _box(self, name: str, places: Any) -> None:
        for lon, lat, *_ in places if isinstance(places[0], list) else [places]:
            box = self._boxes.setdefault(name, [lon, lat, lon, lat])
            box[:] = [min(box[0], lon), min(box[1], lat), max(box[2], lon), max(box[3], lat)]

    def bounds(self) -> None:
        """Where both layers lie, as who opens them asks first."""
        for name, box in self._boxes.items():
            words = "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ? WHERE table_name = ?"
            self._base.execute(words, (*box, name))


class _Reader:
    """Rows as objects again."""

    def __init__(self, base: sqlite3.Connection, names: set[str]) -> None:
        self._base, self._names = base, names
        base.row_factory = sqlite3.Row
        self._rows = {name: self._all(name, "id") for name in TABLES}
        self._within = {
            name: _grouped(rows, TABLES[name].parent) for name, rows in self._rows.items() if name != "networks"
        }
        self._codes = {
            member.to: {row["id"]: row["code"] for row in self._all(member.to, "id")}
            for table in TABLES.values()
            for member in (*table.columns.values(), *table.pairs.values())
            if member.kind == "code"
        }
        self._ids = {name: {row["id"]: row["ofds_id"] for row in self._rows[name]} for name in _LISTS}
        self._names_of = {
            name: {row["id"]: row["name"] for row in self._rows[name] if "name" in row.keys()}  # noqa: SIM118 a row holds values
            for name in _LISTS
        }
        self._pairs: dict[str, dict[int, list[int]]] = {}
        for pairs in (pairs for table in TABLES.values() for pairs in table.pairs):
            found = self._pairs.setdefault(pairs, {})
            for row in self._all(pairs, "rowid"):
                found.setdefault(row["base_id"], []).append(row["related_id"])
        self._kept = {(row["table_name"], row["row_id"]): json.loads(row["members"]) for row in self._all("kept", "1")}

    def _all(self, name: str, order: str) -> list[sqlite3.Row]:
        if name not in self._names:
            return []
        return self._base.execute(f'SELECT * FROM "{name}" ORDER BY {order}').fetchall()

    def package(self) -> Json:
        """The whole package."""
        made: Json = {}
        if self._rows["networks"]:
            made["networks"] = [self._network(row) for row in self._rows["networks"]]
        return {**made, **self._kept.get((PACKAGE, 0), {})}

    def _network(self, row: sqlite3.Row) -> Any:
        network = self._object("networks", row)
        if isinstance(network, dict):
            if "kept" not in self._names:
                # Another's file: what every GeoPackage of the standard is, none of them says.
                network |= {
                    "crs": {"name": CRS_NAME, "uri": CRS_URI},
                    "links": [{"rel": "describedby", "href": SCHEMA}],
                }
            for name in _LISTS:
                if things := [self._object(name, one) for one in self._within[name].get(row["id"], ())]:
                    network[name] = things
        return network

    def _object(self, name: str, row: sqlite3.Row) -> Any:
        table, made, has = TABLES[name], dict[str, Any](), row.keys()
        for column, member in table.columns.items():
            if column in has and row[column] is not None:
                _set(made, member.path, self._value(member.kind, member.to, row[column]))
        if table.shape and row["geom"] is not None:
            made[table.shape] = _shape_of(row["geom"])
        for pairs, member in table.pairs.items():
            if related := self._pairs[pairs].get(row["id"]):
                _set(made, member.path, [self._value(member.kind, member.to, one) for one in related])
        for below, member_name in table.below.items():
            if children := [self._object(below, one) for one in self._within[below].get(row["id"], ())]:
                made[member_name] = children
        kept = self._kept.get((name, row["id"]), {})
        return _with(made, kept) if isinstance(kept, dict) else kept

    def _value(self, kind: str, to: str, told: Any) -> Any:
        match kind:
            case "flag":
                return str(told).lower() in ("true", "1")
            case "code":
                return self._codes[to][told]
            case "ref":
                return _reference(self._ids[to][told], self._names_of[to].get(told))
            case "id":
                return self._ids[to][told]
        return told


def _grouped(rows: list[sqlite3.Row], parent: str) -> dict[int, list[sqlite3.Row]]:
    """Rows by what they are below."""
    found: dict[int, list[sqlite3.Row]] = {}
    for row in rows:
        found.setdefault(row[parent], []).append(row)
    return found


def _reference(id: str, name: Any) -> Json:
    """How a thing is referred to: by its id, and its name where it has one."""
    return {"id": id, "name": name} if isinstance(name, str) and _plain(name) else {"id": id}


def _objects(values: Iterable[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(text: str) -> bool:
    """Whether a column of SQLite can hold a text: no lone surrogate, no NUL."""
    return "\0" not in text and text.encode("utf-8", "ignore").decode() == text


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _set(made: Json, path: tuple[str, ...], value: Any) -> None:
    *outer, last = path
    for name in outer:
        made = made.setdefault(name, {})
    made[last] = value


def _difference(back: Json, thing: Any) -> Any:
    """Those members of an object that its row would not give back, whole."""
    if not isinstance(thing, dict):
        return thing
    wrong = {name: value for name, value in thing.items() if name not in back or not _same(back[name], value)}
    return {**wrong, **{name: _GONE for name in back if name not in thing}}


def _same(one: Any, other: Any) -> bool:
    """Whether both are one JSON value; 1 is not 1.0, and neither is true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _with(made: Json, kept: Json) -> Json:
    return {name: value for name, value in {**made, **kept}.items() if value != _GONE}


def _shape(value: Any, kind: str) -> bool:
    """Whether it is a geometry that two dimensions hold, and nothing else."""
    if not isinstance(value, dict) or set(value) != {"type", "coordinates"} or value["type"] != kind:
        return False
    places = value["coordinates"] if kind == "LineString" else [value["coordinates"]]
    return (
        isinstance(places, list)
        and len(places) >= (2 if kind == "LineString" else 1)
        and all(isinstance(at, list) and len(at) == 2 and all(type(axis) is float for axis in at) for at in places)
    )


def _wkb(shape: Json) -> bytes:
    """A geometry in GeoPackage's binary form."""
    head = _HEADER.pack(b"GP", 0, _FLAGS, _CRS)
    if shape["type"] == "Point":
        return head + struct.pack("<BI2d", 1, 1, *shape["coordinates"])
    axes = [axis for place in shape["coordinates"] for axis in place]
    return head + struct.pack(f"<BII{len(axes)}d", 1, 2, len(axes) // 2, *axes)


def _shape_of(data: bytes) -> Json:
    """The geometry of GeoPackage's binary form; other programs write an envelope before it, or a height."""
    import shapely

    envelope = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[(data[3] >> 1) & 7]
    found: Json = json.loads(shapely.to_geojson(shapely.from_wkb(data[_HEADER.size + envelope :])))
    return found


def is_geopackage(path: Path) -> bool:
    """Whether a file is a database, by its first bytes; what it holds is asked when it is read. Raises TooLarge."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        is_base = file.read(len(MAGIC)) == MAGIC
    if is_base and path.stat().st_size > MAX_DOCUMENT_BYTES:
        what = f"a GeoPackage of over {MAX_DOCUMENT_BYTES // (1024 * 1024)} MB is not read"
        raise TooLarge(what, where=str(path), remedy="Publish the networks as JSON Lines, one on each line.")
    return is_base
