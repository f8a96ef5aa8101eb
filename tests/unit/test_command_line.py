"""The command line by itself: what it refuses to make, what it prints for pasting, which port it takes."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from broadstreet.app.demo import free_port
from broadstreet.app.settings import Http
from broadstreet.cli.demo import evaded
from broadstreet.cli.entry import EXIT_NO_HOUSE
from broadstreet.cli.options import PROGRAM, as_typed

INSTALLED = Path(sys.executable).with_name(PROGRAM)


@pytest.mark.parametrize(
    "words",
    [
        ["account", "list"],
        ["account", "link", "demo"],
        ["account", "new", "anna", "--title", "Anna", "--role", "viewer"],
        ["token", "list"],
        ["import", "table.csv", "--mapping", "mapping.toml"],
    ],
)
def test_a_command_on_a_house_makes_none(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("time,sensor,NO2\n2026-01-01T00:00:00Z,a,1\n")
    (tmp_path / "mapping.toml").write_text(
        '[dataset]\nid = "urn:d"\ntitle = "D"\n[time]\ncolumn = "time"\ntime_zone = "UTC"\n'
        '[sensor]\ncolumn = "sensor"\ntype = "T"\nentity = "urn:ngsi-ld:T:{sensor}"\n'
        '[file]\nform = "long"\n[attributes.NO2]\ncolumn = "NO2"\n'
    )
    said = subprocess.run(
        [INSTALLED, *words], cwd=tmp_path, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert said.returncode == EXIT_NO_HOUSE, said.stderr
    assert "There is no house in this folder" in said.stderr
    assert str(tmp_path / "data") in said.stderr
    assert "--data-dir" in said.stderr
    assert not (tmp_path / "data").exists()


def test_a_command_to_paste_is_whole_and_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = tmp_path / "my clone"
    program = clone / ".venv" / "bin" / PROGRAM
    program.parent.mkdir(parents=True)
    shutil.copy(INSTALLED, program)
    monkeypatch.chdir(clone)
    monkeypatch.setattr(sys, "argv", [".venv/bin/broadstreet", "demo"])
    monkeypatch.setenv("PATH", "/usr/bin")
    assert as_typed("account", "link", "demo", data_dir=clone / "data") == (
        ".venv/bin/broadstreet account link demo --data-dir data"
    )
    monkeypatch.setenv("PATH", str(program.parent))
    assert as_typed("token", "list", data_dir=tmp_path / "x", settings_file=Path("b.toml")) == (
        f"broadstreet token list --data-dir {shlex.quote(str(tmp_path / 'x'))} --settings b.toml"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert as_typed("up", data_dir=Path("data")) == f"{shlex.quote(str(INSTALLED))} up --data-dir data"


def test_a_taken_port_is_evaded_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        free = free_port("127.0.0.1", taken)
        assert free != taken
        assert evaded("HTTP", Http(port=taken), default=taken) != taken
        assert f"Port {taken} is taken, so HTTP is spoken on" in capsys.readouterr().out
        assert evaded("HTTP", Http(port=taken), default=taken + 1) == taken, "a port that somebody chose stays"
    assert free_port("127.0.0.1", taken) == taken
    assert capsys.readouterr().out == ""
