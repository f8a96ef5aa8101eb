"""The doctor: says what is well in a house that is, and finds each fault that is planted."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from broadstreet.app.clock import now_us
from broadstreet.app.doctor import Finding, engine_room, examine, machine
from broadstreet.app.preparation import prepare_log, prepare_store
from broadstreet.app.settings import DiskSettings, EngineSettings, Http, Mqtt, Settings, to_environment
from broadstreet.backup.taking import REPORT_NAME, BackupReport
from broadstreet.engines import Engines, HouseStatus, ProcessStatus, write_status
from broadstreet.log import Log
from broadstreet.log.dead import DeadLetter
from broadstreet.store import Store
from tests.contract.certificates import write_certificate

PROGRAM = (sys.executable, "-c", "from broadstreet.cli import main; main()", "doctor", "--json")


def by_about(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.about: finding for finding in findings}


@pytest.fixture
def settings(data_dir: Path, free_port: Callable[[], int]) -> Settings:
    return Settings(
        data_dir=str(data_dir / "data"),
        mqtt=Mqtt(port=free_port()),
        http=Http(port=free_port()),
        disk=DiskSettings(watermark_bytes=1_000_000),
    )


@pytest.fixture
def listeners(settings: Settings) -> Iterator[None]:
    """Somebody at both ports."""
    with (
        socket.create_server(("127.0.0.1", settings.mqtt.port)),
        socket.create_server(("127.0.0.1", settings.http.port)),
    ):
        yield


async def test_a_house_that_runs(settings: Settings, listeners: None) -> None:
    async with Engines(settings.data_path) as engines:
        await prepare_store(settings, engines.addresses)
        await prepare_log(settings, engines.addresses)
        running = [ProcessStatus("postgres", 1, now_us(), 0), ProcessStatus("nats-server", 2, now_us(), 7)]
        write_status(engines.folder, HouseStatus(os.getpid(), True, running, [ProcessStatus("api", None, 0, 3)]))
        found = by_about(await examine(settings, now_us))
        assert found["PostgreSQL"].state == found["stream RAW"].state == found["lag of city"].state == "ok"
        assert found["dead letters of city"].state == found["MQTT port"].state == found["data folder"].state == "ok"
        assert (found["nats-server"].state, found["api"].state) == ("warn", "wrong")
        assert "ever" in found["backups"].words
        assert not any(about.startswith("schema") for about in found)

        async with await Log.connect(engines.addresses.nats_url) as log:
            letter = DeadLetter(1, "city", "pump", 1, "profile", "no JSON", "readings", b"?", 1, b"p" * 16, 0)
            await log.publish_dead(letter)
        async with await Store.connect(engines.addresses.postgres_dsn) as store:
            await store.control.execute("DELETE FROM migration WHERE schema = 'tenant_city' AND version > 1")
        found = by_about([finding async for finding in engine_room.engines(settings, now_us() + 60_000_000)])
        assert found["dead letters of city"].state == "warn"
        assert found["schema tenant_city"].state == "wrong"
        assert found["PostgreSQL"].state == "wrong"  # its clock is a minute off
    (finding,) = [finding async for finding in engine_room.engines(settings, now_us())]
    assert finding.state == "wrong"


async def test_a_house_that_does_not_run(settings: Settings, listeners: None) -> None:
    found = by_about(await examine(settings, now_us))
    assert found["house"].state == found["data folder"].state == "warn"
    assert found["MQTT port"].state == "wrong"  # somebody else has it
    url = "postgresql://x:secret@127.0.0.1:1/x"
    elsewhere = msgspec.structs.replace(
        settings, engines=EngineSettings(postgres_url=url, nats_url="nats://127.0.0.1:1")
    )
    found = by_about(await examine(elsewhere, now_us))
    assert found["the city's PostgreSQL"].state == found["the city's NATS"].state == "wrong"
    assert "secret" not in str(found)


def test_a_folder_with_faults(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = settings.data_path
    (folder / "run").mkdir(parents=True)
    (folder / "logs").mkdir()
    (folder / "run" / "lock").touch()
    for path in (folder, folder / "run", folder / "logs"):
        path.chmod(0o710)
    assert [finding.state for finding in machine.data_folder(settings)] == ["ok"]
    folder.chmod(0o755)
    assert [finding.state for finding in machine.data_folder(settings)] == ["wrong"]
    (folder / "run" / "restoring").touch()
    assert "restore" in next(machine.data_folder(settings)).words
    (folder / "house.json").write_text('{"form": 99}')
    assert "newer Broadstreet" in next(machine.data_folder(settings)).words
    full = msgspec.structs.replace(settings, disk=DiskSettings(watermark_bytes=10**18))
    assert next(machine.disk(full)).state == "wrong"
    assert next(machine.disk(settings)).state == "ok"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    assert next(machine.open_files()).state == "wrong"


def test_the_age_of_the_last_backup(settings: Settings) -> None:
    (settings.data_path).mkdir()
    day_us = machine.DAY_US
    report = BackupReport("s3://b", 100 * day_us, 100 * day_us, 1, encrypted=True)
    (settings.data_path / REPORT_NAME).write_bytes(msgspec.json.encode(report))
    states = [next(machine.backups(settings, (100 + days) * day_us)).state for days in (1, 3, 15)]
    assert states == ["ok", "warn", "wrong"]


def test_the_end_of_a_certificate(settings: Settings, data_dir: Path) -> None:
    assert list(machine.certificates(settings, now_us())) == []
    for days, state in ((60, "ok"), (5, "warn"), (-1, "wrong")):
        tls = write_certificate(data_dir, 1, days)
        with_one = msgspec.structs.replace(
            settings, http=Http(tls_certificate=str(tls.certificate), tls_key=str(tls.key))
        )
        assert [finding.state for finding in machine.certificates(with_one, now_us())] == [state]
    half = msgspec.structs.replace(settings, http=Http(tls_certificate="x"))
    assert "needs its key" in next(machine.certificates(half, now_us())).words
    own = msgspec.structs.replace(settings, mqtt=Mqtt(tls_certificate=str(tls.certificate), tls_key=str(tls.key)))
    assert [(one.about, one.state) for one in machine.certificates(own, now_us())] == [("MQTT's certificate", "wrong")]
    half = msgspec.structs.replace(settings, mqtt=Mqtt(tls_key="x"))
    assert "needs its key" in next(machine.certificates(half, now_us())).words


def test_an_open_portal_without_https(settings: Settings) -> None:
    everywhere = msgspec.structs.replace(settings, http=Http(host="0.0.0.0"), mqtt=Mqtt(host="0.0.0.0"))
    assert [finding.state for finding in machine.exposure(everywhere)] == ["warn", "warn"]
    assert list(machine.exposure(settings)) == []


def test_the_command(settings: Settings) -> None:
    ended = subprocess.run(
        PROGRAM, env=os.environ | to_environment(settings), capture_output=True, text=True, check=False
    )
    found = {finding["about"]: finding["state"] for finding in json.loads(ended.stdout)}
    assert (found["house"], found["MQTT port"]) == ("warn", "ok")
    assert ended.returncode == any(state == "wrong" for state in found.values())
