"""The compiler of hot loops: numba, with a type, behind one name.

A function marked `@compiled` becomes machine code when it is first called, and stands in `__pycache__` for the next
process. It takes and gives whole numbers and arrays alone (`int64`, `bool`, tuples of them), never fails, and lets go
of the interpreter's lock. Its lines are not seen by the measure of coverage, which is told so in pyproject.toml; what
they do is proved by the property tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Compiled = TypeVar("Compiled", bound=Callable[..., object])
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def compiled(function: Compiled) -> Compiled:
    """The function, as machine code from its first call on."""
    return cast(Compiled, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
