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
    them a fibre that is cut has both, and one that is not has none. Fibres count from 1."""

    cable: str
    fibre: int
    site: str
    side: Side


class Leg(msgspec.Struct, frozen=True, tag="leg"):
    """A splitter's fibre: 0 is the shared one, on the office's side; 1 to its ratio are the others."""

    splitter: str
    leg: int


class Port(msgspec.Struct, frozen=True, tag="port"):
    """A port of a central office's equipment, from 1."""

    site: str
    port: int


class Socket(msgspec.Struct, frozen=True, tag="socket"):
    """Where a fibre ends in a premises, from 1. A critical site's second way ends in a socket of its own."""

    site: str
    socket: int


End = Fibre | Leg | Port | Socket


class Joint(msgspec.Struct, frozen=True):
    """Two ends at one site, joined by fusion or by a connector. No end is in two joints."""

    site: str
    a: End
    b: End
    is_connector: bool = False
