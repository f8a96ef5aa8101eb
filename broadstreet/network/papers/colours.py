"""Which colour a fibre and its tube have, so that two splicers join the same two.

A cable holds tubes of twelve fibres; both count from 1. The order of the twelve colours is a convention of the country
that the cable is bought in, and is printed on its data sheet: look there first.

* TIA-598-D (Optical Fiber Cable Color Coding), tables 1 and 2: tubes have the fibres' order; from the thirteenth on
  they have the colours again with a black tracer, yellow on black. The commonest order outside Europe.
* DIN VDE 0888-3, with the colours of IEC 60304: the order of German cables. Their tubes are counted from the red one,
  in the direction of the green one; the others are white.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

FIBRES_PER_TUBE: Final = 12
_TIA: Final = (
    "blue",
    "orange",
    "green",
    "brown",
    "slate",
    "white",
    "red",
    "black",
    "yellow",
    "violet",
    "rose",
    "aqua",
)
_DIN: Final = (
    "red",
    "green",
    "blue",
    "yellow",
    "white",
    "grey",
    "brown",
    "violet",
    "turquoise",
    "black",
    "orange",
    "pink",
)


class ColourCode(StrEnum):
    """By which order fibres are coloured."""

    TIA = "TIA-598-D"
    DIN = "DIN VDE 0888-3"


class Marking(msgspec.Struct, frozen=True):
    """How one fibre of a cable looks: its tube, its place in the tube, and the colours of both."""

    tube: int
    tube_colour: str
    place: int
    colour: str


def marking(code: ColourCode, fibre: int) -> Marking:
    """How a fibre looks, which counts from 1 in its cable."""
    tube, place = divmod(fibre - 1, FIBRES_PER_TUBE)
    colours = _TIA if code is ColourCode.TIA else _DIN
    return Marking(tube + 1, _tube_colour(code, tube), place + 1, colours[place])


def _tube_colour(code: ColourCode, tube: int) -> str:
    if code is ColourCode.DIN:
        return ("red", "green")[tube] if tube < 2 else "white"
    tracers, number = divmod(tube, len(_TIA))
    colour = _TIA[number]
    if not tracers:
        return colour
    tracer = "yellow" if colour == "black" else "black"
    return f"{colour} with {'a' if tracers == 1 else tracers} {tracer} tracer{'s' if tracers > 1 else ''}"
