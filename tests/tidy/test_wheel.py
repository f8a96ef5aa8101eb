"""The wheel holds all that runs: SQL, profiles, the built portal; and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

SHIPPED = ("broadstreet", "simulator")
PORTAL = "broadstreet/portal/static/"


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names inside a wheel of this tree, built offline by the builder of the environment."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = Path(folder).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_all_that_is_tracked_is_shipped(inside: set[str]) -> None:
    listed = subprocess.run(["git", "ls-files", *SHIPPED], cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert {name for name in tracked if name.endswith((".sql", ".toml", ".conf"))}
    assert tracked - inside == set()


def test_the_built_portal_is_shipped(inside: set[str]) -> None:
    assert f"{PORTAL}index.html" in inside
    assert any(name.startswith(PORTAL) and name.endswith(".js") for name in inside)


def test_nothing_else_is_shipped(inside: set[str]) -> None:
    strange = {name for name in inside if not name.startswith((*(f"{room}/" for room in SHIPPED), "broadstreet-"))}
    assert strange == set()
    assert not [name for name in inside if "__pycache__" in name or "node_modules" in name]


def test_licence_and_notice_are_shipped(inside: set[str]) -> None:
    for name in ("LICENSE", "NOTICE"):
        assert any(path.endswith(f".dist-info/licenses/{name}") for path in inside)
