"""The words of a design: what is dug, laid, set up and joined, and what it costs, as a planner writes and others read.

A `Design` is a value that can be kept as JSON. It speaks of one `Ground`, by its digest: ways, nodes, premises and
offices are rows of its tables. What must hold of it is said where each word is, and proved by `network/proof`; nothing
here computes anything. So the planner, the checker, exports and the portal share words, and no reckoning.
"""

from broadstreet.network.design.bill import Bill, Item, What
from broadstreet.network.design.choice import Choice
from broadstreet.network.design.design import Cable, Design, Duct, Role, Site, SiteKind, Splitter
from broadstreet.network.design.joint import End, Fibre, Joint, Leg, Port, Side, Socket
from broadstreet.network.design.programme import Programme
from broadstreet.network.design.statement import Path, Statement, Term

__all__ = [
    "Bill",
    "Cable",
    "Choice",
    "Design",
    "Duct",
    "End",
    "Fibre",
    "Item",
    "Joint",
    "Leg",
    "Path",
    "Port",
    "Programme",
    "Role",
    "Side",
    "Site",
    "SiteKind",
    "Socket",
    "Splitter",
    "Statement",
    "Term",
    "What",
]
