"""What serving each premises is worth, and who is served in any case."""

from __future__ import annotations

import difflib

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.premises import PremisesKind
from broadstreet.network.ground.worth import POINTS, Worth


def premises_points(ground: Ground, worth: Worth) -> I8:
    """Each premises' points, as `Worth` defines them. Raises InvalidInput for an id that none has."""
    demand = ground.premises.demand
    known = {id: row for row, id in enumerate(demand.ids)}
    points = np.zeros(len(demand), np.int64)
    for part in (worth.by_weight * demand.weight, worth.by_fibre * demand.fibres):
        points += np.array([round(POINTS * each) for each in part.tolist()], np.int64)
    for name, group in worth.public.items():
        inside = np.isin(demand.kind, [PremisesKind[kind.name] for kind in group.kinds])
        words = [word.casefold() for word in group.words]
        labels = [label.casefold() for label in demand.labels]
        inside |= np.array([any(word in label for word in words) for label in labels], np.bool_)
        for id in group.ids:
            inside[_row(known, id, f"public.{name}.ids")] = True
        points += inside * round(POINTS * group.worth)
    return points


def needed_rows(ground: Ground, worth: Worth) -> set[int]:
    """Premises that are served in any case."""
    demand = ground.premises.demand
    known = {id: row for row, id in enumerate(demand.ids)}
    return {_row(known, id, "must") for id in worth.must} | set(np.flatnonzero(demand.is_critical).tolist())


def _row(known: dict[str, int], id: str, where: str) -> int:
    if id not in known:
        close = difflib.get_close_matches(id, known, n=1)
        near = f"did you mean {close[0]}?" if close else "look for it among the premises"
        raise InvalidInput(f"no premises has the id {id!r}; {near}", where=f"{where} of the worth", remedy="Mend it.")
    return known[id]
