"""Ducts for the cables that lie in each way, and how full ways of plant become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from broadstreet.network.design import Cable, Duct
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.streets import PLANT_KINDS
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.rooted import Rooted


@dataclass(frozen=True, slots=True)
class Ducted:
    """Cables with their ducts. crowded: ways of plant that have no room for all the cables that would lie in them."""

    ducts: tuple[Duct, ...]
    cables: tuple[Cable, ...]
    crowded: tuple[int, ...]


def in_ducts(ground: Ground, prices: Prices, trees: Sequence[Rooted], cables: Sequence[Cable]) -> Ducted:
    """The cheapest ducts on each way that is dug; a duct goes on as long as it holds the same cables. Trees may share
    ways: what lies in one is put into ducts along the first of its trees."""
    lying: dict[int, list[int]] = {}
    for number, cable in enumerate(cables):
        for way in {way for stretch in cable.ways for way in stretch}:
            lying.setdefault(way, []).append(number)
    kind, room = ground.ways.kind, ground.ways.room
    ducts: list[tuple[str, list[int]]] = []
    ending: dict[tuple[int, str, tuple[int, ...]], int] = {}
    lies_in: dict[tuple[int, int], str] = {}
    crowded = []
    first: dict[int, Rooted] = {}
    # From the offices outwards: what a duct comes from is known before it.
    for tree, position in ((each, position) for each in trees for position in range(1, len(each))):
        way = tree.way[position]
        if first.setdefault(way, tree) is not tree:
            continue
        held = sorted(lying.get(way, ()), key=lambda number: (-cables[number].fibres, number))
        if int(kind[way]) in PLANT_KINDS:
            if 0 <= int(room[way]) < len(held):
                crowded.append(way)
            continue
        begin = 0
        above = tree.way[tree.up[position]]
        for name, count in prices.pack([cables[number].fibres for number in held]):
            inside = tuple(held[begin : begin + count])
            begin += count
            duct = ending.pop((above, name, inside), None) if first.get(above) is tree else None
            if duct is None:
                duct = len(ducts)
                ducts.append((name, []))
            ducts[duct][1].append(way)
            ending[way, name, inside] = duct
            for number in inside:
                lies_in[number, way] = f"duct-{duct + 1}"
    made = tuple(Duct(f"duct-{number}", name, tuple(ways)) for number, (name, ways) in enumerate(ducts, start=1))
    laid = tuple(
        msgspec.structs.replace(
            cable, ducts=tuple(tuple(lies_in.get((number, way), "") for way in stretch) for stretch in cable.ways)
        )
        for number, cable in enumerate(cables)
    )
    return Ducted(made, laid, tuple(crowded))
