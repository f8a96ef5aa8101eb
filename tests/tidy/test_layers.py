"""The layers hold, and each contract bites: a violation planted into a copy of the tree is caught."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

PACKAGES = ("broadstreet", "simulator", "benchmarks")
LINT = (
    "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports;"
    "sys.exit(lint_imports(cache_dir='cache', no_logo=True))"
)

PLANTS = {
    "an import upward": ("rooms", "broadstreet/store/planted.py", "from broadstreet.context import *\n"),
    "an import upward, from the lowest": ("rooms", "broadstreet/model/planted.py", "import broadstreet.log\n"),
    "an import of a sibling": ("rooms", "broadstreet/log/planted.py", "import broadstreet.store\n"),
    "an import of a sibling, in a function": (
        "rooms",
        "broadstreet/recorder/planted.py",
        "def late() -> None:\n    import broadstreet.importer\n",
    ),
    "a room that is not listed": ("rooms", "broadstreet/cellar/__init__.py", ""),
    "a simulator that knows the house": ("simulator", "simulator/planted.py", "import broadstreet.model.clock\n"),
    "a house that knows the simulator": ("house", "broadstreet/cli/planted.py", "import simulator\n"),
    "a device that looks into the house": ("outpost", "broadstreet/outpost/planted.py", "import broadstreet.store\n"),
    "a client that looks into the house": ("client", "broadstreet/client/planted.py", "import broadstreet.store\n"),
    "a client that needs more": ("client", "broadstreet/client/planted.py", "import numpy\n"),
    "a checker that seeks": ("proof", "broadstreet/network/proof/planted.py", "import broadstreet.optimiser\n"),
    "a checker that plans": ("proof", "broadstreet/network/proof/planted.py", "import broadstreet.network.plan\n"),
    "a paper that plans": ("papers", "broadstreet/network/papers/planted.py", "import broadstreet.network.plan\n"),
    "an offer that plans": (
        "offers",
        "broadstreet/network/serviceability/planted.py",
        "import broadstreet.network.plan\n",
    ),
    "an interface that solves": ("planner", "broadstreet/apis/planted.py", "import broadstreet.optimiser\n"),
    "a checker of sites that chooses": (
        "siting",
        "broadstreet/network/siting/proof/planted.py",
        "import broadstreet.network.siting.covering\n",
    ),
    "a model that opens files": ("model", "broadstreet/model/planted.py", "import pathlib\n"),
    "a model with a clock": ("model", "broadstreet/model/planted.py", "from time import time\n"),
    "a model that asks the database": ("model", "broadstreet/model/planted.py", "import asyncpg\n"),
}


def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return parser


def name_of(contract: str) -> str:
    return contracts()[f"importlinter:contract:{contract}"]["name"]


def lint(at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LINT], cwd=at, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the tree, once, for planting into."""
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=lambda at, names: _not_python(Path(at), names))
    shutil.copy(ROOT / ".importlinter", copy)
    return copy


def _not_python(at: Path, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or not ((at / name).is_dir() or name.endswith(".py"))}


def test_the_layers_hold(copied: Path) -> None:
    linted = lint(copied)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.fixture(scope="module")
def said(copied: Path) -> str:
    """What the linter says when everything is planted, each in a module of its own: once, since it takes seconds."""
    planted = []
    for number, (_, path, text) in enumerate(PLANTS.values()):
        file = (copied / path).with_stem(stem_of(path, number))
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        planted.append(file)
    linted = lint(copied)
    for file in planted:
        file.unlink()
    for folder in {file.parent for file in planted if not any(file.parent.iterdir())}:
        folder.rmdir()
    assert linted.returncode == 1
    return " ".join(linted.stdout.split())


def stem_of(path: str, number: int) -> str:
    """What a planted module is called; a package's front keeps its name."""
    stem = Path(path).stem
    return stem if stem.startswith("__") else f"{stem}_{number}"


@pytest.mark.parametrize("number", range(len(PLANTS)), ids=PLANTS.keys())
def test_a_planted_violation_is_caught(said: str, number: int) -> None:
    contract, path, _ = list(PLANTS.values())[number]
    kept, _, broken = said.partition("Broken contracts")
    assert f"{name_of(contract)} BROKEN" in kept
    told = broken.partition(f" {name_of(contract)} -")[2]
    module = ".".join(Path(path).with_stem(stem_of(path, number)).with_suffix("").parts).removesuffix(".__init__")
    assert module in told, told


def test_every_contract_has_a_planted_violation() -> None:
    listed = {section.rpartition(":")[2] for section in contracts().sections() if ":contract:" in section}
    assert listed == {contract for contract, _, _ in PLANTS.values()}


def test_the_drawn_rooms_are_the_listed_ones() -> None:
    """docs/architecture.md draws every room that there is, on the line where the contract has it."""
    lines = contracts()["importlinter:contract:rooms"]["layers"].strip().splitlines()
    listed = [{room.strip(" ()") for room in line.split("|")} for line in lines]
    assert {room for line in listed for room in line} == {
        path.name for path in (ROOT / "broadstreet").iterdir() if (path / "__init__.py").exists()
    }
    drawn = re.findall(r"^ {4}● ((?:[a-z]+/ *)+)", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    assert [set(line.replace("/", " ").split()) for line in drawn] == listed
