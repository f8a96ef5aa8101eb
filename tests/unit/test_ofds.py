"""Networks of the Open Fibre Data Standard: each kind of fault, where it is, and what is mended."""

from __future__ import annotations

import uuid

import pytest

from broadstreet.network.ofds import (
    Kind,
    Severity,
    examine,
    fault,
    mend,
    plant_of,
)
from broadstreet.network.ofds.part import give
from tests.harbour import GOOD, network, with_


def test_a_good_network_has_no_fault() -> None:
    assert not network(GOOD)[1].counts


SPAN = GOOD["spans"][0]
PLANTED = {
    Kind.WRONG_TYPE: ("/spans/0/fibreCount", "many", "/spans/0/fibreCount"),
    Kind.MISSING: ("/phases/0/id", None, "/phases/0/id"),
    Kind.EMPTY: ("/spans/0/technologies", [], "/spans/0/technologies"),
    Kind.NOT_ALLOWED: ("/spans/0/route/bbox", [1], "/spans/0/route/bbox"),
    Kind.NOT_IN_LIST: ("/spans/0/status", "live", "/spans/0/status"),
    Kind.WRONG_FORM: ("/id", "UFINET-CR", "/id"),
    Kind.WRONG_VALUE: ("/links/0/href", "https://example.org/0__3__0", "/links/0"),
    Kind.REPEATED: ("/spans/0/countries", ["FI", "FI"], "/spans/0/countries/1"),
    Kind.NOT_DEGREES: (
        "/spans/0/route/coordinates",
        [[385000.5, 6672000.1], [385100.0, 6672000.1]],
        "/spans/0/route/coordinates/0",
    ),
    Kind.REPEATED_ID: ("/phases/1", {"id": "p", "name": "Second"}, "/phases/1/id"),
    Kind.UNKNOWN_NODE: ("/spans/0/end", "c", "/spans/0/end"),
    Kind.UNKNOWN_PHASE: ("/spans/0/phase", {"id": "q"}, "/spans/0/phase/id"),
    Kind.UNKNOWN_ORGANISATION: ("/spans/0/supplier", {"id": "x"}, "/spans/0/supplier/id"),
    Kind.UNKNOWN_WAYLEAVE: ("/spans/0/wayleaves", ["w"], "/spans/0/wayleaves/0"),
    Kind.OTHER_NAME: ("/spans/0/transmissionMediumOwner/name", "Town", "/spans/0/transmissionMediumOwner/name"),
    Kind.NO_CRS: ("/crs", None, "/crs"),
    Kind.NO_COUNTRY: (
        "/nodes/0/internationalConnections",
        [{"locality": "Tallinn"}],
        "/nodes/0/internationalConnections/0/country",
    ),
    Kind.UNKNOWN_MEMBER: ("/spans/0/pointNames", "A, B", "/spans/0/pointNames"),
    Kind.SAME_NAME: ("/nodes/1/name", "Exchange", "/nodes/1/name"),
    Kind.UNUSED_NODE: ("/nodes/2", {"id": "c"}, "/nodes/2"),
    Kind.LOOSE_END: ("/spans/0/end", None, "/spans/0/end"),
    Kind.FAR_END: ("/nodes/1/location/coordinates", [24.96, 60.17], "/spans/0/route"),
    Kind.SAME_COURSE: (
        "/spans/1",
        {
            **SPAN,
            "id": "t",
            "name": "Back",
            "route": {**SPAN["route"], "coordinates": SPAN["route"]["coordinates"][::-1]},
        },
        "/spans/1",
    ),
    Kind.SAME_PLACE: ("/nodes/1/location/coordinates", [24.94, 60.17], "/nodes/1"),
    Kind.NO_LENGTH: ("/spans/0/route/coordinates", [[24.94, 60.17], [24.94, 60.17]], "/spans/0/route"),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_each_kind_of_fault_is_found_where_it_is(kind: Kind) -> None:
    path, value, where = PLANTED[kind]
    taken, faults = network(with_(path, value))
    [found] = faults.of(kind)
    assert found.path == where
    assert found.what
    assert found.remedy
    if where.startswith(("/nodes/0", "/spans")):
        assert found.place is not None
    assert give(taken) == with_(path, value)
    violations = {kind for kind in faults.counts if kind.severity is Severity.VIOLATION}
    assert violations == ({kind} if kind.severity is Severity.VIOLATION else set())


def test_every_kind_is_planted_or_met_elsewhere() -> None:
    assert set(Kind) - set(PLANTED) == {Kind.MEMBER_TWICE, Kind.OTHER_COPY}


def test_spans_elsewhere_are_not_missed() -> None:
    raw = with_(
        "/links/1", {"rel": "tag:opentelecomdata.net,2022:nodesFile", "href": "https://example.org/nodes.jsonl"}
    )
    raw["spans"][0]["end"] = "far away"
    assert not network(raw)[1].counts


def test_many_faults_are_counted_and_few_kept() -> None:
    raw = with_("/spans", [{"id": str(n), "colour": n, "start": "a", "end": "b"} for n in range(fault.MAX_KEPT + 5)])
    faults = network(raw)[1]
    assert faults.counts[Kind.UNKNOWN_MEMBER] == fault.MAX_KEPT + 5
    assert len(faults.of(Kind.UNKNOWN_MEMBER)) == fault.MAX_KEPT


def test_a_projection_is_said_and_no_reference_system_is_made_up_for_it() -> None:
    raw = with_(*PLANTED[Kind.NOT_DEGREES][:2])
    del raw["crs"]
    taken, faults = network(raw)
    assert "metres" in faults.of(Kind.NOT_DEGREES)[0].remedy
    assert mend(taken)[0].crs is None
    assert plant_of(taken).stretches[0].is_straight  # its nodes' places are in degrees


def test_what_is_sure_is_mended_and_nothing_is_lost() -> None:
    raw = with_("/id", "UFINET-CR")
    del raw["crs"]
    raw["links"] = [{"rel": "describedby", "href": "https://example.org/0__3__0/network-schema.json"}]
    raw["spans"][0]["physicalInfrastructureProvider"] = raw["spans"][0].pop("transmissionMediumOwner")
    raw["nodes"][0] |= {"type": [], "address": {"region": None}, "power": None, "name": ""}
    raw["colour"] = None
    mended, mends = mend(network(raw)[0])
    assert not examine(mended).violations
    assert mended.identifier == "UFINET-CR"
    assert mended.id == mend(network(raw)[0])[0].id
    assert uuid.UUID(mended.id).version == 5
    assert give(mended) == {
        **GOOD,
        "id": mended.id,
        "identifier": "UFINET-CR",
        "nodes": [{k: v for k, v in GOOD["nodes"][0].items() if k != "name"}, GOOD["nodes"][1]],
        "colour": None,
    }
    assert {one.path for one in mends} == {
        "/id",
        "/crs",
        "/links/0",
        "/spans/0/physicalInfrastructureProvider",
        "/nodes/0/type",
        "/nodes/0/address",
        "/nodes/0/address/region",
        "/nodes/0/power",
        "/nodes/0/name",
    }


def test_an_id_stays_where_its_place_is_taken() -> None:
    raw = {**with_("/id", "CR"), "identifier": "other"}
    assert mend(network(raw)[0])[0].id == "CR"


def test_links_begin_with_the_schema() -> None:
    raw = with_("/links", [{"rel": "about", "href": "https://example.org"}])
    assert [link.rel for link in mend(network(raw)[0])[0].links] == ["describedby", "about"]
    assert mend(network(with_("/links", "none"))[0])[0].links == ()
