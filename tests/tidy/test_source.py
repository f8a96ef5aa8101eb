"""The source is tidy, each rule bites, and an exemption has a reason and an end."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.tidy import addresses, cancellation, catches, excuses, leftovers, queries, sizes
from tests.tidy.tree import ROOT, Rule, Tree

RULES: tuple[Rule, ...] = tuple(
    rule for room in (addresses, cancellation, catches, excuses, leftovers, queries, sizes) for rule in room.RULES
)
LONGEST_EXEMPTION = timedelta(days=120)
MIN_REASON_WORDS = 6

Exemptions = Sequence[Mapping[str, Any]]


def read_exemptions() -> Exemptions:
    text = (ROOT / "tests/tidy/exemptions.toml").read_text(encoding="utf-8")
    exemptions: Exemptions = tomllib.loads(text).get("exemption", [])
    return exemptions


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree.of_repository()


def failing(exemptions: Exemptions, faults: set[tuple[str, str]], today: date) -> list[str]:
    """What is wrong with a list of exemptions, where (rule, path) of all faults are known."""
    wrong = []
    for exemption in exemptions:
        rule, path, until = exemption["rule"], exemption["path"], exemption["until"]
        if until < today:
            wrong.append(f"{rule}, {path}: ended on {until}")
        if until - today > LONGEST_EXEMPTION:
            wrong.append(f"{rule}, {path}: {until} is more than {LONGEST_EXEMPTION.days} days away")
        if len(exemption["reason"].split()) < MIN_REASON_WORDS:
            wrong.append(f"{rule}, {path}: gives no reason")
        if (rule, path) not in faults:
            wrong.append(f"{rule}, {path}: is in order now, remove the exemption")
    return wrong


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_source_keeps(rule: Rule, tree: Tree) -> None:
    exempt = {exemption["path"] for exemption in read_exemptions() if exemption["rule"] == rule.name}
    faults = [str(fault) for fault in rule.find(tree) if fault.path not in exempt]
    assert not faults, "\n".join([f"{rule.name}:", *faults])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_planted_violation_is_caught(rule: Rule) -> None:
    assert {fault.path for fault in rule.find(Tree(rule.planted))} == rule.caught


def test_exemptions_are_reasoned_and_needed(tree: Tree) -> None:
    exemptions = read_exemptions()
    named = {exemption["rule"] for exemption in exemptions}
    faults = {(rule.name, fault.path) for rule in RULES if rule.name in named for fault in rule.find(tree)}
    assert not failing(exemptions, faults, datetime.now(UTC).date())


def test_a_planted_exemption_is_caught() -> None:
    today = date(2026, 11, 22)
    reason = "A reason that says why it must be so."
    good = {"rule": "r", "path": "p", "reason": reason, "until": date(2026, 12, 31)}
    known = {("r", "p")}
    assert failing([good], known, today) == []
    assert "ended" in failing([{**good, "until": date(2026, 11, 21)}], known, today)[0]
    assert "days away" in failing([{**good, "until": date(2028, 1, 1)}], known, today)[0]
    assert "no reason" in failing([{**good, "reason": "later"}], known, today)[0]
    assert "in order now" in failing([good], set(), today)[0]


def test_every_allowed_outermost_loop_exists(tree: Tree) -> None:
    """The list of loops that may catch everything only gets shorter: one that is gone, or tamed, is struck off."""
    for allowed, reason in catches.OUTERMOST_LOOPS.items():
        path, _, function = allowed.partition("::")
        assert len(reason.split()) >= MIN_REASON_WORDS
        assert function in catches.catching_everything(tree, path), f"{allowed} catches everything no more"
