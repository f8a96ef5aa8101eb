"""What is wrong with a choice of sites: of which kind, where, what was claimed and what is true."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FindingKind(StrEnum):
    """The kinds of findings, in the order of the checks."""

    GROUND = "another ground"
    QUESTION = "another question"
    SITE_UNKNOWN = "site that is no candidate"
    SITE_TWICE = "site chosen twice"
    SITE_PLACE = "site in the wrong place"
    TOO_MANY = "more sites than the count"
    OVER_BUDGET = "over the budget"
    UNCONNECTED = "connection that does not work there"
    CONNECTION = "not the cheapest connection"
    OFFER = "offer that is not so"
    LINK = "link budget"
    COST = "cost"
    REACHABLE = "how many can be connected"
    COVERED = "covered"
    VARIANCE = "variance"
    GAIN = "gain"
    ORDER = "not in the order of gains"
    CERTIFICATE = "bound that its certificate does not prove"
    BOUND_PASSED = "bound that is passed"
    OPTIMAL = "called the best, and not proved"
    RIVAL = "what another choice comes to"


class Finding(msgspec.Struct, frozen=True):
    """where: the site, place or number it is about."""

    kind: FindingKind
    where: str
    claimed: str
    true: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: claimed {self.claimed}; true is {self.true}"
