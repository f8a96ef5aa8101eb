"""The unit and the container file: they start what there is, as nobody special, and systemd finds nothing wrong."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from broadstreet.app.role import MAX_FILES
from broadstreet.app.settings import names, variable
from tests.absence import absent
from tests.docs.commands import command_line

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
UNITS = ("broadstreet.service", "broadstreet-backup.service", "broadstreet-backup.timer")
MOST_EXPOSED = 3.0
"""Of 10, by systemd's own count; a unit without a word on it has 9.6."""


@pytest.mark.parametrize("name", UNITS[:2])
def test_a_unit_starts_a_command_that_there_is(name: str) -> None:
    unit = (EXAMPLES / name).read_text(encoding="utf-8")
    (words,) = re.findall(r"^ExecStart=\S+/broadstreet (.+)$", unit, re.MULTILINE)
    commands = command_line()
    command = next(known for known in sorted(commands, reverse=True) if f"broadstreet {words}".startswith(known))
    options = {first for first, *_ in commands[command].options}
    assert set(re.findall(r"--[\w-]+", words)) <= options
    assert "User=broadstreet" in unit


def test_the_unit_has_room_for_every_device_and_time_to_end() -> None:
    unit = (EXAMPLES / UNITS[0]).read_text(encoding="utf-8")
    assert f"LimitNOFILE={MAX_FILES}" in unit
    assert "Type=notify" in unit and "WatchdogSec=" in unit and "KillMode=mixed" in unit


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip(absent("systemd-analyze is not here"))
    for name in UNITS:
        body = (EXAMPLES / name).read_text(encoding="utf-8")
        there = body.replace("/usr/local/lib/broadstreet/bin/broadstreet", "/bin/true")
        (tmp_path / name).write_text(there, encoding="utf-8")
    paths = [str(tmp_path / name) for name in UNITS]
    found = subprocess.run([analyze, "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
    assert "broadstreet" not in found.stderr, found.stderr
    judged = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", paths[0]], capture_output=True, text=True, check=False
    )
    (exposed,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", judged.stdout)
    assert float(exposed) <= MOST_EXPOSED, judged.stdout


def test_the_container_file() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    stages = text.split("\nFROM ")[1:]
    assert len(stages) == 2 and all("python:3" in stage and "-slim" in stage for stage in stages)
    last = stages[-1]
    assert re.search(r"^USER broadstreet$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last and "/ready" in last and "STOPSIGNAL SIGTERM" in last
    assert last.index("USER ") < last.index("ENTRYPOINT")
    known = {variable(name) for name in names()}
    assert set(re.findall(r"BROADSTREET_\w+", text)) <= known
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", "data"} <= set(ignored)
