"""Options that several commands share, and the settings they lead to."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop

from broadstreet.app.settings import FILE_VARIABLE, Settings, load, variable

PROGRAM = "broadstreet"
T = TypeVar("T")

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder; else as the settings say.")]
SettingsFile = Annotated[Path | None, typer.Option("--settings", help="The settings file; else ./broadstreet.toml.")]


def house_settings(data_dir: Path | None = None, settings_file: Path | None = None, **overrides: object) -> Settings:
    """
    The settings in force, for this process and those it starts: what an option gives goes into the environment.

    overrides: settings by name with `__` for the dot, such as `http__port`; None leaves a setting as it is.
    """
    if settings_file is not None:
        os.environ[FILE_VARIABLE] = str(settings_file.resolve())
    for name, value in {"data_dir": data_dir and data_dir.resolve(), **overrides}.items():
        if value is not None:
            os.environ[variable(name.replace("__", "."))] = str(value)
    return load(os.environ)


def as_typed(*words: str, data_dir: Path, settings_file: Path | None = None) -> str:
    """A command of ours on a house, as it can be pasted into a terminal in this folder.

    `broadstreet` alone does where the shell would find this very program; else the way to it stands there.
    """
    program = Path(sys.argv[0]) if Path(sys.argv[0]).name == PROGRAM else Path(sys.executable).with_name(PROGRAM)
    found = shutil.which(PROGRAM)
    is_found = found is not None and Path(found).resolve() == program.resolve()
    options = ["--data-dir", _from_here(data_dir)]
    if settings_file is not None:
        options += ["--settings", _from_here(settings_file)]
    return shlex.join([PROGRAM if is_found else _from_here(program), *words, *options])


def _from_here(path: Path) -> str:
    """A path from the working folder where it lies within, else whole."""
    whole = Path.cwd() / path  # a link is not followed: a venv's program may be one
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(whole)


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in an event loop of its own."""
    return uvloop.run(work)
