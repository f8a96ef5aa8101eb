"""Runs the official NGSI-LD test suite (ETSI, Robot Framework) against fresh houses.

    python -m tools.ngsi_ld_suite FOLDER [--only ContextInformation/Provision …] [--results build/ngsi-ld-suite]

Each folder is asked of a house of its own, so that what one leaves behind is not found by the next.

FOLDER holds the suite as it was fetched. It is copied, and the copy's addresses lead to this machine: of the broker, of
the servers that the tests start themselves, and of the @contexts, which are served from here as the suite has them.
Nothing else of it is changed. Where it asks docker for an MQTT server, Mosquitto of this machine stands in for it.
Robot Framework comes from an environment of its own, made by the suite's requirements.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tools.steps import ROOT, say

HERE: Final = "127.0.0.1"
SERVED: Final = Path("resources/jsonld-contexts")
COMPOUND: Final = "ngsi-ld-test-suite-compound.jsonld"
_OTHERS: Final = "https://easy-global-market.github.io/ngsild-api-data-models/ngsildTestSuite/"
ELSEWHERE: Final = {
    f"https://raw.githubusercontent.com/marek-mraz/ngsi-ld-test-suite/main/{SERVED}/": "",
    f"{_OTHERS}ngsildTestSuiteV1.8-compound.jsonld": COMPOUND,
    "https://fiware.github.io/data-models/context.jsonld": "other.jsonld",
    "https://fiware.github.io/NGSI-LD_TestSuite/ldContext/testContext.jsonld": "other.jsonld",
}
"""Where the suite's @contexts are, and what stands for them here; those of others are served empty."""
EMPTY: Final = b'{"@context": {}}'
TEXTS: Final = frozenset({".json", ".jsonld", ".geojson", ".robot", ".resource", ".py"})
FOLDERS: Final = (
    "CommonBehaviours",
    "ContextInformation/Consumption",
    "ContextInformation/Provision",
    "ContextInformation/Subscription",
    "jsonldContext",
    "ContextSource",
    "DistributedOperations",
)
MOSQUITTO: Final = Path("resources/mqttUtils/mosquitto")
MQTT_PORT: Final = 1883
"""Where tests that name no port expect an MQTT server."""
UNNEEDED: Final = "robotframework-robocop"
"""A linter."""
INSTANCES: Final = 10
"""Instances of an attribute in one answer over time: the tests of such pages expect fewer than their twenty."""
READY_S: Final = 60.0
POLL_S: Final = 0.2
RESULTS: Final = ROOT / "build" / "ngsi-ld-suite"


def free_port() -> int:
    """A port that nobody has."""
    with closing(socket.socket()) as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def environment(suite: Path, place: Path) -> Path:
    """The Python that the suite runs in, made once."""
    python = place / "bin" / "python"
    if python.exists():
        return python
    began = time.monotonic()
    venv.create(place, with_pip=True)
    wanted = [line.strip() for line in (suite / "requirements.txt").read_text(encoding="utf-8").splitlines()]
    packages = [line for line in wanted if line and not line.startswith(("#", "-e", UNNEEDED))]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages, str(suite / "libraries" / "robotframework-httpctrl")], check=True)
    say("the suite's environment", f"{time.monotonic() - began:6.1f} s")
    return python


def moved(suite: Path, place: Path, contexts: str, variables: dict[str, object]) -> Path:
    """A copy of the suite whose addresses are this machine's."""
    copy = place / "suite"
    shutil.copytree(suite, copy, ignore=shutil.ignore_patterns(".git"))
    for path in copy.rglob("*"):
        if path.suffix in TEXTS and path.is_file():
            text = path.read_text(encoding="utf-8")
            there = text
            for url, name in ELSEWHERE.items():
                there = there.replace(url, f"{contexts}/{name}")
            if there != text:
                path.write_text(there, encoding="utf-8")
    settings = copy / "resources" / "variables.py"
    text = settings.read_text(encoding="utf-8")
    for name, value in variables.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value!r}", text)
        assert count == 1, f"{settings} has no {name}"
    settings.write_text(text, encoding="utf-8")
    return copy


