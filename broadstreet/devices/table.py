"""A table of devices: CSV with a header line, checked line by line, registered portion by portion.

    line ──▶ read ──▶ checked against the registry ──▶ portion of PORTION lines, all or none ──▶ its outcome beside it

A line that cannot be is rejected with its reason and keeps no other from being registered; a device that is there
already is left as it is. So the same table again, mended, completes what is missing. A dry run says the same and writes
nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from broadstreet.devices.credential import check_secret
from broadstreet.devices.registration import DeviceSpec
from broadstreet.model.errors import BroadstreetError, InvalidInput, TooLarge
from broadstreet.model.identifiers import check_device, check_uri
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.devices.registry import Registry
    from broadstreet.store import Database

MAX_LINES: Final = 50_000
PORTION: Final = 1_000
"""Lines that are registered in one transaction."""
MAX_TITLE_LENGTH: Final = 200
COLUMNS: Final = ("id", "title", "profile", "lon", "lat", "street", "bearing_deg", "dataset", "entity_id", "secret")
_NEEDED: Final = ("id", "lon", "lat")
_SQL = load_queries("device")
_LOGIN_SQL = load_queries("device_login")

Outcome = Literal["registered", "there", "rejected"]


class LineReport(msgspec.Struct, frozen=True):
    """What became of a line, or would. secret: shown this once, of a device that was registered."""

    line: int
    id: str
    outcome: Outcome
    entity: str | None = None
    secret: str | None = None
    reason: str | None = None


class TableReport(msgspec.Struct, frozen=True):
    """What became of a table, or in a dry run would."""

    registered: int
    there: int
    rejected: int
    lines: list[LineReport]

    def csv(self) -> str:
        """The same as CSV, a line for each line of the table: what is handed to whoever burns the secrets in."""
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(LineReport.__struct_fields__)
        writer.writerows(msgspec.structs.astuple(line) for line in self.lines)
        return written.getvalue()


class _Row(msgspec.Struct):
    """A line as it was read."""

    line: int
    cells: dict[str, str]

    @property
    def id(self) -> str:
        return self.cells.get("id", "")


async def register_table(
    registry: Registry,
    database: Database,
    body: bytes,
    *,
    profile: str | None,
    is_dry: bool,
    principal: str,
    at_us: int,
) -> TableReport:
    """
    Register the devices of a table.

    profile: of lines that name none. is_dry: only say what would come of it. principal, at_us: who does it, and when.
    Raises InvalidInput for what is no such table, TooLarge.
    """
    rows = list(_rows(body))
    checked = await _Checks.of(registry, database, rows)
    outcomes: dict[int, LineReport] = {}
    wanted: list[tuple[_Row, DeviceSpec]] = []
    for row in rows:
        try:
            spec = checked.spec(row, profile)
        except BroadstreetError as error:
            outcomes[row.line] = LineReport(row.line, row.id, "rejected", reason=error.message)
            continue
        if spec is None:
            outcomes[row.line] = LineReport(row.line, row.id, "there", checked.entities[row.id])
        else:
            wanted.append((row, spec))
    for start in range(0, len(wanted), PORTION):
        portion = wanted[start : start + PORTION]
        if is_dry:
            outcomes |= {row.line: LineReport(row.line, row.id, "registered") for row, _ in portion}
        else:
            outcomes |= await _register(registry, database, portion, principal, at_us)
    lines = [outcomes[row.line] for row in rows]
    counts = {
        outcome: sum(line.outcome == outcome for line in lines) for outcome in ("registered", "there", "rejected")
    }
    return TableReport(counts["registered"], counts["there"], counts["rejected"], lines)


async def _register(
    registry: Registry, database: Database, portion: Sequence[tuple[_Row, DeviceSpec]], principal: str, at_us: int
) -> dict[int, LineReport]:
    """All of a portion, or none: then every line says why."""
    try:
        made = await registry.register_many(database, [spec for _, spec in portion], principal=principal, at_us=at_us)
    except BroadstreetError as error:
        why = f"its portion of {len(portion)} lines was not registered: {error.message}"
        return {row.line: LineReport(row.line, row.id, "rejected", reason=why) for row, _ in portion}
    return {
        row.line: LineReport(row.line, row.id, "registered", one.entity_id, one.secret)
        for (row, _), one in zip(portion, made, strict=True)
    }


def _rows(body: bytes) -> Iterator[_Row]:
    """The lines of a table. Raises InvalidInput, TooLarge."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the table is not UTF-8: {error}", where="body", remedy="Save it as CSV, UTF-8.") from None
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if header.count(";") > header.count(",") else ",")
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_header(names)
        count = 0
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MAX_LINES:
                raise TooLarge(f"a table has at most {MAX_LINES:,} lines", remedy="Send it in several parts.")
            pairs = zip(names, (cell.strip() for cell in cells), strict=False)
            yield _Row(reader.line_num, {name: cell for name, cell in pairs if cell})
    except csv.Error as error:
        raise InvalidInput(f"this is no CSV: {error}", where=f"line {reader.line_num}") from None
    if not count:
        raise InvalidInput("the table has no line below its header", where="body")


