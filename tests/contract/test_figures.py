"""The figures for operators: each that is described is given where there is something to tell."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from broadstreet.app import figures
from broadstreet.app.acme import Shelf, State, prepare_certificate, wanted
from broadstreet.app.clock import now_us
from broadstreet.app.figures import FIGURES, Figures
from broadstreet.app.preparation import prepare_log, prepare_store
from broadstreet.app.settings import AcmeSettings, Http, Settings
from broadstreet.backup.taking import REPORT_NAME, BackupReport
from broadstreet.engines import EngineAddresses, HouseStatus, ProcessStatus, write_status
from broadstreet.engines.folder import DataFolder
from broadstreet.log import Log
from broadstreet.store import Store


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    acme = AcmeSettings(names="city.example", agree_to_terms=True)
    return Settings(data_dir=str(data_dir), http=Http(redirect_port=80), acme=acme)


async def test_every_figure_is_given(
    settings: Settings, city_dsn: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = EngineAddresses(city_dsn, nats_url)
    await prepare_store(settings, addresses)
    await prepare_log(settings, addresses)
    folder = DataFolder(settings.data_path)
    folder.prepare()
    folder.lock()
    running = [ProcessStatus("api", os.getpid(), 0, 2), ProcessStatus("gateway", None, 0, 0)]
    write_status(folder, HouseStatus(os.getpid(), False, [], running))
    report = BackupReport("there", now_us() - 5_000_000, now_us(), 77, encrypted=False)
    (settings.data_path / REPORT_NAME).write_bytes(msgspec.json.encode(report))
    prepare_certificate(settings, now_us())
    wish = wanted(settings)
    assert wish is not None
    shelf = Shelf(settings.data_path)
    shelf.keep_state(State(asked=wish.mark, failures=3))
    monkeypatch.setattr(figures, "LOOK_EVERY_S", 0.01)
    async with await Store.connect(city_dsn) as store, await Log.connect(nats_url) as log:
        house = Figures(settings, store, log, now_us)
        looking = asyncio.create_task(house.run())
        for _ in range(1_000):
            if {sample.name for sample in house.samples()} == set(FIGURES):
                break
            await asyncio.sleep(0.01)
        found = {(sample.name.removeprefix("broadstreet_"), *sample.labels): sample.value for sample in house.samples()}
        looking.cancel()
    folder.unlock()
    assert {sample[0] for sample in found} == {name.removeprefix("broadstreet_") for name in FIGURES}
    assert found["process_up", ("process", "api")] == 1
    assert found["process_up", ("process", "gateway")] == 0
    assert found["process_restarts_total", ("process", "api")] == 2
    assert found["process_resident_bytes", ("process", "api")] > 1_000_000
    assert found["stream_limit_bytes", ("stream", "RAW")] == 4 * 1024**3
    assert found["dead_letters", ("tenant", "city")] == 0
    assert 5 <= found["backup_age_seconds",] < 60
    assert found["backup_bytes",] == 77
    assert 89 * 86_400 < found["certificate_left_seconds", ("port", "http")] < 91 * 86_400
    assert found["certificate_failures",] == 3


def test_a_house_without_engines_still_has_figures(settings: Settings, data_dir: Path) -> None:
    house = Figures(settings, None, None, now_us)  # type: ignore[arg-type]  # they are not asked
    names = {sample.name.removeprefix("broadstreet_") for sample in house.samples()}
    assert names == {"disk_free_bytes", "disk_kept_free_bytes", "certificate_failures"}
