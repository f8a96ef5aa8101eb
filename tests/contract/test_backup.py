"""Backups: equal by hash after a restore, sealed or not, from a folder or a bucket; damage is told."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from moto.server import ThreadedMotoServer

from broadstreet.access import Principal
from broadstreet.app.clock import now_us
from broadstreet.app.preparation import prepare_log, prepare_store
from broadstreet.app.settings import Settings
from broadstreet.backup import House, Sealing, Vault, new_identity, open_vault, put_back, take, verify
from broadstreet.backup.files import pack_files
from broadstreet.backup.manifest import complete, newest, remove_beyond
from broadstreet.backup.sealing import Stored
from broadstreet.backup.taking import last_backup, name_of
from broadstreet.engines import Engines
from broadstreet.history.past import READING
from broadstreet.jobs import Jobs, Worker
from broadstreet.log import Log, Pack
from broadstreet.model.errors import BroadstreetError, Conflict, CorruptData, EngineFailed, InvalidInput, NotFound
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.papers import Format
from broadstreet.network.scenarios import KIND, LAYERS, NewProject, NewScenario, Plans, PlanWish, layer_file
from broadstreet.store import Store, load_queries
from tests.contract.content import content
from tests.quarter import HOMES, INPUTS, STREETS

TABLE = "past/city/observation"


class Site:
    """A house at rest, with something in every place that a backup takes from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.engines = Engines(self.data_dir)
        self.settings_file = folder / "broadstreet.toml"

    @property
    def house(self) -> House:
        return House(self.data_dir, self.engines.addresses, own_postgres=True, settings_file=self.settings_file)

    async def fill(self) -> None:
        settings = Settings(data_dir=str(self.data_dir))
        await prepare_store(settings, self.engines.addresses)
        await prepare_log(settings, self.engines.addresses)
        async with await Store.connect(self.engines.addresses.postgres_dsn) as store:
            await store.create_tenant("second", "A second tenant")
            await plan_town(store, self.data_dir)
        async with await Log.connect(self.engines.addresses.nats_url) as log:
            for number in range(50):
                pack = Pack(bytes([number]) * 16, "city", 0, "gateway", [1], [number], ["readings"], [b"x" * 4000])
                await log.append_raw(pack)
            await log.retain("city", "devices/a/state", b"on")
        self.settings_file.write_text("[city]\ntitle = 'Broad Street'\n")
        for name, body in {
            "maps/city.pmtiles": b"map",
            f"{TABLE}/part-1.parquet": b"1",
            f"{TABLE}/_delta_log/00000000000000000000.json": b"{}",
            "logs/gateway.log": b"not kept",
            "rejects/half.part": b"not kept",
        }.items():
            (self.data_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (self.data_dir / name).write_bytes(body)

    async def back_up(self, vault: Vault, sealing: Sealing) -> Vault:
        place = vault.within(name_of(now_us()))
        await take(self.house, place, sealing, now_us, lambda kind, stored: None)
        return place


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, short_dir: Path) -> AsyncIterator[Site]:
    site = Site(short_dir)
    async with site.engines:
        await site.fill()
        yield site


@pytest.fixture(scope="module")
def short_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="broadstreet-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def bucket(free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a server that speaks S3."""
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    httpx.put(f"http://127.0.0.1:{port}/backups").raise_for_status()
    yield "s3://backups/city"
    server.stop()


async def plan_town(store: Store, data_dir: Path) -> None:
    """A project of a small town with its sources, and a scenario that is planned."""
    plans = Plans(store, data_dir, now_us, Jobs(store, data_dir / "exports", now_us, os.urandom))
    city, engineer = await store.tenant("city"), Principal.account("eve", "Eve", "city", ["engineer"])
    wanted = NewProject(name="Town", inputs=msgspec.convert(INPUTS, type=Inputs))
    project = await plans.projects.create(city, wanted, "eve")
    for name, body in {"streets.geojson": STREETS, "homes.csv": HOMES}.items():

        async def pieces(body: bytes = body) -> AsyncIterator[bytes]:
            yield body

        await plans.put_source(city, project, name, len(body), pieces(), "eve")
    asked = NewScenario(name="All", wish=PlanWish(seconds=1))
    scenario = await plans.scenarios.create(city, project, asked, "eve")
    await plans.begin(city, engineer, project, scenario)
    assert await Worker(plans.jobs, {KIND: plans.work}, "w").do_next(city)
    assert (await plans.scenarios.find(city, scenario.id)).state == "planned"


