"""The tables of the standard's GeoPackage: which columns an object has, what they refer to, and how a file begins."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

Kind = Literal["text", "flag", "whole", "number", "code", "ref", "id"]
SHAPES: Final = {"location": "Point", "route": "LineString"}
_TYPES: Final = {"text": "TEXT", "flag": "TEXT", "number": "REAL"}


class Member(NamedTuple):
    """Where a column's value stands in its object. to: the table that a code, a reference or an id is of."""

    path: tuple[str, ...]
    kind: Kind = "text"
    to: str = ""


class Table(NamedTuple):
    """A kind of object. shape: its member that is a geometry. pairs: lists of codes and references, by table. below:
    lists of objects, by table. parent: the column that leads to what a row is below."""

    columns: Mapping[str, Member]
    shape: str = ""
    pairs: Mapping[str, Member] = MappingProxyType({})
    below: Mapping[str, str] = MappingProxyType({})
    parent: str = "network_id"


def _columns(**told: str) -> dict[str, Member]:
    """Columns by their name, each told as `kind` or `kind:table`."""
    found = {}
    for column, words in told.items():
        kind, _, to = words.partition(":")
        path = ("id",) if column == "ofds_id" else tuple(column.split("__"))
        found[column] = Member(path, kind, to)  # type: ignore[arg-type]  # the kinds are named below
    return found


def _list(name: str, kind: Kind, to: str) -> Member:
    return Member((name,), kind, to)


_CARRIED: Final = {
    "supportingInfrastructure__description": "text",
    "supportingInfrastructure__owner": "ref:organisations",
    "supportingInfrastructure__spareCapacity": "flag",
}
_SCHEME: Final = "code:codelist_open_organisationIdentifierScheme"
TABLES: Final[dict[str, Table]] = {
    "networks": Table(
        _columns(
            ofds_id="text",
            identifier="text",
            name="text",
            website="text",
            publisher__name="text",
            publisher__identifier__id="text",
            publisher__identifier__scheme=_SCHEME,
            publisher__identifier__legalName="text",
            publisher__identifier__uri="text",
            publicationDate="text",
            collectionDate="text",
            accuracy="number",
            accuracyDetails="text",
            language="code:codelist_open_language",
        )
    ),
    "organisations": Table(
        _columns(
            ofds_id="text",
            name="text",
            identifier__id="text",
            identifier__scheme=_SCHEME,
            identifier__legalName="text",
            identifier__uri="text",
            country="text",
            roleDetails="text",
            website="text",
            logo="text",
        ),
        pairs={"relation_organisations_roles": _list("roles", "code", "codelist_open_organisationRole")},
    ),
    "phases": Table(
        _columns(ofds_id="text", name="text", description="text"),
        pairs={"relation_phases_funders": _list("funders", "ref", "organisations")},
    ),
    "wayleaves": Table(
        _columns(
            ofds_id="text",
            grantor="ref:organisations",
            yearSigned="whole",
            term__indefinite="flag",
            term__years="whole",
            cost__recurring="flag",
            cost__perMetre__amount="number",
            cost__perMetre__currency="text",
        )
    ),
    "contracts": Table(
        _columns(
            ofds_id="text",
            title="text",
            description="text",
            type="code:codelist_open_contractType",
            value__amount="number",
            value__currency="text",
            dateSigned="text",
        ),
        pairs={"relation_contracts_relatedPhases": _list("relatedPhases", "ref", "phases")},
        below={"contracts_documents": "documents"},
    ),
    "contracts_documents": Table(
        _columns(title="text", description="text", url="text", format="code:codelist_open_mediaType"),
        parent="contract_id",
    ),
    "nodes": Table(
        _columns(
            ofds_id="text",
            name="text",
            phase="ref:phases",
            status="text",
            address__streetAddress="text",
            address__locality="text",
            address__region="text",
            address__postalCode="text",
            address__country="text",
            supportingInfrastructure__type="code:codelist_open_nodeSupportingInfrastructure",
            **_CARRIED,
            accessPoint="flag",
            power="flag",
            transmissionMediumOwner="ref:organisations",
        ),
        shape="location",
        pairs={
            "relation_nodes_type": _list("type", "code", "codelist_open_nodeType"),
            "relation_nodes_technologies": _list("technologies", "code", "codelist_open_nodeTechnologies"),
            "relation_nodes_networkProviders": _list("networkProviders", "ref", "organisations"),
        },
        below={"nodes_internationalConnections": "internationalConnections"},
    ),
    "nodes_internationalConnections": Table(
        _columns(streetAddress="text", locality="text", region="text", postalCode="text", country="text"),
        parent="node_id",
    ),
    "spans": Table(
        _columns(
            ofds_id="text",
            name="text",
            phase="ref:phases",
            status="text",
            readyForServiceDate="text",
            start="id:nodes",
            end="id:nodes",
            directed="flag",
            transmissionMediumOwner="ref:organisations",
            supplier="ref:organisations",
            supportingInfrastructure__type="code:codelist_open_spanSupportingInfrastructure",
            **_CARRIED,
            codeployment="code:codelist_open_codeployment",
            cableType="code:codelist_open_cableType",
            darkFibre="flag",
            fibreType="text",
            fibreTypeDetails__fibreSubtype="text",
            fibreTypeDetails__description="text",
            fibreCount="whole",
            fibreLength="number",
            capacity="number",
            capacityDetails__description="text",
        ),
        shape="route",
        pairs={
            "relation_spans_networkProviders": _list("networkProviders", "ref", "organisations"),
            "relation_spans_transmissionMedium": _list(
                "transmissionMedium", "code", "codelist_closed_transmissionMedium"
            ),
            "relation_spans_deployment": _list("deployment", "code", "codelist_closed_deployment"),
            "relation_spans_technologies": _list("technologies", "code", "codelist_open_spanTechnologies"),
            "relation_spans_wayleaves": _list("wayleaves", "id", "wayleaves"),
            "relation_spans_countries": _list("countries", "code", "codelist_closed_country"),
        },
    ),
}

