"""What a venture is worth if things are otherwise: one at a time, two at once, and all by chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.courses import F8
from broadstreet.network.investment.business import Falls, Spread, Spreads
from broadstreet.network.investment.case import stream_of
from broadstreet.network.investment.flow import Levers
from broadstreet.network.investment.returns import internal_rates, payback_years, sign_changes
from broadstreet.network.investment.venture import Venture

MAX_DRAWS: Final = 100_000
MAX_CELLS: Final = 10_000
PERCENTS: Final = (5, 10, 25, 50, 75, 90, 95)
AT_ONCE: Final = 1000
"""So many settings are reckoned together: their columns stay in the processor's own memory."""
LEVERS: Final = tuple(field.name for field in msgspec.structs.fields(Spreads))
ADDED: Final = frozenset({"interest", "delay_years"})
"""Levers that are added; the others are factors."""
TAKE_UPS: Final = (-0.4, -0.2, 0.0, 0.2, 0.4)
COSTS: Final = (-0.2, 0.0, 0.2, 0.4)
"""What is tried where take-up and cost are both in doubt."""
MAX_TURNING_YEARS: Final = 25
"""Up to how many years a row that turns its sign more than once has its rates counted at each end of each bar: what
that takes grows with the cube of the years."""


class Bar(msgspec.Struct, frozen=True):
    """One lever alone, from low to high. low, high: how far, as the sheet says it; and at both ends what it is worth,
    after how many years it has paid back (None: not within those that are reckoned), and its internal rate of return
    (None: there is none, or not one alone)."""

    lever: str
    low: float
    high: float
    low_npv_cents: int
    high_npv_cents: int
    low_payback_years: float | None = None
    high_payback_years: float | None = None
    low_rate: float | None = None
    high_rate: float | None = None

    @property
    def swing_cents(self) -> int:
        return abs(self.high_npv_cents - self.low_npv_cents)


class Tornado(msgspec.Struct, frozen=True):
    """The widest bar first."""

    npv_cents: int
    bars: tuple[Bar, ...]


class TwoWay(msgspec.Struct, frozen=True):
    """Two levers at once: npv_cents has a row for each value of the first and a column for each of the second."""

    rows: str
    columns: str
    row_values: tuple[float, ...]
    column_values: tuple[float, ...]
    npv_cents: tuple[tuple[int, ...], ...]


class Chance(msgspec.Struct, frozen=True):
    """All levers at once, drawn from triangles, independently. percentiles: by per cent. probability_worth: that the
    net present value is over nothing, and by how much that may be off (its standard error); probability_paid_back: that
    what was paid has come back within the years that are reckoned, undiscounted. weight: by lever, how closely the
    value follows it (Spearman's rank correlation)."""

    draws: int
    seed: int
    mean_cents: int
    percentiles: dict[int, int]
    probability_worth: float
    standard_error: float
    probability_paid_back: float
    weight: dict[str, float]


def tornado(venture: Venture) -> Tornado:
    """Each lever alone, over its spread."""
    spreads = {name: getattr(venture.business.spread, name) for name in LEVERS}
    columns = {name: np.full(2 * len(LEVERS) + 1, 0.0) for name in LEVERS}
    for number, (name, spread) in enumerate(spreads.items()):
        columns[name][2 * number : 2 * number + 2] = spread.low, spread.high
    flow, falls = venture.flow(_levers(columns)), venture.business.time.falls
    worth = [round(value) for value in flow.worth(falls).tolist()]
    nets = [[round(cents) for cents in row] for row in flow.net.tolist()]
    rates = [_rate(net, round(left), falls) for net, left in zip(nets, flow.residual.tolist(), strict=True)]
    bars = []
    for number, (name, spread) in enumerate(spreads.items()):
        low, high = 2 * number, 2 * number + 1
        bars.append(
            Bar(
                lever=name,
                low=spread.low,
                high=spread.high,
                low_npv_cents=worth[low],
                high_npv_cents=worth[high],
                low_payback_years=payback_years(nets[low]),
                high_payback_years=payback_years(nets[high]),
                low_rate=rates[low],
                high_rate=rates[high],
            )
        )
    return Tornado(worth[-1], tuple(sorted(bars, key=lambda bar: -bar.swing_cents)))


