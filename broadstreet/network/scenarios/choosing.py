"""Where sensors go, in a process of its own: the case read, sites chosen, checked, and drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from broadstreet.model.errors import Conflict
from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground
from broadstreet.network.scenarios.making import Stopping
from broadstreet.network.scenarios.siting import SitingFigures, SitingTask
from broadstreet.network.siting import SitingCase, SitingStatement, choose_sites, prove, sites_csv, sites_geojson
from broadstreet.network.siting.question import Question, case_of


@dataclass(frozen=True)
class Chosen:
    """An answer: its figures, and the files that it comes to, by name."""

    figures: SitingFigures
    files: dict[str, bytes]


def choose(
    task: SitingTask,
    ground: Ground,
    plan: Statement | None,
    folder: Path,
    stopping: Stopping,
    checking: Callable[[], None],
) -> Chosen:
    """The best sites found, checked. plan: whose ground it is, and from whose closures fibre comes. folder: of the
    files that are named. checking: called when the search is over.

    Raises InvalidInput and NotFound for what is asked wrongly, Conflict where the checker finds anything.
    """
    wish = task.wish
    own = {name: getattr(wish, name) for name in Question.__struct_fields__ if name not in ("inputs", "budget")}
    budget = None if wish.budget_cents is None else wish.budget_cents / 100
    case = case_of(Question(inputs=wish.inputs, budget=budget, **own), folder, ground, task.standing)
    if plan is not None:
        case = case.with_plan(plan.design)
    said = choose_sites(case, seconds=wish.seconds, seed=wish.seed, is_stopped=lambda: stopping.is_stopped)
    checking()
    findings = prove(said, case)
    if findings:
        raise Conflict(
            f"the checker found {len(findings)} things wrong with the choice, first: {findings[0]}",
            remedy="Ask again; what was chosen is not shown.",
        )
    files = {
        "statement.json": msgspec.json.encode(said),
        "sites.csv": sites_csv(said),
        "layers/sites.geojson": sites_geojson(said, case.today, case.gateways),
        "layers/candidates.geojson": _candidates(case),
    }
    return Chosen(_figures(said, case, was_stopped=stopping.is_stopped), files)


def _candidates(case: SitingCase) -> bytes:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [place.lon, place.lat]},
            "properties": {"place": place.id, "label": place.label, "kind": place.kind},
        }
        for place in case.candidates
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def _figures(said: SitingStatement, case: SitingCase, *, was_stopped: bool) -> SitingFigures:
    is_map = said.objective == "variance"

    def of(covered: float, variance: float | None) -> float:
        return (variance or 0.0) if is_map else float(covered)

    rivals = {
        one.name: of(one.covered[0], None if one.mean_variance is None else one.mean_variance[0]) for one in said.rivals
    }
    return SitingFigures(
        objective=said.objective,
        audience=said.audience,
        currency=said.currency,
        sites=len(said.sites),
        cost_cents=said.cost_cents,
        value=said.value,
        bound=said.bound,
        gap=said.gap if said.value else 0.0,
        is_optimal=said.is_optimal,
        today=of(said.today.covered, said.today.mean_variance),
        standing=len(case.today),
        greedy=rivals["greedy"],
        chance=rivals["random"],
        elsewhere=rivals.get("elsewhere"),
        audience_total=said.audience_total,
        candidates=said.candidates,
        reachable=said.reachable,
        seconds=said.seconds,
        was_stopped=was_stopped,
    )