class Documents(BaseHTTPRequestHandler):
    """Serves @contexts."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]  # as its server calls it

    def do_GET(self) -> None:
        file = self._folder / Path(self.path).name
        body = file.read_bytes() if file.is_file() else EMPTY
        self.send_response(200)
        self.send_header("Content-Type", "application/ld+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def contexts_served(folder: Path) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """The address of the @contexts of a folder."""
    with ThreadingHTTPServer((HERE, 0), partial(Documents, folder)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://{HERE}:{server.server_port}", server
        server.shutdown()


@contextmanager
def house(folder: Path) -> Iterator[str]:
    """A fresh house that anyone on this machine may use: its address."""
    port = free_port()
    broadstreet = str(Path(sys.executable).with_name("broadstreet"))
    options = ["--data", str(folder), "--port", str(port), "--mqtt-port", str(free_port())]
    command = [broadstreet, "up", *options, "--allow-anonymous-writes"]
    settings = {**os.environ, "BROADSTREET_NGSI_LD_TEMPORAL_INSTANCES": str(INSTANCES)}
    with subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL) as up:
        try:
            _until_ready(f"http://{HERE}:{port}", up)
            yield f"http://{HERE}:{port}"
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(READY_S)


def _until_ready(base: str, up: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and up.poll() is None:
        try:
            with urllib.request.urlopen(f"{base}/ready", timeout=READY_S):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_S)
    raise SystemExit("the house did not become ready")


def outcomes(file: Path) -> dict[str, bool]:
    """Whether each test of a Robot Framework result passed, by its name."""
    found: dict[str, bool] = {}
    for test in ElementTree.parse(file).iter("test"):
        status = test.find("status")
        assert status is not None
        if status.get("status") != "SKIP":
            found[test.get("name", "")] = status.get("status") == "PASS"
    return found


def docker(suite: Path, place: Path, ports: list[int]) -> Path:
    """A folder with what stands in for docker."""
    folder = place / "bin"
    folder.mkdir()
    program = folder / "docker"
    words = [sys.executable, ROOT / "tools" / "mqtt_container.py", suite / MOSQUITTO, ",".join(map(str, ports))]
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


def run(python: Path, suite: Path, folder: str, results: Path, programs: Path) -> dict[str, bool]:
    """What became of every test of a folder. programs: a folder of those that go before others."""
    began, out = time.monotonic(), results / folder.replace("/", "-")
    options = ["--pythonpath", "libraries", "--outputdir", str(out), "--loglevel", "TRACE"]
    ended = subprocess.run(
        [str(python), "-m", "robot", *options, f"TP/NGSI-LD/{folder}"],
        cwd=suite,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    file = out / "output.xml"
    told = outcomes(file) if file.exists() else {}
    passed, count = sum(told.values()), len(told)
    share = f"{passed / count:.1%}" if count else f"robot ended with {ended.returncode}"
    say(folder, f"{passed} of {count}, {share}, {time.monotonic() - began:.0f} s")
    return told


def asked(python: Path, suite: Path, folder: str, results: Path) -> dict[str, bool]:
    """What became of every test of a folder, asked of a fresh house."""
    with tempfile.TemporaryDirectory(prefix="broadstreet-suite-") as scratch:
        place = Path(scratch)
        with contexts_served(place / "suite" / SERVED) as (contexts, _), house(place / "data") as base:
            mqtt_ports = [MQTT_PORT, free_port()]
            servers = ("notification_server", "context_source", "context_server")
            copy = moved(
                suite,
                place,
                contexts,
                {
                    "url": f"{base}/ngsi-ld/v1",
                    "temporal_api_url": f"{base}/ngsi-ld/v1",
                    "ngsild_test_suite_context": f"{contexts}/{COMPOUND}",
                    "mqtt_broker_host": HERE,
                    "mqtt_broker_non_default_port": mqtt_ports[1],
                    "delete_temporal_on_core_delete": False,
                    **{f"{name}_host": HERE for name in servers},
                    **{f"{name}_port": free_port() for name in servers},
                },
            )
            return run(python, copy, folder, results, docker(copy, place, mqtt_ports))


def main() -> None:
    """Run it; failures stand in `failed.txt` of the results, and the last line is a JSON object of passed and count."""
    arguments = argparse.ArgumentParser(prog="python -m tools.ngsi_ld_suite", description=main.__doc__)
    arguments.add_argument("suite", type=Path, help="the suite as it was fetched")
    arguments.add_argument("--only", nargs="+", default=FOLDERS, metavar="FOLDER", help="folders below TP/NGSI-LD")
    arguments.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="where Robot's logs go")
    arguments.add_argument("--environment", type=Path, default=ROOT / "build" / "robot", metavar="FOLDER")
    given = arguments.parse_args()
    suite: Path = given.suite.resolve()
    python = environment(suite, given.environment.resolve())
    shutil.rmtree(given.results, ignore_errors=True)
    given.results.mkdir(parents=True)
    told = {folder: asked(python, suite, folder, given.results.resolve()) for folder in given.only}
    failed = [f"{folder}\t{name}" for folder, tests in told.items() for name, passed in tests.items() if not passed]
    (given.results / "failed.txt").write_text("".join(f"{line}\n" for line in failed), encoding="utf-8")
    print(json.dumps({folder: [sum(tests.values()), len(tests)] for folder, tests in told.items()}))


if __name__ == "__main__":
    main()