_BEGINNING: Final = """
PRAGMA application_id = 1196444487;
PRAGMA user_version = 10400;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES
    ('Undefined cartesian SRS', -1, 'NONE', -1, 'undefined', NULL),
    ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', NULL),
    ('WGS 84 geodetic', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,'
        || 'AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
        || 'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]', 'longitude first');
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
    srs_id INTEGER REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL UNIQUE REFERENCES gpkg_contents (table_name),
    column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys (srs_id), z TINYINT NOT NULL, m TINYINT NOT NULL,
    PRIMARY KEY (table_name, column_name));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
    definition TEXT NOT NULL, scope TEXT NOT NULL, UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkgext_relations (id INTEGER PRIMARY KEY AUTOINCREMENT, base_table_name TEXT NOT NULL,
    base_primary_column TEXT NOT NULL DEFAULT 'id', related_table_name TEXT NOT NULL,
    related_primary_column TEXT NOT NULL DEFAULT 'id', relation_name TEXT NOT NULL,
    mapping_table_name TEXT NOT NULL UNIQUE);
INSERT INTO gpkg_extensions VALUES ('gpkgext_relations', NULL, 'gpkg_related_tables',
    'http://www.opengis.net/doc/IS/gpkg-rte/1.0', 'read-write');
CREATE TABLE kept (id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, row_id INTEGER NOT NULL, members TEXT NOT NULL);
"""


def founded(base: sqlite3.Connection, moment: str) -> None:
    """All tables, empty. moment: of their making."""
    base.executescript(_BEGINNING)
    members = [member for table in TABLES.values() for member in (*table.columns.values(), *table.pairs.values())]
    for name in sorted({member.to for member in members if member.kind == "code"}):
        base.execute(f'CREATE TABLE "{name}" (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT, description TEXT)')
        _registered(base, name, "attributes", moment)
    _registered(base, "kept", "attributes", moment)
    for name, table in TABLES.items():
        base.execute(f'CREATE TABLE "{name}" ({", ".join(_defined(name, table))})')
        _registered(base, name, "features" if table.shape else "attributes", moment)
        if table.shape:
            row = (name, "geom", SHAPES[table.shape].upper(), 4326, 0, 0)
            base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)", row)
        for pairs, member in table.pairs.items():
            base.execute(
                f'CREATE TABLE "{pairs}" (base_id INTEGER NOT NULL REFERENCES "{name}" (id),'
                f' related_id INTEGER NOT NULL REFERENCES "{member.to}" (id), PRIMARY KEY (base_id, related_id))'
            )
            words = "INSERT INTO gpkgext_relations (base_table_name, related_table_name, relation_name,"
            relation = "features" if TABLES.get(member.to, Table({})).shape else "attributes"
            base.execute(f"{words} mapping_table_name) VALUES (?, ?, ?, ?)", (name, member.to, relation, pairs))
            words = "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_related_tables', ?, 'read-write')"
            base.execute(words, (pairs, "http://www.opengis.net/doc/IS/gpkg-rte/1.0"))


def _defined(name: str, table: Table) -> list[str]:
    found = ["id INTEGER PRIMARY KEY AUTOINCREMENT"]
    if table.shape:
        found.append(f"geom {SHAPES[table.shape].upper()}")
    for column, member in table.columns.items():
        to = f' REFERENCES "{member.to}" (id)' if member.to else ""
        found.append(f'"{column}" {_TYPES.get(member.kind, "INTEGER")}{to}')
    if name != "networks":
        found.append("network_id INTEGER REFERENCES networks (id)")
    if table.parent != "network_id":
        found.append(f'{table.parent} INTEGER REFERENCES "{name.partition("_")[0]}" (id)')
    return found


def _registered(base: sqlite3.Connection, name: str, kind: str, moment: str) -> None:
    row = (name, kind, name, moment, 4326 if kind == "features" else None)
    words = "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change, srs_id) VALUES (?, ?, ?, ?, ?)"
    base.execute(words, row)
