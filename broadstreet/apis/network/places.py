"""Where a refusal is about, for the map: what a project says of its own places, where the refusal names none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.network.scenarios import Project, Refused, around, trouble_of


@contextmanager
def placed(project: Project) -> Iterator[None]:
    """What is refused within is drawn where it is said to be, and else where the project's plans begin."""
    try:
        yield
    except InvalidInput as error:
        raise Refused(trouble_of(error, about=around(msgspec.to_builtins(project.inputs)))) from error
