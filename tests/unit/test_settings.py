"""Settings: the file, the environment over it, and clear words for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadstreet.app.settings import FILE_VARIABLE, Settings, from_environment, load, names, to_environment, variable
from broadstreet.model.errors import InvalidInput


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "broadstreet.toml"


def test_without_anything_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}) == Settings()


def test_by_default_nobody_else_gets_in() -> None:
    assert Settings().mqtt.host == Settings().http.host == "127.0.0.1"


def test_the_environment_has_the_last_word(file: Path) -> None:
    file.write_text('data_dir = "/srv/b"\n[mqtt]\nport = 1\nhost = "::"\n[recorder]\nfuture_limit_s = 60\n')
    settings = load({"BROADSTREET_MQTT_PORT": "2", "BROADSTREET_DATA_DIR": "/srv/c", "HOME": "/"}, file)
    assert (settings.mqtt.port, settings.mqtt.host, settings.data_dir) == (2, "::", "/srv/c")
    assert settings.recorder.future_limit_s == 60
    assert load({FILE_VARIABLE: str(file)}).mqtt.port == 1


def test_the_file_here_is_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[http]\nport = 9\n")
    monkeypatch.chdir(file.parent)
    assert load({}).http.port == 9


def test_a_process_is_handed_all_of_them(file: Path) -> None:
    file.write_text('[city]\ntitle = "Ōsaka; [x]"\n[log]\nraw_bytes = 5_000_000\n[http]\nport = 0\n')
    settings = load({}, file)
    assert from_environment(to_environment(settings)) == settings
    assert set(to_environment(settings)) == {variable(name) for name in names()}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("[mqtt]\nprot = 1\n", "unknown field `prot`"),
        ("[mqqt]\nport = 1\n", "unknown field `mqqt`"),
        ("[mqtt]\nport = 70000\n", "<= 65535"),
        ('[mqtt]\nport = "1883"\n', "Expected `int`, got `str`"),
        ("mqtt = 1\n", "Expected `object`, got `int`"),
        ("[log]\npartitions = 0\n", ">= 1"),
        ("[mqtt\n", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name(file: Path, written: str, words: str) -> None:
    file.write_text(written)
    with pytest.raises(InvalidInput, match=words) as caught:
        load({}, file)
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("BROADSTREET_MQTT_PROT", "1", "Did you mean BROADSTREET_MQTT_PORT?"),
        ("BROADSTREET_MQTT_PORT", "high", "Expected `int`"),
        ("BROADSTREET_LOG_RAW_BYTES", "5", ">= 1000000"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(key: str, text: str, words: str, file: Path) -> None:
    file.write_text("")
    with pytest.raises(InvalidInput) as caught:
        load({key: text}, file)
    assert words in str(caught.value)
    assert caught.value.where == key


def test_a_named_file_must_be_there(file: Path) -> None:
    with pytest.raises(InvalidInput, match="not there"):
        load({}, file)
