"""A file looked at from end to end, and a file made of it: what the commands say.

Both go network by network, so that JSON Lines of any size need no more memory than their longest line.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from broadstreet.model.errors import TooLarge
from broadstreet.network.ofds.checking import examine
from broadstreet.network.ofds.document import MAX_DOCUMENT_BYTES
from broadstreet.network.ofds.fault import Fault, Faults, Kind
from broadstreet.network.ofds.mending import Mend, mend
from broadstreet.network.ofds.network import Network, Package
from broadstreet.network.ofds.plant import Survey, survey
from broadstreet.network.ofds.source import Form, Source
from broadstreet.network.ofds.writing import write_base, write_lines, write_package, write_pair

MAX_LISTED: Final = 1000
"""The most networks that a report describes one by one, and the most mends; beyond it they are counted."""


class Report(msgspec.Struct, frozen=True):
    """
    What a file holds and what is wrong with it.

    surveys: of the first networks. length_m: of all spans by status. counts: faults by kind. faults: those kept.
    """

    form: Form
    networks: int
    surveys: tuple[Survey, ...]
    length_m: dict[str, float]
    violations: int
    advices: int
    counts: dict[Kind, int]
    faults: tuple[Fault, ...]


def report(*paths: Path) -> Report:
    """Look at a file of networks, or at both of a GeoJSON pair. Raises InvalidInput, NotFound, TooLarge."""
    faults = Faults()
    source = Source(*paths, faults=faults)
    surveys: list[Survey] = []
    lengths: dict[str, float] = {}
    count = 0
    for _, network in source:
        count += 1
        found = survey(network)
        for status, length_m in found.length_m.items():
            lengths[status] = lengths.get(status, 0.0) + length_m
        if len(surveys) < MAX_LISTED:
            surveys.append(found)
    return Report(
        form=source.form,
        networks=count,
        surveys=tuple(surveys),
        length_m=lengths,
        violations=faults.violations,
        advices=faults.advices,
        counts={kind: faults.counts[kind] for kind in Kind if faults.counts[kind]},
        faults=tuple(faults.kept()),
    )


def fault_map(faults: tuple[Fault, ...]) -> dict[str, object]:
    """Where the faults are, as a GeoJSON collection; a fault without a place is a feature without a geometry."""
    return {"type": "FeatureCollection", "features": [fault.feature() for fault in faults]}


UNDATED: Final = "1970-01-01T00:00:00.000Z"
"""When a file says that it was made where nothing says when: equal networks give equal files."""


class Target(StrEnum):
    """What a file may be made into."""

    JSON = "json"
    JSONL = "jsonl"
    GEOJSON = "geojson"
    GPKG = "gpkg"


class Conversion(msgspec.Struct, frozen=True):
    """
    What was written.

    mends: the first of what was put right, of so many. left: members of the package that JSON Lines cannot hold.
    violations, faults: of what was written.
    """

    paths: tuple[Path, ...]
    networks: int
    mended: int
    mends: tuple[Mend, ...]
    left: tuple[str, ...]
    violations: int
    faults: tuple[Fault, ...]


def convert(paths: tuple[Path, ...], target: Target, out: Path, *, is_as_it_is: bool) -> Conversion:
    """
    Write the networks of a file, or of a GeoJSON pair, in another form.

    is_as_it_is: nothing is mended, and what is written says exactly what was read.
    """
    work = _Conversion(Source(*paths, faults=Faults()), is_as_it_is=is_as_it_is)
    written: tuple[Path, ...] = (out,)
    left: tuple[str, ...] = ()
    if target is Target.JSON:
        write_package(out, work.networks(), work.envelope)
    elif target is Target.JSONL:
        write_lines(out, work.networks())
        left = (*(("links",) if work.envelope().links else ()), *work.envelope().other)
    else:
        for path in paths:
            if path.is_file() and path.stat().st_size > MAX_DOCUMENT_BYTES:
                what = f"no {target.value} is made of a file of over {MAX_DOCUMENT_BYTES // (1024 * 1024)} MB"
                raise TooLarge(what, where=str(path), remedy="Take fewer networks at once, or choose jsonl.")
        networks = tuple(work.networks())
        envelope = work.envelope()
        package = Package(networks=networks, links=envelope.links, other=envelope.other)
        if target is Target.GPKG:
            write_base(out, package, UNDATED)
        else:
            written = write_pair(out.with_suffix("") if out.suffix in (".geojson", ".json") else out, package)
    return Conversion(
        paths=written,
        networks=work.count,
        mended=work.mended,
        mends=tuple(work.mends),
        left=left,
        violations=work.violations,
        faults=tuple(work.faults[:MAX_LISTED]),
    )


class _Conversion:
    """Networks on their way from one file to another, with what was done to them."""

    def __init__(self, source: Source, *, is_as_it_is: bool) -> None:
        self.count = self.mended = self.violations = 0
        self.mends: list[Mend] = []
        self.faults: list[Fault] = []
        self._source = source
        self._is_as_it_is = is_as_it_is

    def envelope(self) -> Package:
        return self._source.envelope

    def networks(self) -> Iterator[Network]:
        for at, given in self._source:
            self.count += 1
            network = given
            if not self._is_as_it_is:
                network, mends = mend(given)
                self.mended += len(mends)
                room = MAX_LISTED - len(self.mends)
                self.mends += [Mend(at + one.path, one.what) for one in mends[:room]]
            faults = examine(network, at)
            self.violations += faults.violations
            if len(self.faults) < MAX_LISTED:
                self.faults += [fault for fault in faults.kept() if fault.severity == "violation"]
            yield network
