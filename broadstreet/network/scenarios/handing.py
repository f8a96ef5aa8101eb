"""A plan's papers: what `network/papers` is told of a plan that was kept, in a house or in a file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.network.papers import Dossier, Format, Imprint, file_name, write_papers
from broadstreet.network.scenarios.design import Kept
from broadstreet.network.scenarios.packed import unpack_ground, unpack_statement
from broadstreet.network.scenarios.planfile import PlanFile
from broadstreet.network.scenarios.task import Task
from broadstreet.network.scenarios.wish import Sheets

OPENSTREETMAP = "© OpenStreetMap contributors"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Papers to make of a design: its folder, which papers, and what stands on them."""

    design: str
    format: Format
    part: str | None
    imprint: Imprint


def format_of(name: str) -> Format:
    """A format by its name. Raises InvalidInput."""
    try:
        return Format(name)
    except ValueError:
        known = ", ".join(Format)
        raise InvalidInput(
            f"there is no format {name[:80]!r}", where="format", remedy=f"Choose among: {known}."
        ) from None


def named(format: Format, title: str, part: str | None) -> str:
    """What the file is called. Raises InvalidInput for a part that the format has not."""
    return file_name(format, title, part)


def imprint_of(title: str, date: str, task: Task) -> Imprint:
    """What stands on every paper of a plan."""
    source = OPENSTREETMAP if task.inputs.extract is not None else ""
    return Imprint(title=title, date=date, source=source, seed=task.wish.seed, seconds=task.wish.seconds)


def dossier_of(plan: PlanFile) -> Dossier:
    """The dossier of a plan in a file. Raises InvalidInput where the checker finds anything."""
    imprint = imprint_of(plan.name, plan.made_at[:10], plan.task)
    ground = unpack_ground(plan.ground)
    return Dossier.of(plan.statement, ground, plan.sheets.architecture, plan.sheets.optics, imprint)


def carry_out_order(order: Order, out: Path) -> None:
    """Make the papers of a design in a folder. Raises what `write_papers` and `Dossier.of` raise."""
    folder = Path(order.design)
    kept = Kept(
        unpack_statement((folder / "statement").read_bytes()),
        unpack_ground((folder / "ground").read_bytes()),
        msgspec.msgpack.decode((folder / "sheets").read_bytes(), type=Sheets),
    )
    dossier = Dossier.of(kept.statement, kept.ground, kept.sheets.architecture, kept.sheets.optics, order.imprint)
    write_papers(order.format, dossier, out, part=order.part)
