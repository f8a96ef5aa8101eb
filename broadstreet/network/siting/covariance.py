"""How a map's values vary together: Matérn's covariance of smoothness 3/2, over distance in metres.

Two places d metres apart have the covariance sill · (1 + √3 d / range) · exp(−√3 d / range); a sensor's reading has the
variance `nugget` beside it, for what it gets wrong and for what varies within a few metres. (Matérn 1986; Rasmussen and
Williams, Gaussian Processes for Machine Learning, 4.2.) The mean is taken as known: variances are simple kriging's, and
hang on places alone, not on what is read there.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Covariance(msgspec.Struct, frozen=True, kw_only=True):
    """sill, nugget: in the unit of the readings, squared. source: where the three are from."""

    range_m: Annotated[float, Meta(gt=0, le=1e6)]
    sill: Annotated[float, Meta(gt=0, le=1e12)] = 1.0
    nugget: Annotated[float, Meta(gt=0, le=1e12)] = 0.1
    source: str = "as given"
