"""`broadstreet upgrade`: what a new version of the program does to a house, looked at or done."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.cli.step import step

EXIT_NEWER: Final = 1


def upgrade(
    check: Annotated[bool, typer.Option("--check", help="Only say what there is to do.")] = False,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Bring a house that does not run to what this program knows; `broadstreet up` does the same when it starts."""
    from broadstreet.app import upgrading
    from broadstreet.backup.taking import last_backup

    chosen = house_settings(data_dir, settings)
    states = wait_for(upgrading.schema_states(chosen))
    if newer := [state for state in states if state.is_newer]:
        for state in newer:
            console.print(f"{state.schema} is at version {state.found}, and this program knows {state.known}.")
        console.print("A newer Broadstreet has been here: run that one, or restore a backup from before the upgrade.")
        raise typer.Exit(EXIT_NEWER)
    older = [state for state in states if state.found < state.known]
    for state in older:
        console.print(f"{state.schema}: {state.found} → {state.known}")
    if not older:
        console.print("There is nothing to do.")
        return
    if last_backup(chosen.data_path) is None:
        console.print("This house was never backed up. There is no way back from an upgrade but a backup.")
    if not check:
        with step("upgrade"):
            wait_for(upgrading.upgrade(chosen))
