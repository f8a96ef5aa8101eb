"""The cable schedule: each cable with its length, its sites, its fibres, those that are lit and those that "
"are spare."""

from __future__ import annotations

from broadstreet.network.design import Cable
from broadstreet.network.papers.digging import counted_kinds
from broadstreet.network.papers.dossier import Dossier
from broadstreet.network.papers.table import Column, Sort, Table, count, metres, text


def cable_table(dossier: Dossier) -> Table:
    """Every cable."""
    columns = (
        text("cable", "Cable"),
        text("role", "Role"),
        count("fibres", "Fibres"),
        text("from", "From"),
        text("from_where", "Which is"),
        text("to", "To"),
        text("to_where", "Which is"),
        count("sites", "Sites on the way"),
        metres("laid_m", "Along ways", summed=True),
        metres("drop_m", "Drop", summed=True),
        metres("length_m", "Length", summed=True),
        count("used", "Fibres lit, at most"),
        count("spare", "Spare"),
        Column("spare_share", "Spare, of those lit", Sort.SHARE),
        text("ducts", "In"),
        text("areas", "Areas"),
        count("phase", "Phase"),
    )
    note = "Lengths are those of the ways and drops: add for loops, ends and waste what your crew adds."
    rows = [_row(dossier, cable) for cable in dossier.cables.values()]
    return Table("cables", "Cables", note, columns, rows)


def _row(dossier: Dossier, cable: Cable) -> tuple[str | int | float | None, ...]:
    first, last = dossier.sites[cable.sites[0]], dossier.sites[cable.sites[-1]]
    laid_m = sum(dossier.stretch_m(cable, number) for number in range(len(cable.ways)))
    drop_m, used = dossier.drop_m(cable), max(dossier.used[cable.id])
    return (
        cable.id,
        cable.role.value,
        cable.fibres,
        first.id,
        dossier.site_where(first),
        last.id,
        dossier.site_where(last),
        len(cable.sites) - 2,
        laid_m,
        drop_m,
        laid_m + drop_m,
        used,
        cable.fibres - used,
        (cable.fibres - used) / used if used else None,
        duct_kinds(dossier, cable),
        ", ".join(sorted(dossier.areas_of([cable.id]))),
        dossier.cable_phase(cable),
    )


def duct_kinds(dossier: Dossier, cable: Cable) -> str:
    """The ducts that a cable goes through, counted by kind."""
    ids = {duct for ducts in cable.ducts for duct in ducts if duct}
    return counted_kinds(dossier.duct_kind[id] for id in ids)
