"""The client for notebooks where no house is needed: what it imports, how patient it is, how it shows things."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from broadstreet.client import Attribute, City, Entity, Query, Receiver
from broadstreet.client.evolution import Stretch
from broadstreet.client.html import MAX_CELL, MAX_ROWS, table
from broadstreet.client.link import LONGEST_PAUSE_S, Patience
from broadstreet.model.clock import to_us
from broadstreet.model.errors import InvalidInput, NotFound, Unavailable
from tests.tidy.tree import ROOT

NEEDED = ("httpx", "httpcore", "h11", "anyio", "sniffio", "certifi", "idna", "msgspec", "typing_extensions")
ALONE = f"""
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {("broadstreet", *NEEDED)!r}:
            raise ModuleNotFoundError(f"{{top}} is not installed")

sys.meta_path.insert(0, Nothing())
import broadstreet.client
from broadstreet.client.frame import frame_of_entities
from broadstreet.model.errors import OperationNotSupported

try:
    frame_of_entities([])
except OperationNotSupported as error:
    print(error)
"""
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAMP = {
    "id": "urn:x:1",
    "type": ["Lamp", "Thing"],
    "scope": "/Helsinki",
    "level": [
        {"type": "Property", "value": 2, "datasetId": "urn:d:1"},
        {"type": "Property", "value": 1, "unitCode": "C62", "observedAt": "2026-03-01T11:00:00Z"},
    ],
    "name": {"type": "Property", "value": "<b>Katuvalo</b>", "by": {"type": "Relationship", "object": "urn:p:1"}},
}


def test_it_needs_httpx_and_msgspec_alone_and_says_what_a_data_frame_needs() -> None:
    ran = subprocess.run([sys.executable, "-c", ALONE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "a data frame needs pandas Install it: pip install pandas.\n"


def test_an_entity_is_read_by_names() -> None:
    lamp = Entity(LAMP)
    assert (lamp.id, lamp.type, lamp.types, lamp.scopes) == ("urn:x:1", "Lamp", ["Lamp", "Thing"], ["/Helsinki"])
    assert list(lamp) == ["level", "name"] and len(lamp) == 2 and "level" in lamp and "id" not in lamp
    level = lamp["level"]
    assert (level.value, level.unit, level.observed_at) == (1, "C62", datetime(2026, 3, 1, 11, tzinfo=UTC))
    assert [one.dataset_id for one in lamp.instances("level")] == ["urn:d:1", None]
    assert lamp["name"]["by"] == Attribute("by", {"type": "Relationship", "object": "urn:p:1"})
    assert lamp["name"]["by"].kind == "Relationship" and list(lamp["name"]) == ["by"]
    assert repr(level) == "<level: 1 C62 at 2026-03-01T11:00:00Z>"
    assert repr(lamp) == "<Lamp urn:x:1: level, name>"
    with pytest.raises(NotFound, match=r"urn:x:1 has no speed.*There is level, name\."):
        lamp["speed"]
    with pytest.raises(NotFound, match="name has no value"):
        lamp["name"]["value"]


def test_a_notebook_is_shown_text_and_never_markup() -> None:
    shown = Entity(LAMP)._repr_html_()
    assert "&lt;b&gt;Katuvalo&lt;/b&gt;" in shown and "<b>" not in shown
    assert "<th>unit</th>" in shown and "urn:d:1" in shown
    long = table("many", ("n", "nothing"), [("x" * 500, "")] * (MAX_ROWS + 5))
    assert "and 5 more" in long and "nothing" not in long and "x" * MAX_CELL not in long


def test_a_pause_doubles_and_is_as_long_as_the_house_asks_for() -> None:
    patience = Patience(chance=lambda: 1.0)
    assert [patience.pause_s(tried, None) for tried in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert patience.pause_s(1, 3.0) == 3.0
    assert patience.pause_s(40, 3_600.0) == LONGEST_PAUSE_S
    assert Patience(chance=lambda: 0.0).pause_s(1, None) == 0.1


def test_nothing_answers_where_nobody_listens(free_port: object) -> None:
    waits: list[float] = []
    assert callable(free_port)
    with City(f"http://127.0.0.1:{free_port()}", patience=Patience(3, waits.append)) as city:
        with pytest.raises(Unavailable, match=r"nothing answers at http://127\.0\.0\.1"):
            city.types()
        assert len(waits) == 2
        with pytest.raises(Unavailable, match="Look whether the house runs"):
            city.create({"id": "urn:x:1", "type": "T"})
        assert len(waits) == 2, "what writes is sent once"


def test_moments_are_said_in_many_ways() -> None:
    day = "2026-03-01T00:00:00Z"
    assert Stretch(date(2026, 3, 1)).parameters(0)["timeAt"] == day
    assert Stretch("2026-03-01", "2026-03-02").parameters(0)["endTimeAt"] == "2026-03-02T00:00:00Z"
    assert Stretch(timedelta(hours=12)).parameters(to_us(NOW)) == {
        "format": "temporalValues",
        "timerel": "after",
        "timeAt": day,
    }
    summed = Stretch(until=NOW, every=timedelta(hours=1), methods=["avg", "max"]).parameters(0)
    assert (summed["timerel"], summed["aggrPeriodDuration"], summed["aggrMethods"]) == ("before", "PT3600S", "avg,max")
    with pytest.raises(InvalidInput, match="no time zone"):
        Stretch(datetime(2026, 3, 1)).parameters(0)  # noqa: DTZ001  what is refused
    with pytest.raises(InvalidInput, match="every goes with aggregate"):
        Stretch(every="PT1H").parameters(0)


class Shape:
    """What can say itself as GeoJSON, as shapely's geometries can."""

    __geo_interface__ = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}  # noqa: RUF012  its protocol


