"""What came of a scenario, read back from its files: statement, ground and sheets, and what is asked of them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec

from broadstreet.model.errors import NotFound
from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground
from broadstreet.network.scenarios.drawing import LAYERS
from broadstreet.network.scenarios.files import PlanFiles
from broadstreet.network.scenarios.following import Follower
from broadstreet.network.scenarios.packed import unpack_ground, unpack_statement
from broadstreet.network.scenarios.wish import Sheets
from broadstreet.network.serviceability import Serviceability

MAX_HELD: Final = 6
"""Plans that a process has in memory, those that were asked for last: as many as stand side by side."""


@dataclass(frozen=True)
class Kept:
    """A plan as it was kept."""

    statement: Statement
    ground: Ground
    sheets: Sheets

    @cached_property
    def follower(self) -> Follower:
        """Follows its fibres."""
        return Follower(self.statement, self.ground, self.sheets)

    def serviceability(self, built: int) -> Serviceability:
        """What can be had, where so many phases stand already. Made ready in a second or so, and held for the number
        that was asked for last."""
        held = self._services.get(built)
        if held is None:
            held = Serviceability(
                self.ground, self.statement, self.sheets.architecture, self.sheets.optics, built=built
            )
            self._services.clear()
            self._services[built] = held
        return held

    @cached_property
    def _services(self) -> dict[int, Serviceability]:
        return {}


class Shelf:
    """Plans that are read back. What it does takes tens of milliseconds or more: call it in a thread."""

    def __init__(self, files: PlanFiles) -> None:
        self._files = files
        self._held: OrderedDict[Path, Kept] = OrderedDict()

    def read(self, folder: Path) -> Kept:
        """A plan. Raises NotFound, Conflict, CorruptData."""
        kept = self._held.get(folder)
        if kept is None:
            kept = Kept(
                unpack_statement(self._files.read(folder, "statement")),
                unpack_ground(self._files.read(folder, "ground")),
                msgspec.msgpack.decode(self._files.read(folder, "sheets"), type=Sheets),
            )
            self._held[folder] = kept
        self._held.move_to_end(folder)
        while len(self._held) > MAX_HELD:
            self._held.popitem(last=False)
        return kept


def layer_file(folder: Path, layer: str, known: tuple[str, ...] = LAYERS) -> Path:
    """The file of a layer. Raises NotFound."""
    path = folder / "layers" / f"{layer}.geojson"
    if layer not in known:
        raise NotFound(f"there is no layer {layer[:80]!r}", where="layer", remedy=f"There are: {', '.join(known)}.")
    if not path.is_file():
        raise NotFound("the layer's file is not on this machine", remedy="Plan it again, or look again.")
    return path
