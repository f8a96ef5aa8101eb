"""What holds of the papers of any correct plan: they sum to the bill, tell each joint once and each path to its end."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings

from broadstreet.network.papers import TABLES, Dossier, layers
from broadstreet.network.papers.digging import chains, runs
from broadstreet.network.papers.parts import parts_of
from tests.papers import IMPRINT
from tests.property.test_proof import trials
from tests.trial import Trial

FEW = settings(max_examples=25, deadline=None)


@given(trials())
@FEW
def test_papers_say_what_is_built_and_what_it_costs(trial: Trial) -> None:
    dossier = Dossier.of(trial.statement, trial.ground, trial.architecture, trial.optics, IMPRINT)
    made = {name: make(dossier) for name, make in TABLES.items()}
    bill = trial.statement.bill
    for name in ("bill", "phases", "areas", "street_costs"):
        assert sum(map(_whole, made[name].of("cost"))) == bill.cents, name
    for name in ("phases", "areas", "street_costs"):
        by_labour = sum(sum(map(_whole, made[name].of(column))) for column in ("labour", "material", "both"))
        assert by_labour == bill.cents
    counted = Counter[object]()
    for part in parts_of(dossier):
        counted[part.key] += part.quantity  # type: ignore[assignment]  # a Counter adds up floats as well
    assert {(i.what, i.key, i.unit, i.phase): i.quantity for i in bill.items if i.quantity} == pytest.approx(counted)
    told = Counter((row[0], row[3]) for row in made["splices"].rows)
    assert len(told) == len(trial.statement.design.joints) == sum(told.values())
    assert len(made["sockets"].rows) == len(trial.statement.paths)
    assert sum(map(_whole, made["premises"].of("sockets"))) == len(trial.statement.paths)
    for layer in layers(dossier):
        assert len(layer.shapes) == len(layer.rows)


@given(trials())
@FEW
def test_every_way_is_in_one_run_and_runs_chain(trial: Trial) -> None:
    dossier = Dossier.of(trial.statement, trial.ground, trial.architecture, trial.optics, IMPRINT)
    assert Counter(way for run in runs(dossier) for way in run.ways) == Counter(trial.statement.design.opened)
    ways = trial.ground.ways
    for chain, nodes in chains(dossier, trial.statement.design.opened):
        assert len(nodes) == len(chain) + 1
        for way, start, end in zip(chain, nodes, nodes[1:], strict=False):
            assert {start, end} == {int(ways.a[way]), int(ways.b[way])}


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