async def same_plan(site: Site, store: Store, data_dir: Path) -> None:
    """The restored house hands out the plan that the house has, and goes on from its sources."""
    plans = Plans(store, data_dir, now_us)
    city = await store.tenant("city")
    (project,) = await plans.projects.list(city)
    (scenario,) = await plans.scenarios.list(city, project)
    assert scenario.state == "planned" and scenario.outcome is not None
    before, folder = site.data_dir / "plans", plans.design(city, scenario)
    old = before / folder.relative_to(data_dir / "plans")
    for layer in LAYERS:
        assert layer_file(folder, layer).read_bytes() == layer_file(old, layer).read_bytes()
    assert plans.shelf.read(folder).statement.cost_cents == scenario.outcome.cost_cents
    laid_out = await plans.laid_out(city, project)
    assert {name: path.read_bytes() for name, path in laid_out.items() if name in {"streets.geojson", "homes.csv"}} == {
        "streets.geojson": STREETS,
        "homes.csv": HOMES,
    }
    whole = {path.relative_to(before) for path in before.rglob("*") if path.is_file()}
    assert whole == {path.relative_to(data_dir / "plans") for path in (data_dir / "plans").rglob("*") if path.is_file()}
    paper, name, _ = await plans.papers(city, scenario, Format.CSV, "bill")
    assert name == "town-all-bill.csv" and len(paper.read_text().splitlines()) > 2


async def restored(vault: Vault, sealing: Sealing, data_dir: Path) -> None:
    await put_back(vault, sealing, data_dir, postgres_url=None, nats_url=None, tell=lambda part, words: None)


async def same(site: Site, data_dir: Path, *, is_plan_asked: bool = False) -> None:
    """A restored folder holds what the house holds. is_plan_asked: whether its plan is handed out as well."""
    before = await content(site.engines.addresses.postgres_dsn)
    async with Engines(data_dir) as engines:
        assert await content(engines.addresses.postgres_dsn) == before
        assert len(before) > 40
        if is_plan_asked:
            async with await Store.connect(engines.addresses.postgres_dsn) as store:
                await same_plan(site, store, data_dir)
        async with (
            await Log.connect(engines.addresses.nats_url) as log,
            await Log.connect(site.engines.addresses.nats_url) as old,
        ):
            assert await log.raw_incarnation() == await old.raw_incarnation()
            assert (await log.stream_info("RAW")).state.messages == 50
            assert await log.retained("city") == {"devices/a/state": b"on"}
            async with log.read_raw("city", 0, 48) as reader, old.read_raw("city", 0, 48) as old_reader:
                assert await reader.fetch(2, 5) == await old_reader.fetch(2, 5)
    assert (data_dir / "maps" / "city.pmtiles").read_bytes() == b"map"
    assert (data_dir / TABLE / "_delta_log" / "00000000000000000000.json").exists()
    assert (data_dir / "broadstreet.toml").read_text() == site.settings_file.read_text()
    assert not (data_dir / "logs" / "gateway.log").exists()
    assert not (data_dir / "rejects" / "half.part").exists()


async def test_a_house_comes_back_from_an_encrypted_bucket(site: Site, bucket: str, data_dir: Path) -> None:
    identity, recipient = new_identity()
    (data_dir / "key").write_text(f"# {recipient}\n{identity}\n")
    vault = open_vault(bucket)
    await site.back_up(vault, Sealing([recipient]))
    place, opening = newest(vault), Sealing.of_identity(data_dir / "key")
    looked: list[str] = []
    await verify(place, opening, lambda part, words: looked.append(words))
    assert "as stored" not in looked
    with pytest.raises(InvalidInput, match="encrypted"):
        await restored(place, Sealing(), data_dir / "again")
    await restored(place, opening, data_dir / "again")
    await same(site, data_dir / "again")
    remembered = last_backup(site.data_dir)
    assert remembered is not None
    assert (remembered.place, remembered.encrypted) == (place.place, True)
    place.remove()
    with pytest.raises(NotFound):
        newest(vault)


async def test_a_house_comes_back_from_a_folder(site: Site, data_dir: Path) -> None:
    vault = open_vault(str(data_dir / "backups"))
    place = await site.back_up(vault, Sealing())
    assert {path.stat().st_mode & 0o077 for path in (data_dir / "backups").rglob("*")} == {0}
    await restored(place, Sealing(), data_dir / "again")
    await same(site, data_dir / "again", is_plan_asked=True)
    with pytest.raises(Conflict, match="nothing is overwritten"):
        await restored(place, Sealing(), data_dir / "again")


