"""What is wrong with a statement: of which kind, where, what was claimed and what is true."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FindingKind(StrEnum):
    """The kinds of findings, in the order of the checks."""

    GROUND = "another ground"
    ID_TWICE = "id twice"
    UNKNOWN_PIECE = "unknown piece"
    SITE_PLACE = "site in the wrong place"
    SITE_TWICE = "two sites of one"
    SITE_SIZE = "size not in the catalogue"
    CABLE_SHAPE = "cable's stretches do not fit its sites"
    DROP_PLACE = "drop not at its premises"
    SPLITTER_SITE = "splitter where none stands"
    SPLITTER_RATIO = "splitter's ratio"

    WAY_UNKNOWN = "unknown way"
    WAY_TWICE = "way opened twice"
    WAY_UNUSABLE = "way that may not be used"
    LOCKED_LEFT_OUT = "locked way left out"
    UNCONNECTED = "not connected"
    PHASES = "phases that do not fit the ways"
    PHASE_UNCONNECTED = "not connected in its phase"

    DUCT_KIND = "duct not in the catalogue"
    DUCT_BROKEN = "duct's ways do not chain"
    DUCT_UNOPENED = "duct in a way that is not opened"
    CABLE_BROKEN = "cable's ways do not chain"
    CABLE_UNOPENED = "cable in a way that is not opened"
    CABLE_SIZE = "cable not in the catalogue"
    CABLE_MIXED = "cable both new and of spare fibres"
    DUCT_MISSING = "no duct for a cable"
    DUCT_TOO_SMALL = "duct too small for a cable"
    DUCT_OVERFULL = "duct overfull"
    ROOM_EXCEEDED = "more than plant has room for"

    END_NOT_THERE = "end not at the joint's site"
    FIBRE_BEYOND = "fibre the cable does not have"
    NO_SIDE = "side on which there is no fibre"
    PORT_BEYOND = "port the office does not have"
    SPLITTER_OVERFULL = "leg the splitter does not have"
    END_TWICE = "end in two joints"
    PORT_TWICE = "port used twice"

    SERVED_UNKNOWN = "served premises that are not there"
    SERVED_WITHOUT_NEED = "served premises that need nothing"
    SERVED_UNREACHED = "served premises that no way reaches"
    UNLIT = "served premises without light"
    PATH_BROKEN = "path broken"
    LOOP = "path runs in a circle"
    LEG_BACKWARDS = "splitter the wrong way round"
    SOCKET_BEYOND = "socket nobody needs"
    NOT_SERVED = "light at premises that are not served"
    STAGES = "splitters against the architecture"
    ROLE = "cable not in its role"
    CONNECTORS = "connectors against the architecture"
    CONNECTOR_PLACE = "connector between fibres in a closure"

    WAY_TOO_LONG = "path too long"
    DISTRIBUTION_TOO_LONG = "distribution too long"
    DROP_TOO_LONG = "drop too long"
    CLASS = "another optical class"
    LOSS_OVER = "loss over the class"
    LOSS_UNDER = "loss under the class"
    PATH_UNCLAIMED = "path nothing is said of"
    PATH_UNFOUNDED = "path that is not there"
    LENGTH = "length"
    LOSS = "loss"

    SECOND_MISSING = "no second way"
    WAYS_SHARED = "second way shares a way"
    TRENCH_SHARED = "second way shares a trench"

    CABINET_OVERFULL = "cabinet overfull"
    CABINET_SPLITTERS = "more splitters than a cabinet takes"
    CLOSURE_OVERFULL = "closure overfull"
    OFFICE_OVERFULL = "office overfull"
    SPARE_CABINET = "cabinet without its spare"
    SPARE_CABLE = "cable without its spare"

    CURRENCY = "currency"
    BILL_MISSING = "not on the bill"
    BILL_UNFOUNDED = "on the bill and not built"
    BILL_QUANTITY = "quantity on the bill"
    BILL_CENTS = "price on the bill"

    TERM_TWICE = "term named twice"
    TERM_OVER = "term over what it spends"
    TERMS_SUM = "terms do not sum to the cost"
    BOUND_OVER = "bound over the cost"

    BUDGET = "cost over the budget"
    POINTS = "worth of what is served"
    POINTS_OVER = "worth over its bound"
    NEEDED = "needed premises"
    PHASE_BUDGET = "phase over its budget"
    POINT_YEARS = "worth of the phases"
    POINT_YEARS_OVER = "worth of the phases over its bound"


class Finding(msgspec.Struct, frozen=True):
    """where: the piece or row it is about; lon, lat: its place in WGS 84 degrees, where it has one."""

    kind: FindingKind
    where: str
    claimed: str
    true: str
    lon: float | None = None
    lat: float | None = None

    def __str__(self) -> str:
        place = "" if self.lon is None or self.lat is None else f" (lon {self.lon:.6f}, lat {self.lat:.6f})"
        return f"{self.kind}: {self.where}{place}: claimed {self.claimed}; true is {self.true}"
