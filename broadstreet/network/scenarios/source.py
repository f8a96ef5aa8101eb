"""Sources: the files that a project is made from, as they come in: known by their first bytes, and bounded.

What a file holds is asked when a ground is read; here is only whether it is what its name says, and not too large.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from broadstreet.city.bounds import MAX_EXTRACT_BYTES
from broadstreet.model.errors import InvalidInput, NotFound, TooMany
from broadstreet.network.ground.fault import LargeFile
from broadstreet.network.ground.forms import BEGINNING_BYTES as BEGINNING_BYTES
from broadstreet.network.ground.forms import MAX_BYTES, SUFFIXES, check_whole, form_of, not_as_named
from broadstreet.network.ground.glancing import begins
from broadstreet.network.ground.sheet import MAX_SHEET_BYTES
from broadstreet.network.scenarios.project import BASE_EXTRACT, MAX_SOURCES, Project
from broadstreet.store import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store import Database

MAX_NAME: Final = 120
EXTRACT: Final = "OpenStreetMap"
SHEET: Final = "TOML"
LINES: Final = "JSON Lines"
BESIDE: Final = "beside a Shapefile"
_BESIDE_SUFFIXES: Final = (".dbf", ".shx", ".prj", ".cpg")
_OTHERS: Final = {".osm.pbf": EXTRACT, ".toml": SHEET, ".jsonl": LINES, **dict.fromkeys(_BESIDE_SUFFIXES, BESIDE)}
_LARGEST: Final = {
    **MAX_BYTES,
    EXTRACT: MAX_EXTRACT_BYTES,
    SHEET: MAX_SHEET_BYTES,
    LINES: 1_000_000_000,
    BESIDE: MAX_BYTES["ESRI Shapefile"],
}
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_SQL = load_queries("plan_project")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a project. form: what it is by its name and its first bytes."""

    name: str
    form: str
    sha256: str
    bytes: int
    added_by: str
    added_us: int


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a file that is called so must be: its form, and how large it may be."""

    name: str
    form: str
    max_bytes: int

    def check_size(self, size: int, beginning: bytes) -> None:
        """Raises TooLarge, with the places that the file begins with. beginning: GLANCED_BYTES of it."""
        if size <= self.max_bytes:
            return
        message = f"{self.form} of more than {self.max_bytes / 1e6:.0f} MB is not taken"
        remedy = "Cut the city out first, or write it as GeoPackage."
        if self.form == EXTRACT:
            remedy = "Cut the city out first, for instance with `osmium extract`."
        raise LargeFile(message, begins(self.name, beginning, message, remedy), where=self.name, remedy=remedy)

    def check_beginning(self, beginning: bytes) -> None:
        """Raises InvalidInput for a file that is not what its name says."""
        if self.form == EXTRACT:
            fits = b"OSMHeader" in beginning[:32]
        elif self.form in (SHEET, BESIDE):
            fits = True  # neither has a mark of its own: who reads them refuses what they are not
        elif self.form == LINES:
            fits = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
        else:
            fits = form_of(self.name, beginning) == self.form
        if not fits:
            raise not_as_named(self.name, self.form, beginning, self.name)

    def check_whole(self, beginning: bytes, size: int) -> None:
        """Raises InvalidInput for a file that is shorter than it says itself."""
        check_whole(self.form, beginning, size, self.name)


def expected(name: str, max_bytes: int) -> Expected:
    """What a file of this name must be. max_bytes: the house's own bound. Raises InvalidInput."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise InvalidInput(
            f"a source is called by letters, digits, '.', '_' and '-', and not {name[:80]!r}",
            where="file",
            remedy="Give it another name.",
        )
    if name == BASE_EXTRACT:
        raise InvalidInput("this name is of the extract that comes with the house", where="file", remedy="Use another.")
    forms = {**SUFFIXES, **_OTHERS}
    form = next((form for suffix, form in forms.items() if name.lower().endswith(suffix)), None)
    if form is None:
        known = f"Its name ends in one of {', '.join(sorted(forms))}."
        is_packed = name.lower().endswith((".zip", ".gz", ".7z", ".tar", ".xlsx"))
        raise InvalidInput(
            f"no form of file that is read here is called like {name!r}",
            where=name,
            remedy=f"Unpack it, and give each layer as a file of its own; a workbook as CSV. {known}"
            if is_packed
            else known,
        )
    return Expected(name=name, form=form, max_bytes=min(_LARGEST[form], max_bytes))


async def list_sources(database: Database, project: Project) -> list[Source]:
    """A project's files, by name."""
    return [_source(row) for row in await database.fetch(_SQL["sources"], project.key)]


async def put_source(database: Database, project: Project, source: Source) -> Source:
    """Write a file down, in place of the one of its name. Raises TooMany."""
    values = (source.name, source.form, source.sha256, source.bytes, source.added_by, source.added_us)
    row = await database.fetchrow(_SQL["put_source"], project.key, *values, MAX_SOURCES)
    if row is None:
        raise TooMany(f"a project has at most {MAX_SOURCES} sources", remedy="Remove one first.")
    await database.execute(_SQL["touch"], project.key, source.added_us)
    return _source(row)


async def remove_source(database: Database, project: Project, name: str, at_us: int) -> str:
    """Write a file off; answers its SHA-256. Raises NotFound."""
    sha256: str | None = await database.fetchval(_SQL["remove_source"], project.key, name)
    if sha256 is None:
        raise NotFound(f"the project has no source {name[:80]!r}", where="file")
    await database.execute(_SQL["touch"], project.key, at_us)
    return sha256


def _source(row: asyncpg.Record) -> Source:
    return Source(
        name=row["name"],
        form=row["form"],
        sha256=row["sha256"],
        bytes=row["bytes"],
        added_by=row["added_by"],
        added_us=row["added_at"],
    )
