"""Networks of the Open Fibre Data Standard: whatever comes in goes out again; what the judge refuses does not pass."""

from __future__ import annotations

import copy
import json
import tempfile
import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadstreet.model.errors import BroadstreetError
from broadstreet.network.ofds import (
    Faults,
    Network,
    Package,
    Plan,
    PlannedNode,
    PlannedPhase,
    PlannedSpan,
    designed,
    examine,
    layers_of,
    mend,
    plant_of,
    read_package,
    survey,
    write_base,
    write_lines,
    write_package,
    write_pair,
)
from broadstreet.network.ofds.checking import check
from broadstreet.network.ofds.document import dump, parse
from broadstreet.network.ofds.features import scatter
from broadstreet.network.ofds.gathering import gather
from broadstreet.network.ofds.part import give, has_form, take
from tests.fibre import BROKEN, FORMS, JUNK, SOUND, canonical, consistent, one_wrong, rule_errors, schema_errors

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
SLOW = settings(QUICK, max_examples=40)
MANY = settings(QUICK, max_examples=80)


@given(JUNK | st.fixed_dictionaries({"networks": JUNK | st.lists(BROKEN | JUNK, max_size=2)}, optional={"links": JUNK}))
@QUICK
def test_whatever_it_is_goes_out_as_it_came_in(value: Any) -> None:
    before = canonical(value)
    faults = Faults()
    package = take(Package, value, "", faults)
    assert canonical(give(package)) == before
    assert canonical(parse(dump(value), "x", Faults())) == before
    for n, network in enumerate(package.networks):
        check(network, f"/networks/{n}", faults)
        survey(network)
        layers_of(network)
        mend(network)


@given(st.lists(SOUND | BROKEN | JUNK, max_size=3), JUNK)
@QUICK
def test_geojson_gives_back_what_it_was_made_of(networks: list[Any], other: Any) -> None:
    package = {"networks": networks, "other": other}
    before = canonical(package)
    collections = json.loads(json.dumps(scatter(package)))
    assert canonical(package) == before
    faults = Faults()
    assert canonical(gather(collections, faults)) == before
    assert not faults.counts


@given(st.lists(SOUND | BROKEN | JUNK, max_size=2), JUNK)
@SLOW
def test_a_geopackage_gives_back_what_it_was_made_of(networks: list[Any], other: Any) -> None:
    package = take(Package, {"networks": networks, "other": other}, "", Faults())
    with tempfile.TemporaryDirectory() as folder:
        write_base(Path(folder, "a.gpkg"), package, "2026-11-23T00:00:00.000Z")
        again, _ = read_package(Path(folder, "a.gpkg"))
    assert canonical(give(again)) == canonical(give(package))


@given(st.lists(SOUND, min_size=1, max_size=2), st.booleans())
@SLOW
def test_the_three_forms_say_the_same(raw: list[Any], with_links: bool) -> None:
    value = {"networks": raw, **({"links": {"next": "https://example.org/2"}} if with_links else {})}
    package = take(Package, value, "", Faults())
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        write_package(at / "a.json", package.networks, lambda: Package(links=package.links))
        write_lines(at / "a.jsonl", package.networks)
        pair = write_pair(at / "a", package)
        assert canonical(give(read_package(at / "a.json")[0])) == canonical(value)
        assert canonical(give(read_package(at / "a.jsonl")[0])) == canonical({"networks": raw})
        assert canonical(give(read_package(*pair)[0])) == canonical(value)
        assert canonical(give(read_package(*pair[::-1])[0])) == canonical(value)


@given(consistent())
@SLOW
def test_a_network_by_the_standard_passes_here_and_with_the_judge(raw: Any) -> None:
    faults = Faults()
    check(take(Network, raw, "", faults), "", faults)
    assert not faults.violations, faults.kept()
    assert schema_errors({"networks": [raw]}) == []
    assert [error for error in rule_errors({"networks": [raw]}) if "not_used" not in error] == []


@given(one_wrong())
@MANY
def test_what_the_judge_refuses_does_not_pass(raw: Any) -> None:
    faults = Faults()
    check(take(Network, raw, "", faults), "", faults)
    if not faults.violations:
        assert schema_errors({"networks": [raw]}) == []
        assert [error for error in rule_errors({"networks": [raw]}) if "not_used" not in error] == []


