"""What is joined to what, end by end: by this, light finds its way from the office to the socket."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Side(StrEnum):
    """Which end a fibre has at a site: `up` leads back towards its cable's first site, `down` on towards its last."""

    UP = "up"
    DOWN = "down"


class Fibre(msgspec.Struct, frozen=True, tag="fibre"):
    """A fibre's end at one of its cable's sites. At the first site there is only `down`, at the last only `up`; between
    them a fibre that is cut has both, and one that is not has none. It is cut where one of its ends is joined. Fibres
    count from 1."""

    cable: str
    fibre: int
    site: str
    side: Side


class Leg(msgspec.Struct, frozen=True, tag="leg"):
    """A splitter's fibre: 0 is the shared one, on the office's side; 1 to its ratio are the others. Light passes from 0
    to each of the others, and from none of them to another."""

    splitter: str
    leg: int


class Port(msgspec.Struct, frozen=True, tag="port"):
    """A port of a central office's equipment, from 1."""

    site: str
    port: int


class Socket(msgspec.Struct, frozen=True, tag="socket"):
    """Where a fibre ends in a premises, from 1. There are as many as the premises needs fibres, times the
    architecture's fibres for each customer, and light reaches every one. A second way ends in a socket of its own,
    numbered after these."""

    site: str
    socket: int


End = Fibre | Leg | Port | Socket


class Joint(msgspec.Struct, frozen=True):
    """Two ends at one site, joined by fusion or by a connector. No end is in two joints. Two fibres are always fused in
    a closure; of the joints that can be connectors a path has as many as the architecture says, or all of them."""

    site: str
    a: End
    b: End
    is_connector: bool = False
