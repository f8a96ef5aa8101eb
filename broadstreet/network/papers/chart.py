"""Losses as a small histogram, with the limit they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Final

from broadstreet.network.papers.markup import Markup, element

WIDTH: Final = 640
HEIGHT: Final = 190
STEPS_DB: Final = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)
MOST_BARS: Final = 24
_FLOOR: Final = HEIGHT - 42
_TOP: Final = 24


def histogram(values: Sequence[float]) -> list[tuple[float, float, int]]:
    """How many values lie in each step: from, to, how many; the finest step that needs no more than `MOST_BARS`."""
    if not values:
        return []
    span = max(values) - min(values)
    step = next((step for step in STEPS_DB if span / step < MOST_BARS - 1), STEPS_DB[-1])
    first = floor(min(values) / step)
    counts = [0] * (floor(max(values) / step) - first + 1)
    for value in values:
        counts[floor(value / step) - first] += 1
    return [((first + n) * step, (first + n + 1) * step, count) for n, count in enumerate(counts)]


def loss_chart(values: Sequence[float], limit_db: float, id: str) -> Markup:
    """The histogram, and how far off the limit is."""
    bars = histogram(values)
    low, high = bars[0][0], max(bars[-1][1], limit_db)
    low -= (high - low) * 0.03
    most = max(count for _, _, count in bars)

    def x(db: float) -> float:
        return 10 + (db - low) / (high - low) * (WIDTH - 70)

    drawn = []
    for start, end, count in bars:
        tall = (_FLOOR - _TOP) * count / most
        left, right = x(start) + 0.7, x(end) - 0.7
        drawn.append(
            element(
                "rect",
                class_="bar",
                x=f"{left:.1f}",
                y=f"{_FLOOR - tall:.1f}",
                width=f"{right - left:.1f}",
                height=f"{tall:.1f}",
            )
        )
        if count == most:
            middle = (left + right) / 2
            drawn.append(
                element(
                    "text", count, class_="t-bar", x=f"{middle:.1f}", y=f"{_FLOOR - tall - 5:.1f}", text_anchor="middle"
                )
            )
    ticks = [
        element("text", f"{db:g}", class_="t-bar t-quiet", x=f"{x(db):.1f}", y=_FLOOR + 17, text_anchor="middle")
        for db in range(int(low) + 1, int(high) + 1)
        if x(limit_db) - x(db) > 30 or db == limit_db
    ]
    limit = x(limit_db)
    return element(
        "svg",
        element("title", "How much light is lost on the paths", id=f"{id}-title"),
        element(
            "desc",
            f"{len(values):,} paths lose from {min(values):.1f} to {max(values):.1f} dB; {limit_db:g} dB may be lost. "
            "The table below has every step.",
            id=f"{id}-text",
        ),
        drawn,
        element("path", class_="axis", d=f"M10 {_FLOOR}H{WIDTH - 20}"),
        ticks,
        element("path", class_="limit", d=f"M{limit:.1f} {_TOP - 8}V{_FLOOR + 5}"),
        element("text", f"limit {limit_db:g}", class_="t-bar", x=f"{limit - 6:.1f}", y=_TOP, text_anchor="end"),
        element("text", "dB lost at most", class_="t-bar t-quiet", x=10, y=HEIGHT - 6),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{id}-title {id}-text",
    )
