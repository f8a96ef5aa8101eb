"""What serving premises is worth, where a budget does not reach for all: points, by who lives, works and learns there.

A `Worth` is a sheet (TOML). Premises are worth `by_weight` times their weight (households, jobs and businesses, as
`Needs` count them), `by_fibre` for each fibre they need, and the `worth` of every public group that they belong to: by
id, by kind, or by a word that their label holds in any case. A point is a hundredth of that; each of these parts is
rounded to whole points by itself, halves to even. Premises that are critical, or whose ids `must` names, are served in
any case."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from broadstreet.network.ground.catalogue import Word, default_sheet
from broadstreet.network.ground.premises import Weight
from broadstreet.network.ground.sheet import parse_sheet, read_sheet

POINTS: Final = 100
"""How many points a worth of 1 has."""


class GroupKind(StrEnum):
    """Kinds of premises by name, as a sheet has them; the numbers are in `PremisesKind`."""

    ADDRESS = "address"
    BUSINESS = "business"
    BUILDING = "building"
    AREA = "area"
    SITE = "site"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What the public gains from premises of one sort, beside who lives and works there."""

    worth: Weight
    words: tuple[Word, ...] = ()
    kinds: tuple[GroupKind, ...] = ()
    ids: tuple[Word, ...] = ()


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """What serving is worth."""

    title: Word
    by_weight: Weight
    by_fibre: Weight
    public: dict[Word, Group] = {}
    must: tuple[Word, ...] = ()


def read_worth(path: Path) -> Worth:
    """The worth that a TOML file holds. Raises InvalidInput with every fault and its place."""
    return read_sheet(path, Worth)


@cache
def default_worth() -> Worth:
    """The worth that comes with Broadstreet."""
    return parse_sheet(default_sheet("worth.toml"), Worth, "the worth that comes with Broadstreet")