def _check_header(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in _NEEDED if name not in names]
    if unknown or missing or len(set(names)) != len(names):
        wrong = f"there is no column {unknown[0][:80]!r}" if unknown else "a column comes twice"
        raise InvalidInput(
            f"the column {missing[0]!r} is missing" if missing else wrong,
            where="line 1",
            remedy=f"The first line names columns: {', '.join(_NEEDED)}, and any of {', '.join(COLUMNS)}.",
        )


class _Checks:
    """What lines are checked against. entities: of devices that are there already, by id."""

    def __init__(self, entities: dict[str, str], elsewhere: set[str], profiles: set[str], datasets: set[str]) -> None:
        self.entities = entities
        self._elsewhere = elsewhere
        self._profiles = profiles
        self._datasets = datasets
        self._first: dict[str, int] = {}

    @classmethod
    async def of(cls, registry: Registry, database: Database, rows: Sequence[_Row]) -> _Checks:
        """Ask the registry once for all lines."""
        ids = sorted({row.id for row in rows})
        there = await database.fetch(_SQL["existing_devices"], ids)
        elsewhere = await registry.elsewhere(database, ids)
        profiles = await registry.profiles(database)
        named = sorted({row.cells["dataset"] for row in rows if "dataset" in row.cells})
        datasets = await database.fetch(_SQL["dataset_keys"], named) if named else []
        return cls(
            {row["id"]: row["entity_id"] for row in there},
            set(elsewhere),
            {profile.name for profile in profiles},
            {row["id"] for row in datasets},
        )

    def spec(self, row: _Row, profile: str | None) -> DeviceSpec | None:
        """The device of a line; None for one that is there already. Raises InvalidInput for a line that cannot be."""
        cells, name = row.cells, check_device(row.id)
        if (first := self._first.setdefault(name, row.line)) != row.line:
            raise InvalidInput(f"the device {name!r} stands in line {first} already")
        if name in self.entities:
            return None
        if name in self._elsewhere:
            raise InvalidInput(f"the device id {name!r} is in use")
        chosen = cells.get("profile", profile)
        if chosen not in self._profiles:
            raise InvalidInput("it names no profile" if chosen is None else f"there is no profile {chosen[:80]!r}")
        dataset = cells.get("dataset")
        if dataset is not None and dataset not in self._datasets:
            raise InvalidInput(f"there is no dataset {dataset[:80]!r}")
        title = cells.get("title", name)
        if len(title) > MAX_TITLE_LENGTH:
            raise InvalidInput(f"a title has at most {MAX_TITLE_LENGTH} characters")
        entity = cells.get("entity_id")
        secret = cells.get("secret")
        return DeviceSpec(
            id=name,
            title=title,
            profile=chosen,
            lon=_number(cells, "lon", 180.0),
            lat=_number(cells, "lat", 90.0),
            street=cells.get("street"),
            bearing_deg=_number(cells, "bearing_deg", 360.0) if "bearing_deg" in cells else None,
            entity_id=None if entity is None else check_uri(entity),
            dataset=dataset,
            secret=None if secret is None else check_secret(secret),
        )


def _number(cells: dict[str, str], name: str, limit: float) -> float:
    said = cells.get(name, "")
    try:
        number = float(said.replace(",", "."))
    except ValueError:
        raise InvalidInput(f"{name} is no number: {said[:40]!r}" if said else f"it has no {name}") from None
    if not abs(number) <= limit:
        raise InvalidInput(f"{name} is {said[:40]}, beyond {limit:g}")
    return number
