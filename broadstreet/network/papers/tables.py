"""All tables of a plan, in the order in which a workbook has them: the treasurer's, the digger's, the splicer's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from broadstreet.network.papers import digging, money, reached, splicing
from broadstreet.network.papers.cabling import cable_table
from broadstreet.network.papers.dossier import Dossier
from broadstreet.network.papers.table import Table

TABLES: Final[dict[str, Callable[[Dossier], Table]]] = {
    "summary": money.summary_table,
    "bill": money.bill_table,
    "phases": money.phase_table,
    "areas": money.area_table,
    "street_costs": money.street_table,
    "bound": money.bound_table,
    "streets": digging.street_table,
    "runs": digging.run_table,
    "ducts": digging.duct_table,
    "cables": cable_table,
    "splices": splicing.splice_table,
    "splitters": splicing.splitter_table,
    "ports": splicing.port_table,
    "premises": reached.premises_table,
    "sockets": reached.socket_table,
}
"""By name."""


def tables(dossier: Dossier) -> Iterator[Table]:
    """One after another, so that no more than one need be held."""
    for make in TABLES.values():
        yield make(dossier)
