"""What is wrong with a network: each fault with its kind, its path, what it is and what to do about it.

A violation breaks the standard; an advice does not, but whoever plans or draws by the data should know of it. A file
may hold more faults than anybody reads: all are counted, and the first MAX_KEPT of a kind are kept whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

MAX_KEPT: Final = 1000
"""The most faults of one kind that are kept; beyond it they are counted."""

MAX_SHOWN: Final = 80
"""The most characters of a value that a fault repeats."""


class Severity(StrEnum):
    """How bad it is."""

    VIOLATION = "violation"
    ADVICE = "advice"


class Kind(StrEnum):
    """What kind of fault it is. Those after `unknown-member` are advice; those before break the standard."""

    WRONG_TYPE = "wrong-type"
    MISSING = "missing"
    EMPTY = "empty"
    NOT_ALLOWED = "not-allowed"
    NOT_IN_LIST = "not-in-list"
    WRONG_FORM = "wrong-form"
    WRONG_VALUE = "wrong-value"
    REPEATED = "repeated"
    NOT_DEGREES = "not-degrees"
    REPEATED_ID = "repeated-id"
    UNKNOWN_NODE = "unknown-node"
    UNKNOWN_PHASE = "unknown-phase"
    UNKNOWN_ORGANISATION = "unknown-organisation"
    UNKNOWN_WAYLEAVE = "unknown-wayleave"
    OTHER_NAME = "other-name"
    NO_CRS = "no-crs"
    NO_COUNTRY = "no-country"

    UNKNOWN_MEMBER = "unknown-member"
    MEMBER_TWICE = "member-twice"
    OTHER_COPY = "other-copy"
    SAME_NAME = "same-name"
    UNUSED_NODE = "unused-node"
    LOOSE_END = "loose-end"
    FAR_END = "far-end"
    SAME_COURSE = "same-course"
    SAME_PLACE = "same-place"
    NO_LENGTH = "no-length"

    @property
    def severity(self) -> Severity:
        """Whether it breaks the standard."""
        return Severity.ADVICE if self in _ADVICE else Severity.VIOLATION


_ADVICE: Final = frozenset(list(Kind)[list(Kind).index(Kind.UNKNOWN_MEMBER) :])


class Fault(msgspec.Struct, frozen=True):
    """
    One fault.

    path:   a JSON pointer from the file's beginning, such as /networks/0/spans/3/status; after `line 7:` in JSON Lines.
    remedy: what to do, in a sentence.
    place:  longitude and latitude of the node or of the span's first point, in degrees, where they are known.
    """

    kind: Kind
    path: str
    what: str
    remedy: str
    place: tuple[float, float] | None = None

    @property
    def severity(self) -> Severity:
        """Whether it breaks the standard."""
        return self.kind.severity

    def feature(self) -> dict[str, object]:
        """The fault as a GeoJSON feature, for a map of where the faults are."""
        at = None if self.place is None else {"type": "Point", "coordinates": list(self.place)}
        members = {"kind": self.kind, "severity": self.severity, "path": self.path, "what": self.what}
        return {"type": "Feature", "geometry": at, "properties": {**members, "remedy": self.remedy}}


class Faults:
    """The faults of a file, gathered while it is read and checked."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self._kept: dict[Kind, list[Fault]] = {}
        self._settled: Counter[Kind] = Counter()

    def add(self, kind: Kind, path: str, what: str, remedy: str, place: tuple[float, float] | None = None) -> None:
        """Note a fault. place: where it is, if that is not simply where the node or span is."""
        self.counts[kind] += 1
        kept = self._kept.setdefault(kind, [])
        if len(kept) < MAX_KEPT:
            kept.append(Fault(kind, path, what, remedy, place))

    def of(self, kind: Kind) -> list[Fault]:
        """The kept faults of a kind, in the order they were met."""
        return list(self._kept.get(kind, ()))

    def kept(self) -> list[Fault]:
        """All kept faults: violations first, by kind, each kind in the order it was met."""
        return [fault for kind in Kind for fault in self._kept.get(kind, ())]

    @property
    def violations(self) -> int:
        """How many faults break the standard."""
        return sum(count for kind, count in self.counts.items() if kind.severity is Severity.VIOLATION)

    @property
    def advices(self) -> int:
        """How many faults do not."""
        return self.counts.total() - self.violations

    def settle(self, at: str, places: Mapping[str, tuple[float, float]]) -> None:
        """Give the faults noted since the last call their places. places: by path below `at`, such as /nodes/4."""
        for kind, kept in self._kept.items():
            for n in range(self._settled[kind], len(kept)):
                if kept[n].place is not None:
                    continue
                below = "/".join(kept[n].path.removeprefix(at).split("/")[:3])
                if below in places:
                    kept[n] = msgspec.structs.replace(kept[n], place=places[below])
            self._settled[kind] = len(kept)


def shown(value: object) -> str:
    """A value as a message repeats it: short."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
