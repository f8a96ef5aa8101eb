"""The page on sensors' sites names every field of a question and of the prices, and its example can be asked."""

from __future__ import annotations

import re
import tomllib

import msgspec
import pytest

from broadstreet.network.siting import Covariance, SensorPrices
from broadstreet.network.siting.prices import Service
from broadstreet.network.siting.question import Aim, Question
from broadstreet.network.siting.radio import PathLoss, Radio, Spreading
from tests.tidy.tree import ROOT

PAGE = (ROOT / "docs/howto/choose-sensor-sites.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("struct", [Question, Covariance, SensorPrices, Service, Radio, Spreading])
def test_every_field_is_named(struct: type[msgspec.Struct]) -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {field.name for field in msgspec.structs.fields(struct)} - named - {"title", "currency"} == set()


def test_every_aim_and_every_model_is_named() -> None:
    assert all(f"`{word}`" in PAGE for word in (*Aim, *PathLoss))


def test_the_example_can_be_asked() -> None:
    example = re.search(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    assert example
    question = msgspec.convert(tomllib.loads(example[1]), Question)
    assert (question.count, question.budget, question.gateways[0].height_m) == (20, 60_000, 30)
    assert question.radius_m == Question(inputs=question.inputs).radius_m