def test_a_query_is_said_as_the_standard_says_it() -> None:
    near = Query(type=["A", "B"], near=(24.94, 60.17, 500), order_by=["name", "x;desc"], with_times=True).parameters()
    assert near == {
        "type": "A,B",
        "georel": "near;maxDistance==500",
        "geometry": "Point",
        "coordinates": "[24.94,60.17]",
        "orderBy": "name,x;desc",
        "options": "sysAttrs",
    }
    assert Query(within=Shape()).parameters()["geometry"] == "Polygon"
    assert Query().parameters() == {"local": "true"}
    subscribed = Query(type="A", id=["urn:a:1", "urn:a:2"], q="x>1").subscription()
    assert subscribed["entities"] == [{"type": "A", "id": "urn:a:1"}, {"type": "A", "id": "urn:a:2"}]
    with pytest.raises(InvalidInput, match="do not go together"):
        Query(near=(0, 0, 1), within=Shape()).parameters()
    with pytest.raises(InvalidInput, match="GeoJSON geometry"):
        Query(within="Helsinki").parameters()


def test_a_receiver_takes_what_it_has_room_for_and_hands_it_over() -> None:
    def told(level: int) -> dict[str, object]:
        return {"type": "Notification", "data": [{**LAMP, "level": {"type": "Property", "value": level}}]}

    with Receiver(max_waiting=2) as receiver:
        answers = [httpx.post(receiver.address, json=told(level)).status_code for level in range(3)]
        assert answers == [204, 204, 503], "the house comes again with what had no room"
        assert [[one["level"].value for one in receiver.next()] for _ in range(2)] == [[0], [1]]
        assert httpx.post(receiver.address, json={"data": {**LAMP, "id": "urn:x:2"}}).status_code == 204
        assert [one.id for one in receiver.next()] == ["urn:x:2"]
        assert httpx.post(receiver.address, content=b"no").status_code == 400
        with pytest.raises(Unavailable, match="nothing was told to http"):
            receiver.next(within_s=0.01)
    with pytest.raises(httpx.ConnectError):
        httpx.post(receiver.address, json={})
