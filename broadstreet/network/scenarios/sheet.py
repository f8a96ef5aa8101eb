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
from pathlib import Path
from typing import Any, Final

import msgspec

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.network.ground.sheet import MAX_SHEET_BYTES
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.scenarios.project import Name
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
    try:
        sheet = msgspec.convert(tomllib.loads(text), ScenarioSheet)
        texts = {
            name: _text(path.parent / sheet.wish[name]) for name in SHEETS if isinstance(sheet.wish.get(name), str)
        }
        wish = msgspec.convert({**sheet.wish, **texts}, PlanWish)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"this is not TOML: {error}", where=str(path), remedy="Mend that line.") from error
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"the scenario is not right: {error}",
            where=str(path),
            remedy="docs/reference/planning.md says what it may hold.",
        ) from None
    try:
        wish.check()
    except InvalidInput as error:
        if error.where not in texts:
            raise
        named = path.parent / sheet.wish[error.where]
        raise InvalidInput(error.message, where=f"{error.where} ({named})", remedy=error.remedy) from None
    return sheet.name, Task(inputs=sheet.inputs, networks=sheet.networks, wish=wish)


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
