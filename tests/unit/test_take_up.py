"""Curves of take-up, held against their formulas as they stand in the papers."""

from __future__ import annotations

import numpy as np
import pytest

from broadstreet.network.investment.take_up import Form, TakeUp
from tests.reckoning import share


def test_curves_are_those_of_their_formulas() -> None:
    times = np.array([-0.5, 0.0, 0.3, 1.0, 4.5, 12.0, 40.0])
    for curve in (
        TakeUp(form=Form.LOGISTIC, start=0.05, ceiling=0.5, speed=0.8),
        TakeUp(form=Form.GOMPERTZ, start=0.05, ceiling=0.5, speed=0.45),
        TakeUp(form=Form.BASS, ceiling=0.5, speed=0.03, following=0.38),
        TakeUp(form=Form.BASS, start=0.1, ceiling=0.5, speed=0.03, following=0.38),
        TakeUp(form=Form.TABLE, start=0.05, table=[0.1, 0.3, 0.2]),
    ):
        assert curve.at(times) == pytest.approx([share(curve, float(time)) for time in times])
        assert curve.at(times)[0] == 0.0
        assert curve.at(times).max() <= curve.top + 1e-12
    # Bass 1969: sales are highest after ln(q / p) / (p + q) years, when (q - p) / 2q of the ceiling have come.
    p, q = 0.03, 0.38
    peak = np.log(q / p) / (p + q)
    bass = TakeUp(form=Form.BASS, ceiling=1.0, speed=p, following=q)
    assert float(bass.at(np.array([peak]))[0]) == pytest.approx((q - p) / (2 * q))
    assert TakeUp(form=Form.BASS, start=0.5, ceiling=0.5).at(times[1:]) == pytest.approx(0.5)
    assert TakeUp(form=Form.LOGISTIC, ceiling=0.0).at(times) == pytest.approx(0.0)