async def test_a_changed_byte_is_told(site: Site, data_dir: Path) -> None:
    place = await site.back_up(open_vault(str(data_dir / "backups")), Sealing())
    folder = Path(place.place)
    manifest = json.loads((folder / "manifest.json").read_text())
    for part in manifest["parts"]:
        file = folder / part["name"]
        body = bytearray(file.read_bytes())
        body[len(body) // 2] ^= 1
        file.write_bytes(body)
        with pytest.raises(CorruptData):
            await verify(place, Sealing(), lambda part, words: None)
        body[len(body) // 2] ^= 1
        file.write_bytes(body)
    await verify(place, Sealing(), lambda part, words: None)
    (folder / manifest["parts"][0]["name"]).write_bytes(b"")
    with pytest.raises(BroadstreetError):
        await restored(place, Sealing(), data_dir / "again")
    with pytest.raises(EngineFailed, match="has not been finished"):
        async with Engines(data_dir / "again"):
            pass


async def test_the_log_is_kept_whole_while_a_backup_is_made(site: Site, data_dir: Path) -> None:
    async with await Log.connect(site.engines.addresses.nats_url) as log:
        first = (await log.stream_info("RAW")).state.first_seq
        async with log.raw_held():
            await log.trim_raw("city", 0, first + 5)
            assert (await log.stream_info("RAW")).state.first_seq == first
            with pytest.raises(Conflict, match="another backup"):
                await site.back_up(open_vault(str(data_dir / "backups")), Sealing())
        assert not list((data_dir / "backups").rglob("*"))
        await log.trim_raw("other", 0, first + 5)
        async with log.raw_held():
            pass


async def test_no_file_of_the_past_goes_while_a_backup_is_made(site: Site, data_dir: Path) -> None:
    async with await Store.connect(site.engines.addresses.postgres_dsn) as store:
        database, sql = await store.tenant("city"), load_queries("past")

        async def may_sweep() -> bool:
            async with database.acquire() as connection:
                if may := bool(await connection.fetchval(sql["try_lock"], READING)):
                    await connection.execute(sql["unlock"], READING)
                return may

        looking: list[asyncio.Task[bool]] = []
        loop = asyncio.get_running_loop()
        vault = open_vault(str(data_dir / "backups"))

        def look(kind: str, stored: Stored) -> None:
            looking.append(loop.create_task(may_sweep()))

        await take(site.house, vault, Sealing(), now_us, look)
        assert not (await asyncio.gather(*looking))[0]  # as soon as PostgreSQL was copied
        assert await may_sweep()


async def test_an_interrupted_backup_is_none(site: Site, data_dir: Path) -> None:
    vault = open_vault(str(data_dir / "backups"))
    told: list[str] = []

    def tell(kind: str, stored: Stored) -> None:
        told.append(kind)
        work.cancel()

    work = asyncio.create_task(take(site.house, vault.within("half"), Sealing(), now_us, tell))
    with pytest.raises(asyncio.CancelledError):
        await work
    assert told == ["postgres"]
    assert vault.folders() == []
    assert complete(vault) == []
    place = await site.back_up(vault, Sealing())
    assert newest(vault).place == place.place
    assert remove_beyond(vault, 1) == []


def test_a_table_that_grows_is_copied_again(tmp_path: Path) -> None:
    log = tmp_path / "data" / TABLE / "_delta_log"
    log.mkdir(parents=True)
    (log / "0.json").write_text("{}")
    (tmp_path / "data" / TABLE / "0.parquet").write_text("0")
    grown = iter(range(1, 4))

    class Sink:
        """A place that is slow: the table grows with each of the first writes."""

        def __init__(self) -> None:
            self.file = (tmp_path / "out.tar").open("wb")

        def write(self, data: bytes) -> int:
            if (number := next(grown, None)) is not None:
                (log / f"{number}.json").write_text("{}")
                (tmp_path / "data" / TABLE / f"{number}.parquet").write_text(str(number))
            return self.file.write(data)

    sink = Sink()
    pack_files(tmp_path / "data", None, sink)  # type: ignore[arg-type]  # all that a tar asks of a file
    sink.file.close()
    with tarfile.open(tmp_path / "out.tar") as tar:
        names = set(tar.getnames())
    logged = {name for name in names if name.endswith(".json")}
    assert {name.replace("_delta_log/", "").replace(".json", ".parquet") for name in logged} <= names


def test_keys_and_places_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no public key"):
        Sealing(["age1nonsense"])
    with pytest.raises(InvalidInput, match="cannot be read"):
        Sealing.of_identity(tmp_path / "missing")
    with pytest.raises(InvalidInput, match="bucket is not named"):
        open_vault("s3:///x")
    with pytest.raises(InvalidInput, match="no place"):
        open_vault("ftp://somewhere")
    with pytest.raises(NotFound, match="no complete backup"):
        newest(open_vault(str(tmp_path)))
