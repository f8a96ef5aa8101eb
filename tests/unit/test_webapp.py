"""The web client's own tests and its type check, run by the packaged Node.js; and how a build takes its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.absence import absent
from webapp.build import MODULES, npm, put_in_place


def build(folder: Path, files: dict[str, str]) -> Path:
    for name, words in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(words)
    return folder


def files_of(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_build_takes_the_place_of_another(tmp_path: Path) -> None:
    place = build(tmp_path / "static", {"index.html": "old", "assets/a-1.js": "1", "gone/b.js": "b", "icon.svg": "x"})
    new = {"index.html": "new", "assets/a-2.js": "2", "icon.svg": "y"}
    put_in_place(build(tmp_path / "built", new), place)
    assert files_of(place) == new
    assert sorted(path.name for path in place.iterdir()) == ["assets", "icon.svg", "index.html"]


def test_a_build_that_is_cut_off_leaves_the_client_whole(tmp_path: Path) -> None:
    """Whatever sorts behind `index.html` comes before it all the same."""
    old = {"index.html": "old, with a-1", "assets/a-1.js": "1"}
    place = build(tmp_path / "static", old)
    built = build(tmp_path / "built", {"index.html": "new, with z-2", "assets/a-2.js": "2", "z-2.js": "2"})
    (place / "z-2.js").mkdir()  # cannot be replaced by a file
    with pytest.raises(OSError):
        put_in_place(built, place)
    assert old.items() <= files_of(place).items()


@pytest.mark.skipif(not MODULES.is_dir(), reason=absent("the portal's packages are not installed: make portal"))
@pytest.mark.parametrize("script", ["test", "check"])
def test_the_client_keeps_its_promises(script: str) -> None:
    ended = npm("run", script)
    assert ended.returncode == 0, ended.stdout
