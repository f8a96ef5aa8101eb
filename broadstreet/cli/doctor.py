"""`broadstreet doctor`: what is wrong with a house, and what to do."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from rich.text import Text

from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for

EXIT_WRONG: Final = 1
STYLES: Final = {"ok": "green", "warn": "yellow", "wrong": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Look at all that the house stands on, running or not. Status 1 if something is wrong."""
    import msgspec

    from broadstreet.app.clock import now_us
    from broadstreet.app.doctor import examine

    findings = wait_for(examine(house_settings(data_dir, settings), now_us))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(findings)).decode())
    else:
        for finding in findings:
            line = Text.assemble((f"{finding.state:<6}", STYLES[finding.state]), f"{finding.about}: {finding.words}")
            if finding.remedy:
                line.append(f"\n      what to do: {finding.remedy}", style="bold" if finding.state == "wrong" else "")
            console.print(line, soft_wrap=True)
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(EXIT_WRONG)
