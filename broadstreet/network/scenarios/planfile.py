"""A plan as one file, without a house: what it was made from, what came of it, and the ground it lies in.

JSON, so that anyone reads it; the ground's columns are in it as bytes (base64). Whoever has the file can look at the
plan, compare it and hand it on, and needs none of the sources.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from broadstreet.model.errors import CorruptData, InvalidInput, NotFound, TooLarge
from broadstreet.network.design import Statement
from broadstreet.network.proof import Finding, prove
from broadstreet.network.scenarios.design import Kept
from broadstreet.network.scenarios.packed import unpack_ground
from broadstreet.network.scenarios.scenario import Better, Outcome
from broadstreet.network.scenarios.task import Task
from broadstreet.network.scenarios.wish import Sheets

FORM: Final = "broadstreet plan 1"
MAX_BYTES: Final = 2_000_000_000


class PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    """A plan. form: what this file is. made_at: RFC 3339. ground: as `pack_ground` makes it."""

    form: str
    name: str
    made_at: str
    task: Task
    outcome: Outcome
    progress: tuple[Better, ...]
    findings: tuple[Finding, ...]
    sheets: Sheets
    statement: Statement
    ground: bytes

    def kept(self) -> Kept:
        """The plan, to be looked at. Raises CorruptData where the checker finds anything: a file may be edited."""
        ground = unpack_ground(self.ground)
        found = prove(self.statement, ground, self.sheets.architecture, self.sheets.optics)
        if found:
            raise CorruptData(
                f"the checker finds {len(found)} things wrong in this plan, first: {found[0]}",
                where=self.name,
                remedy="Plan it again: it was changed, or made by something else.",
            )
        return Kept(self.statement, ground, self.sheets)


def write_plan(path: Path, plan: PlanFile) -> None:
    """Write the file, whole or not at all. Raises InvalidInput where it cannot be written."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(msgspec.json.encode(plan))
        part.replace(path)
    except OSError as error:
        raise InvalidInput(f"it cannot be written: {error.strerror}", where=str(path)) from error


def read_plan(path: Path) -> PlanFile:
    """Read it again. Raises NotFound, TooLarge, InvalidInput."""
    if not path.is_file():
        raise NotFound("there is no such file", where=str(path), remedy="Make one: broadstreet plan fibre --out FILE.")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise TooLarge(f"a plan of {size / 1e6:.0f} MB is over the bound of {MAX_BYTES / 1e6:.0f} MB", where=str(path))
    data = path.read_bytes()
    try:
        head: dict[str, Any] = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if msgspec.json.decode(head.get("form", b"null")) != FORM:
            raise InvalidInput(
                f"this is no plan in the form {FORM!r}", where=str(path), remedy="Plan again with this Broadstreet."
            )
        return msgspec.json.decode(data, type=PlanFile)
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"this is no plan: {error}", where=str(path), remedy="Name a file that `broadstreet plan fibre` made."
        ) from error
