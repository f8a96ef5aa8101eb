"""`broadstreet demo`, as a stranger starts it: a city that lives, a link that signs in once, nothing left behind."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import pytest

READY_LINE = "Ctrl-C"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/portal/link/\S+")


class Running:
    """A demo as a process, and a browser's jar of cookies."""

    def __init__(self, data_dir: Path, mqtt_port: int, http_port: int) -> None:
        ports = ["--mqtt-port", str(mqtt_port), "--http-port", str(http_port)]
        options = ["--data-dir", str(data_dir), "--history-days", "1", "--no-browser", *ports]
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("broadstreet"), "demo", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.base = f"http://127.0.0.1:{http_port}"
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def until_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if READY_LINE in line:
                return
        raise AssertionError("the demo ended before it was ready:\n" + "".join(self.lines))

    @property
    def told(self) -> str:
        return "".join(self.lines)

    def ask(self, path: str) -> Any:
        with self.browser.open(self.base + path, timeout=30) as answer:
            return json.load(answer)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=60)
        self.lines.append(output)
        return self.process.returncode


@pytest.fixture
def start(data_dir: Path, free_port: Callable[[], int]) -> Iterator[Callable[[], Running]]:
    """Starts a demo in the same data folder each time; what a test leaves running is ended."""
    started: list[Running] = []

    def begin() -> Running:
        running = Running(data_dir, free_port(), free_port())
        started.append(running)
        running.until_ready()
        return running

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()


def left_behind(data_dir: Path) -> list[list[str]]:
    """The command lines of processes that still have to do with a data folder."""
    commands = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [command for command in commands if any(str(data_dir) in word for word in command)]


def follow(running: Running, link: str) -> None:
    """Open a one-time link."""
    running.browser.open(link, timeout=30).close()


def another(running: Running) -> str:
    """A link by the command that a demo prints, pasted into a terminal."""
    (command,) = re.findall(r"^Another one: (.+)$", running.told, re.MULTILINE)
    pasted = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=60)
    (link,) = LINK.findall(pasted.stdout)
    assert link.startswith(running.base)
    return str(link)


def test_a_city_lives_and_leaves_nothing_behind(start: Callable[[], Running], data_dir: Path) -> None:
    first = start()
    for step in ("engines", "Read the map", "Draw the map", "Register devices", "First reading", "Simulate 1 days"):
        assert step in first.told
    (link,) = LINK.findall(first.told)
    follow(first, another(first))
    follow(first, link)
    session = first.ask("/portal/api/session")
    assert session["city"]["title"] == "Helsinki"
    sensors = first.ask("/portal/api/city")["sensors"]
    assert len(sensors) == 520
    assert all(sensor["simulated"] for sensor in sensors)
    assert any(sensor["state"] == "live" for sensor in sensors)
    (project,) = first.ask("/v1/network/projects")
    (scenario,) = first.ask(f"/v1/network/projects/{project['id']}/scenarios")
    assert project["name"] == "Central Helsinki" and scenario["state"] in ("waiting", "running", "planned")
    assert first.stop() == 0
    assert left_behind(data_dir) == []

    second = start()
    assert "Read the map" not in second.told
    assert "Simulate" not in second.told
    follow(second, link.replace(first.base, second.base))
    with pytest.raises(HTTPError) as unknown:
        second.ask("/portal/api/session")
    unknown.value.close()
    assert unknown.value.code == 401
    assert second.stop() == 0
    assert left_behind(data_dir) == []
