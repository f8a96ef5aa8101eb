"""A scenario written down as TOML, for planning without a house: what it is made from, and what is wished of it.

    name = "Harbour quarter"
    [inputs]
    extract = "helsinki.osm.pbf"
    offices = [{ id = "co", label = "Station", lon = 24.9443, lat = 60.1712 }]
    [wish]
    closed = ["Pohjoisesplanadi"]
    seconds = 30

Files are named within the folder of the sheet; in `wish`, `catalogue`, `architecture`, `optics` and `worth` are names
of TOML files there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from broadstreet.model.errors import BroadstreetError, InvalidInput, NotFound, TooLarge
from broadstreet.model.misfit import misfit
from broadstreet.network.ground import BadGround, Fault
from broadstreet.network.ground.fault import Placed
from broadstreet.network.ground.sheet import MAX_SHEET_BYTES
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.scenarios.project import Name
from broadstreet.network.scenarios.reading import read
from broadstreet.network.scenarios.task import StandingNetwork, Task
from broadstreet.network.scenarios.wish import PlanWish

SHEETS: Final = ("catalogue", "architecture", "optics", "worth")


class ScenarioSheet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the TOML holds."""

    name: Name
    inputs: Inputs
    networks: tuple[str | StandingNetwork, ...] = ()
    wish: dict[str, Any] = {}


def read_scenario(path: Path) -> tuple[str, Task]:
    """The name and the task that a TOML file holds. Raises NotFound, TooLarge, InvalidInput."""
    text = _text(path)
    at = ""
    try:
        sheet = msgspec.convert(tomllib.loads(text), ScenarioSheet)
        texts = {
            name: _text(path.parent / sheet.wish[name]) for name in SHEETS if isinstance(sheet.wish.get(name), str)
        }
        at = "wish"
        wish = msgspec.convert({**sheet.wish, **texts}, PlanWish)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"this is not TOML: {error}", where=str(path), remedy="Mend that line.") from error
    except msgspec.ValidationError as error:
        what, place = misfit(str(error))
        where = ".".join(part for part in (at, place) if part)
        raise InvalidInput(
            f"the scenario is not right: {what}",
            where=f"{path}, {where}" if where else str(path),
            remedy="docs/reference/planning.md says what it may hold.",
        ) from None
    task = Task(inputs=sheet.inputs, networks=sheet.networks, wish=wish)
    try:
        wish.check()
    except InvalidInput as error:
        if error.where not in texts:
            raise
        where = f"{error.where} ({path.parent / sheet.wish[error.where]})"
        places = _unpriced(task, path.parent) if error.where == "catalogue" else ()
        raise Placed(error.message, places, where=where, remedy=error.remedy or "Mend the sheet.") from None
    return sheet.name, task


def raw_inputs(path: Path) -> dict[str, Any]:
    """What the inputs of a scenario say, right or wrong; nothing where it cannot be read at all."""
    try:
        inputs = tomllib.loads(_text(path)).get("inputs")
    except (BroadstreetError, tomllib.TOMLDecodeError):
        return {}
    return inputs if isinstance(inputs, dict) else {}


def _unpriced(task: Task, folder: Path) -> Sequence[Fault]:
    """Where what a catalogue does not price lies, as far as the rest can be read."""
    try:
        read(task, folder)
    except BadGround as unpriced:
        return unpriced.faults
    except BroadstreetError:
        pass  # the rest is not right either: the catalogue comes first
    return ()


def _text(path: Path) -> str:
    if not path.is_file():
        raise NotFound("there is no such file", where=str(path), remedy="Give the path of a TOML file.")
    if path.stat().st_size > MAX_SHEET_BYTES:
        raise TooLarge(f"a sheet has at most {MAX_SHEET_BYTES} bytes", where=str(path))
    if not path.stat().st_size:
        raise InvalidInput(
            "this file is empty", where=str(path), remedy="Write it as docs/reference/network.md and planning.md say."
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("this is not text in UTF-8", where=str(path), remedy="Save the file as UTF-8.") from error
