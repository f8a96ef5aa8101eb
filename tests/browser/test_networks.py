"""A network that stands is given to a project, drawn on its map, told in a table, and taken away again."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import Demo, OpenPage, settled
from tests.browser.planning import AREA, OFFICE, call, is_usable
from tests.harbour import GOOD


def network() -> bytes:
    """Three spans by the quarter's streets: built, planned, and planned without a route."""
    west, south, east, north = AREA
    ends = [[west + 0.001, south + 0.001], [east - 0.001, north - 0.001]]
    nodes: list[dict[str, Any]] = [
        {**node, "location": {"type": "Point", "coordinates": end}, "type": ["exchange"]}
        for node, end in zip(GOOD["nodes"], ends, strict=True)
    ]
    carried = {"supportingInfrastructure": {"type": "duct"}, "transmissionMedium": ["fibre"]}
    span = {**GOOD["spans"][0], **carried, "route": {"type": "LineString", "coordinates": ends}}
    planned = {**span, "id": "p", "name": "Slip", "status": "planned"}
    straight = {name: value for name, value in planned.items() if name != "route"} | {"id": "q", "name": "Ropewalk"}
    return json.dumps({"networks": [{**GOOD, "nodes": nodes, "spans": [span, planned, straight]}]}).encode()


def test_a_network_that_stands_is_given_drawn_and_taken_away(open_page: OpenPage, demo: Demo) -> None:
    west, south, east, north = AREA
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    area = {"type": "Polygon", "coordinates": [ring]}
    inputs = {"extract": "central-helsinki.osm.pbf", "offices": [OFFICE], "area": area}
    project = call(demo, "POST", "/projects", {"name": "Standing", "inputs": inputs})["id"]
    page = open_page(f"/plan?project={project}")
    settled(page)
    stands = page.get_by_role("region", name="Networks that stand")
    file = FilePayload(name="our harbour.json", mimeType="application/json", buffer=network())
    stands.get_by_label("A network (JSON, JSON Lines, GeoJSON, GeoPackage)").set_input_files(files=file)
    stands.get_by_label("What it calls planned has been built by now").check()
    stands.get_by_role("button", name="Give the network").click()
    expect(stands).to_contain_text("3 spans,", timeout=60_000)
    expect(stands).to_contain_text("our-harbour.json")
    expect(stands).to_contain_text("1 span has no route and is drawn straight")
    told = stands.get_by_role("grid", name="Spans").get_by_role("row")
    for row in (["Quay", "operational", "City", "drawn"], ["Slip", "planned", "drawn"], ["Ropewalk", "missing"]):
        for text in row:
            expect(told.filter(has_text=row[0])).to_contain_text(text)
    expect(page.get_by_role("grid", name="What is wrong, and where")).to_contain_text(
        re.compile("1 of 3 spans of our-")
    )
    told.filter(has_text="Slip").click()
    expect(told.filter(has_text="Slip")).to_have_attribute("aria-selected", "true")
    is_usable(page, "plan-networks")
    stands.get_by_role("tab", name=re.compile("^Nodes")).click()
    expect(stands.get_by_role("grid", name="Nodes")).to_contain_text("Exchange")
    stands.get_by_role("button", name="Remove our-harbour.json").click()
    expect(stands).to_contain_text("None is given.")
    page.goto("about:blank")  # which would ask for what goes now
    call(demo, "DELETE", f"/projects/{project}")
