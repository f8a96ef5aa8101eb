"""The page on what a plan is worth names every entry of the sheet and every field of a case."""

from __future__ import annotations

import re

import msgspec
import pytest

from broadstreet.network.investment import Business, Case
from broadstreet.network.investment.business import (
    Building,
    Counts,
    Customer,
    Drops,
    Falls,
    Lives,
    Meant,
    Money,
    Operating,
    Order,
    Phases,
    PublicValue,
    Spread,
    Spreads,
    Sum,
    Time,
)
from broadstreet.network.investment.case import AreaCase, BreakEven, Group, Line, PublicWorth, Stage
from broadstreet.network.investment.returns import Rates
from broadstreet.network.investment.take_up import Form, TakeUp
from tests.tidy.tree import ROOT

PAGE = (ROOT / "docs/reference/investment.md").read_text(encoding="utf-8")
SHEET = (Business, Time, Money, Building, Customer, TakeUp, Operating, Lives, Phases, PublicValue, Spreads, Spread, Sum)
CASE = (Case, Line, Stage, AreaCase, PublicWorth, BreakEven, Rates)


@pytest.mark.parametrize("struct", [*SHEET, *CASE], ids=lambda struct: struct.__name__)
def test_every_field_is_named(struct: type[msgspec.Struct]) -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {field.name for field in msgspec.structs.fields(struct)} - named - {"name", "business", "kind"} == set()


def test_every_word_is_named() -> None:
    assert all(f"`{word}`" in PAGE for kind in (Counts, Drops, Falls, Meant, Order, Form, Group) for word in kind)


def test_the_share_of_drops_is_the_one_that_is_said() -> None:
    assert f"{100 * (1 - 0.5**5):.0f} % of the drops" in PAGE
