"""Where a house can be reached: as it runs, else as it is set."""

from __future__ import annotations

import json
from pathlib import Path

from broadstreet.app.edges import running_edges, write_edges
from broadstreet.app.settings import load
from broadstreet.engines import DataFolder


def test_a_running_house_says_its_own_ports(data_dir: Path) -> None:
    chosen = load({"BROADSTREET_DATA_DIR": str(data_dir), "BROADSTREET_HTTP_PORT": "9001"})
    asked = load({"BROADSTREET_DATA_DIR": str(data_dir), "BROADSTREET_HTTP_HOST": "0.0.0.0"})
    folder = DataFolder(data_dir)
    folder.prepare()
    write_edges(folder, chosen)
    assert running_edges(asked).portal_url == "http://127.0.0.1:8080"
    folder.lock()
    try:
        assert running_edges(asked).portal_url == "http://127.0.0.1:9001"
        (folder.run / "edges.json").write_text(json.dumps({"mqtt_port": "none"}))
        assert running_edges(asked).portal_url == "http://127.0.0.1:8080"
    finally:
        folder.unlock()