@given(SOUND)
@SLOW
def test_what_is_sound_by_itself_is_told_so(raw: Any) -> None:
    faults = Faults()
    take(Network, raw, "", faults)
    assert not faults.violations, faults.kept()
    assert [error for error in schema_errors({"networks": [raw]}) if "links" not in error] == []


@given(SOUND | BROKEN)
@QUICK
def test_a_mend_makes_nothing_worse_and_is_done_once(raw: Any) -> None:
    network = take(Network, raw, "", Faults())
    mended, mends = mend(network)
    assert examine(mended).violations <= examine(network).violations
    assert (mended == network) is (not mends)
    assert mend(mended) == (mended, [])


@given(st.text(max_size=12) | FORMS["uuid"] | FORMS["date"] | FORMS["iri"], st.sampled_from(["uuid", "date", "iri"]))
@SLOW
def test_a_form_that_passes_is_one_to_the_judge(text: str, form: str) -> None:
    if has_form(text, form):
        network: dict[str, Any] = {"id": str(uuid.UUID(int=1)), "links": [], "x": 1}
        network |= {"uuid": {"id": text}, "date": {"publicationDate": text}, "iri": {"website": text}}[form]
        assert [error for error in schema_errors({"networks": [network]}) if "links" not in error] == []


KEYS = st.text("abcdef", min_size=1, max_size=3)
PLACES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    keys = draw(st.lists(KEYS, min_size=2, max_size=6, unique=True))
    phases = draw(st.lists(KEYS, max_size=2, unique=True))
    one_phase = st.sampled_from([None, *phases])
    ends = st.tuples(st.sampled_from(keys), st.sampled_from(keys))
    pairs = [*pairwise(keys), *draw(st.lists(ends, max_size=3))]
    return Plan(
        key=draw(st.text(max_size=5)),
        name=draw(st.text(min_size=1, max_size=9)),
        nodes=tuple(
            PlannedNode(
                key=key,
                place=draw(PLACES),
                name=draw(st.none() | KEYS),
                types=draw(st.sampled_from([(), ("cabinet",)])),
                carrier=draw(st.none() | st.just("cableWell")),
                phase=draw(one_phase),
            )
            for key in keys
        ),
        spans=tuple(
            PlannedSpan(
                key=str(n),
                start=start,
                end=end,
                points=tuple(draw(st.just([]) | st.lists(PLACES, min_size=2, max_size=4))),
                carrier=draw(st.sampled_from([None, "duct", "pole"])),
                deployment=draw(st.sampled_from([None, "belowGround", "aboveGround"])),
                is_spare=draw(st.none() | st.booleans()),
                fibres=draw(st.none() | st.integers(1, 288)),
                fibre_type=draw(st.sampled_from([None, "G.652", "G.657"])),
                cable_m=draw(st.none() | st.floats(0, 1e5)),
                phase=draw(one_phase),
            )
            for n, (start, end) in enumerate(pairs)
        ),
        phases=tuple(PlannedPhase(key=key, name=f"Phase {key}") for key in phases),
        owner=draw(st.sampled_from([None, "City", "Fibre Ltd"])),
        operator=draw(st.sampled_from([None, "City"])),
        date="2026-11-23",
    )


@given(plans(), st.uuids())
@SLOW
def test_a_plan_is_a_network_that_the_judge_finds_no_fault_in(plan: Plan, namespace: uuid.UUID) -> None:
    network = designed(plan, namespace)
    package = {"networks": [give(network)]}
    assert schema_errors(package) == []
    assert rule_errors(package) == []
    assert designed(copy.deepcopy(plan), namespace) == network
    plant = plant_of(network)
    assert len(plant.stretches) == len(plan.spans)
    assert len(plant.sites) == len(plan.nodes)
    assert [stretch.fibres for stretch in plant.stretches] == [span.fibres for span in plan.spans]


@given(st.binary(max_size=40) | JUNK.map(lambda value: json.dumps(value).encode()))
@QUICK
def test_any_bytes_are_read_or_refused_with_words(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any")
        path.write_bytes(raw)
        try:
            read_package(path)
        except BroadstreetError as error:
            assert error.where
            assert error.remedy
