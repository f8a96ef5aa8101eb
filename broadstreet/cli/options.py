"""Options that several commands share, and the settings they lead to."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop

from broadstreet.app.settings import FILE_VARIABLE, Settings, load, variable

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


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in an event loop of its own."""
    return uvloop.run(work)
