"""What is built, piece by piece. Ids are of the design's own, and no two pieces have the same."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from broadstreet.network.design.joint import Joint


class SiteKind(StrEnum):
    """Where something stands, or cables are opened."""

    OFFICE = "office"
    CABINET = "cabinet"
    CLOSURE = "closure"
    PREMISES = "premises"


class Site(msgspec.Struct, frozen=True):
    """A place at a node of the ground. size: which of the catalogue's cabinets or closures it is. office, premises: the
    row that it is of, for those kinds."""

    id: str
    kind: SiteKind
    node: int
    size: int | None = None
    office: int | None = None
    premises: int | None = None


class Duct(msgspec.Struct, frozen=True):
    """A duct of the catalogue's along ways, each of which begins where the one before it ends. It lies in ways that are
    opened; ways of plant are ducts themselves and have none."""

    id: str
    kind: str
    ways: tuple[int, ...]


class Role(StrEnum):
    """What a cable is for: from an office to a splitter or cabinet, from there to closures, from there to a socket."""

    FEEDER = "feeder"
    DISTRIBUTION = "distribution"
    DROP = "drop"


class Cable(msgspec.Struct, frozen=True):
    """A cable of so many fibres through its sites in order.

    ways[n] leads from site n to site n + 1, way by way; a drop has one stretch, of no ways where it leaves at its
    closure's own node. Its length is that of its ways; a drop's is the drop's of the premises, and whatever ways it
    has. An office's lead is part of the first stretch from it. ducts: by id, for each way the one it lies in, in the
    same shape as ways; an empty text where the way is of plant or on poles.
    """

    id: str
    role: Role
    fibres: int
    sites: tuple[str, ...]
    ways: tuple[tuple[int, ...], ...]
    ducts: tuple[tuple[str, ...], ...]


class Splitter(msgspec.Struct, frozen=True):
    """A splitter of the catalogue's, in a cabinet or closure. stage: 0 is nearest the office."""

    id: str
    site: str
    ratio: int
    stage: int = 0


class Design(msgspec.Struct, frozen=True):
    """A network as it is to be built.

    ground: the digest of the ground it is of. opened: the ways that are opened or used, each once, however many cables
    lie in it. served: the premises that have a path; second: those of them that have a second one, sharing no way with
    the first. phases: when each opened way is built, in the order of `opened`, from 1.
    """

    ground: str
    opened: tuple[int, ...]
    served: tuple[int, ...]
    second: tuple[int, ...]
    sites: tuple[Site, ...]
    ducts: tuple[Duct, ...]
    cables: tuple[Cable, ...]
    splitters: tuple[Splitter, ...]
    joints: tuple[Joint, ...]
    phases: tuple[int, ...] = ()
