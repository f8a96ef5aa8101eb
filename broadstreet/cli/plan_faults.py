"""What is wrong with what a plan is made from, on a terminal and as a map in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from broadstreet.cli.console import console
from broadstreet.cli.place import place_of

if TYPE_CHECKING:
    from broadstreet.network.ground import Fault

SHOWN: Final = 10


def tell_faults(faults: Sequence[Fault], map_file: Path | None) -> None:
    """How many of each kind, and of each kind in turn what and where; the map has all."""
    if not faults:
        return
    kinds = Counter(fault.kind.value for fault in faults)
    where = f"{map_file} shows" if map_file is not None else "--map FILE writes"
    _line(f"  faults: {', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))}; {where} where")
    turn = Counter[str]()
    by_turn = []
    for fault in faults:
        by_turn.append((turn[fault.kind], fault))
        turn[fault.kind] += 1
    for _, fault in sorted(by_turn, key=lambda one: one[0])[:SHOWN]:
        _line(f"    {fault.kind}: {fault.what} ({fault.place}). {fault.remedy}")
    if len(faults) > SHOWN:
        _line(f"    and {len(faults) - SHOWN:,} more")


def write_faults(map_file: Path | None, faults: Sequence[Fault]) -> None:
    """The map."""
    from broadstreet.network.ground import faults_geojson

    if map_file is not None:
        map_file.write_bytes(faults_geojson(faults))


@contextmanager
def mapped(map_file: Path | None, scenario: Path | None, offices: Sequence[str]) -> Iterator[None]:
    """Where all is refused, the map has the places of the refusal; where it names none, what was to be planned; and
    otherwise nothing, so that an older map does not stand for it. What the ground's map showed before stays."""
    import msgspec

    from broadstreet.city.stated import stated_bounds
    from broadstreet.model.errors import BroadstreetError
    from broadstreet.network.scenarios.trouble import around, trouble_of

    write_faults(map_file, ())
    try:
        yield
    except BroadstreetError as error:
        inputs = _inputs(scenario, offices)
        named = inputs.get("extract")
        whole = stated_bounds(scenario.parent / named) if scenario is not None and isinstance(named, str) else None
        places = trouble_of(error, None, around(inputs, whole)).faults
        if map_file is not None and places is not None:
            map_file.write_bytes(msgspec.json.encode(places))
            _line(f"  {map_file} shows where, in {len(places['features']):,} places")
        raise


def _inputs(scenario: Path | None, offices: Sequence[str]) -> dict[str, Any]:
    """What a scenario and the options say of what it is made from, right or wrong as it may be."""
    from broadstreet.model.errors import InvalidInput
    from broadstreet.network.scenarios.sheet import raw_inputs

    found = raw_inputs(scenario) if scenario is not None else {}
    with suppress(InvalidInput):
        given = [place_of(text, "--office") for text in offices]
        found = {**found, "offices": [{"lon": lon, "lat": lat} for lon, lat in given]} if given else found
    return found


def _line(words: str) -> None:
    console.print(words, soft_wrap=True, markup=False)
