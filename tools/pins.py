"""Renews `constraints.txt`: every package, with those it needs in turn, at the version pip's resolver chooses today.

Names and versions only. Where a package comes from, and by which address, is for each machine's own settings to say.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

from tools.steps import ROOT, say

HEADER = """\
# Every package, with those it needs in turn, at the version Broadstreet is tested with.
# Made by `make pins`; after it, run `make test`, and commit this file with what it made necessary.
"""


def requirements() -> list[str]:
    """What pyproject.toml asks for, all its optional groups among it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["project"]["optional-dependencies"].values()
    return [*project["build-system"]["requires"], *project["project"]["dependencies"], *(r for g in groups for r in g)]


def resolve(wanted: list[str]) -> dict[str, str]:
    """Names and versions that satisfy what is wanted, as pip would install them into an empty environment."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    command = [*pip, "--dry-run", "--ignore-installed", "--report", "-", *wanted]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    chosen = (entry["metadata"] for entry in json.loads(answer.stdout)["install"])
    return {package["name"].lower().replace("_", "-"): package["version"] for package in chosen}


def main() -> None:
    pins = resolve(requirements())
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines))
    say("constraints.txt", f"{len(lines)} packages")


if __name__ == "__main__":
    main()
