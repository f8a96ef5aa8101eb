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
    row that it is of, for those kinds; such a site is at that row's node, and a row has one site at most.

    A cabinet's size is how many fibres from the premises' side it takes (those by which the paths of sockets come to
    it), with the architecture's spare; a closure's, how many joints.
    """

    id: str
    kind: SiteKind
    node: int
    size: int | None = None
    office: int | None = None
    premises: int | None = None


class Duct(msgspec.Struct, frozen=True):
    """A duct of the catalogue's along ways, each of which begins where the one before it ends, and none of which comes
    twice. It lies in ways that are opened; ways of plant, whatever their kind, are ducts themselves and have none. On
    each of its ways it takes as many cables as its kind does."""

    id: str
    kind: str
    ways: tuple[int, ...]


class Role(StrEnum):
    """What a cable is for: from an office to a splitter or cabinet, from there to closures, from there to a socket.

    Light passes feeders first, distribution cables then, one drop at last. In a PON feeders lie before the first
    splitter and distribution cables behind it; point to point, a cabinet lies between the two, or no feeder is passed.
    """

    FEEDER = "feeder"
    DISTRIBUTION = "distribution"
    DROP = "drop"


class Cable(msgspec.Struct, frozen=True):
    """A cable of so many fibres through its sites in order.

    ways[n] leads from site n to site n + 1, way by way; no site comes twice. A drop has two sites: a cabinet, a
    closure or, point to point, an office, and its premises (where no other cable ends); and one stretch, of no ways
    where it leaves at its closure's own node.
    Its length is that of its ways; a drop's is the drop's of the premises, and whatever ways it has: both together are
    at most the architecture's longest_drop_m. An office's lead is part of each stretch that begins or ends there.
    ducts: by id, for each way the one it lies in, in the same shape as ways; an empty text where the way is of plant or
    on poles.

    A cable is of a size of the catalogue's. Beside the fibres that light goes through on its fullest stretch
    it keeps its role's spare share of them; a drop keeps none. Along ways of plant that are fibres it is spare fibres
    of what lies there: such a cable has no other ways, any number of fibres, and takes as much of their room as it has
    fibres; any other takes one of a way's room each time it goes along it. A drop is always a new one.
    """

    id: str
    role: Role
    fibres: int
    sites: tuple[str, ...]
    ways: tuple[tuple[int, ...], ...]
    ducts: tuple[tuple[str, ...], ...]


class Splitter(msgspec.Struct, frozen=True):
    """A splitter of the catalogue's: of the stage nearest the office, 0, in a cabinet, of the other in a cabinet or a
    closure. Its ratio is the one that the architecture has there; light passes every stage once, in their order."""

    id: str
    site: str
    ratio: int
    stage: int = 0


class Design(msgspec.Struct, frozen=True):
    """A network as it is to be built.

    ground: the digest of the ground it is of. opened: the ways that are opened or used, each once, however many cables
    lie in it; every way that is locked is one of them. served: the premises that have a path; every other is unlit.
    second: those of them that have a second one, sharing no way with the first, nor a trench (two ways, one of them
    plant, that lie half a metre or less from each other over more than half of the shorter); what both may share is the
    premises' own drop, an office's lead, and sites. A critical premises that is served has a second way, unless its
    streets have none.

    phases: when each opened way is built, in the order of `opened`, from 1; none: all is built in the first. By the end
    of each phase all ways built so far that hang together with an office in the end do so already. Trench, permits,
    crossings, plant and ducts are of their way's phase; a cable is of the latest of its ways'; light is of the latest
    of the cables it goes through; an office, port, cabinet, closure, splitter or joint is of the earliest light that is
    joined there, a drop of the earliest that goes through it; and of the first phase if there is none.
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
