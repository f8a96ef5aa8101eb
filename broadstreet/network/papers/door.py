"""The one door by which papers leave: a format, a dossier, a file.

Each format is a file by itself; those of several parts (a table, a layer each) are an archive, or one part alone where
it is named. A file has its name when it is whole, and equal dossiers give equal bytes, but for the GeoPackage's own
bookkeeping.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ofds import Package, columns_of, tables_of, write_base, write_package, write_pair
from broadstreet.network.papers.dossier import Dossier
from broadstreet.network.papers.features import write_feature_archive, write_features
from broadstreet.network.papers.geopackage import write_geopackage
from broadstreet.network.papers.layers import LAYERS, Drawer, layers
from broadstreet.network.papers.lines import archive, member, write_csv, write_csv_archive
from broadstreet.network.papers.network import network_of
from broadstreet.network.papers.report import report
from broadstreet.network.papers.sheets import splice_sheets
from broadstreet.network.papers.table import Column, Table
from broadstreet.network.papers.tables import TABLES, tables
from broadstreet.network.papers.workbook import write_workbook


class Format(StrEnum):
    """What papers there are.

    html: the report. splices: the splice plan to print, a page a site. xlsx: every table, a sheet each. csv: the same
    as an archive, or one table. geojson: every layer as an archive, or one layer. gpkg: every layer in one GeoPackage.
    ofds: the Open Fibre Data Standard's package. ofds_csv: the same as its tables, an archive. ofds_geojson: its nodes
    and spans, an archive of two files. ofds_gpkg: the standard's GeoPackage.
    """

    HTML = "html"
    SPLICES = "splices"
    XLSX = "xlsx"
    CSV = "csv"
    GEOJSON = "geojson"
    GPKG = "gpkg"
    OFDS = "ofds"
    OFDS_CSV = "ofds-csv"
    OFDS_GEOJSON = "ofds-geojson"
    OFDS_GPKG = "ofds-gpkg"


_ZIP: Final = "application/zip"
_ENDINGS: Final = {
    Format.HTML: ("report.html", "text/html; charset=utf-8"),
    Format.SPLICES: ("splices.html", "text/html; charset=utf-8"),
    Format.XLSX: ("tables.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    Format.CSV: ("tables.csv.zip", _ZIP),
    Format.GEOJSON: ("layers.geojson.zip", _ZIP),
    Format.GPKG: ("layers.gpkg", "application/geopackage+sqlite3"),
    Format.OFDS: ("ofds.json", "application/json"),
    Format.OFDS_CSV: ("ofds.csv.zip", _ZIP),
    Format.OFDS_GEOJSON: ("ofds.geojson.zip", _ZIP),
    Format.OFDS_GPKG: ("ofds.gpkg", "application/geopackage+sqlite3"),
}
_PARTS: Final = {
    Format.CSV: (frozenset(TABLES), "csv", "text/csv; charset=utf-8; header=present"),
    Format.GEOJSON: (frozenset(LAYERS), "geojson", "application/geo+json"),
}
MAX_NAME: Final = 60


def parts_of_format(format: Format) -> Collection[str]:
    """What of a format can be had alone; nothing of most."""
    return _PARTS[format][0] if format in _PARTS else ()


def media_type(format: Format, part: str | None = None) -> str:
    """What the file is. Raises InvalidInput where the format has no such part."""
    return _ENDINGS[format][1] if _checked(format, part) is None else _PARTS[format][2]


def file_name(format: Format, title: str, part: str | None = None) -> str:
    """A name for the file, of plain letters: central-helsinki-report.html."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME].strip("-") or "plan"
    return f"{stem}-{_ENDINGS[format][0] if _checked(format, part) is None else f'{part}.{_PARTS[format][1]}'}"


def write_papers(format: Format, dossier: Dossier, out: Path, *, part: str | None = None) -> None:
    """Write one file. part: a table of csv, a layer of geojson. Raises InvalidInput where it cannot be written."""
    _checked(format, part)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            made = Path(folder) / f"papers.{_ENDINGS[format][0].rpartition('.')[2]}"
            _write(format, dossier, made, part)
            made.replace(out)
    except OSError as error:
        remedy = "Name a folder that is there, that you may write to, and on whose disk there is room."
        raise InvalidInput(f"it cannot be written: {error.strerror}", where=str(out), remedy=remedy) from None


def _checked(format: Format, part: str | None) -> str | None:
    known = parts_of_format(format)
    if part is not None and part not in known:
        remedy = f"Choose among: {', '.join(sorted(known))}." if known else "Leave it out: this format is one file."
        raise InvalidInput(f"{format.value} has no part {part!r}", where="part", remedy=remedy)
    return part


def _write(format: Format, dossier: Dossier, out: Path, part: str | None) -> None:
    imprint = dossier.imprint
    match format:
        case Format.HTML:
            out.write_text(report(dossier), encoding="utf-8")
        case Format.SPLICES:
            out.write_text(splice_sheets(dossier), encoding="utf-8")
        case Format.XLSX:
            made = tables(dossier)
            write_workbook(made, out, title=imprint.title, date=imprint.date, currency=dossier.currency)
        case Format.CSV:
            if part is None:
                write_csv_archive(tables(dossier), out)
            else:
                with out.open("wb") as file:
                    write_csv(TABLES[part](dossier), file)
        case Format.GEOJSON:
            if part is None:
                write_feature_archive(layers(dossier), out)
            else:
                with out.open("wb") as file:
                    write_features(LAYERS[part](dossier, Drawer(dossier)), file)
        case Format.GPKG:
            write_geopackage(layers(dossier), out, imprint.date)
        case Format.OFDS:
            write_package(out, [network_of(dossier)], Package)
        case Format.OFDS_CSV:
            laid = tables_of([network_of(dossier)])
            write_csv_archive((_laid_out(name, rows) for name, rows in laid.items()), out)
        case Format.OFDS_GPKG:
            write_base(out, Package(networks=(network_of(dossier),)), f"{imprint.date}T00:00:00.000Z")
        case Format.OFDS_GEOJSON:
            pair = write_pair(out, Package(networks=(network_of(dossier),)))
            with archive(out) as found:
                for path, name in zip(pair, ("nodes.geojson", "spans.geojson"), strict=True):
                    found.writestr(member(name), path.read_bytes())


def _laid_out(name: str, rows: Sequence[Mapping[str, str]]) -> Table:
    """A table of the standard's."""
    columns = columns_of(rows)
    return Table(name, name, "", tuple(Column(c, c) for c in columns), [tuple(map(row.get, columns)) for row in rows])