def _rate(net: Sequence[int], residual: int, falls: Falls) -> float | None:
    """The one internal rate of return that a setting has; None where there is none, or not one alone."""
    stream = stream_of(net, residual, falls)
    if sign_changes(stream) > 1 and len(net) > MAX_TURNING_YEARS:
        return None
    return internal_rates(stream).rate


def two_way(
    venture: Venture, rows: str, row_values: Sequence[float], columns: str, column_values: Sequence[float]
) -> TwoWay:
    """Two levers at once; values as a spread has them (-0.2 is a fifth less). Raises InvalidInput for a lever that
    there is not, twice the same, or too many cells."""
    for lever in (rows, columns):
        if lever not in LEVERS:
            _refuse(f"there is no lever {lever}", "levers", f"Choose among: {', '.join(LEVERS)}.")
    if rows == columns:
        _refuse(f"both are {rows}", "levers", "Name two different ones.")
    if not 0 < len(row_values) * len(column_values) <= MAX_CELLS:
        _refuse(f"{len(row_values)} by {len(column_values)} values", "values", f"Give 1 to {MAX_CELLS} pairs.")
    first, second = np.meshgrid(np.array(row_values, float), np.array(column_values, float), indexing="ij")
    values = {name: np.zeros(first.size) for name in LEVERS} | {rows: first.ravel(), columns: second.ravel()}
    worth = _worth(venture, _levers(values)).reshape(first.shape)
    cells = tuple(tuple(round(value) for value in row) for row in worth.tolist())
    return TwoWay(rows, columns, tuple(row_values), tuple(column_values), cells)


def take_up_by_cost(venture: Venture) -> TwoWay:
    """Both in doubt at once, which are so most often: rows by take-up, columns by cost."""
    return two_way(venture, "take_up", TAKE_UPS, "cost", COSTS)


def chance(venture: Venture, draws: int, seed: int) -> Chance:
    """All levers drawn so often. Equal seeds give equal draws. Raises InvalidInput for too many, or fewer than two."""
    if not 2 <= draws <= MAX_DRAWS:
        _refuse(f"{draws} draws", "draws", f"Choose 2 to {MAX_DRAWS}.")
    chances = np.random.default_rng(seed)
    columns = {name: _triangle(getattr(venture.business.spread, name), chances.random(draws)) for name in LEVERS}
    levers = _levers(columns)
    worth, paid_back = np.empty(draws), np.empty(draws, dtype=np.bool_)
    for start in range(0, draws, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        flow = venture.flow(levers.take(part))
        worth[part] = flow.worth(venture.business.time.falls)
        paid_back[part] = flow.net.sum(axis=1) >= 0
    likely = float((worth > 0).mean())
    ranks = _ranks(worth)
    return Chance(
        draws=draws,
        seed=seed,
        mean_cents=round(float(worth.mean())),
        percentiles={percent: round(float(np.percentile(worth, percent))) for percent in PERCENTS},
        probability_worth=likely,
        standard_error=float(np.sqrt(likely * (1 - likely) / draws)),
        probability_paid_back=float(paid_back.mean()),
        weight={name: _correlation(ranks, _ranks(column)) for name, column in columns.items()},
    )


def _levers(columns: dict[str, F8]) -> Levers:
    """Levers from columns as a spread has them."""
    count = len(next(iter(columns.values())))
    return Levers.of(count, **{name: one if name in ADDED else 1 + one for name, one in columns.items()})


def _worth(venture: Venture, levers: Levers) -> F8:
    parts = [slice(start, start + AT_ONCE) for start in range(0, len(levers), AT_ONCE)]
    return np.concatenate([venture.npv_cents(levers.take(part)) for part in parts])


def _triangle(spread: Spread, uniform: F8) -> F8:
    """Draws of a triangular distribution, by its inverse."""
    width = spread.high - spread.low
    if not width:
        return np.full_like(uniform, spread.low)
    rising = (spread.likely - spread.low) / width
    up = spread.low + np.sqrt(uniform * width * (spread.likely - spread.low))
    down = spread.high - np.sqrt((1 - uniform) * width * (spread.high - spread.likely))
    return np.where(uniform < rising, up, down)


def _ranks(values: F8) -> F8:
    """Ranks, those of equal values the same: their mean."""
    _, which, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return (ends - (count - 1) / 2)[which.ravel()].astype(np.float64)


def _correlation(one: F8, other: F8) -> float:
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale else 0.0


def _refuse(what: str, where: str, remedy: str) -> None:
    raise InvalidInput(what, where=where, remedy=remedy)
