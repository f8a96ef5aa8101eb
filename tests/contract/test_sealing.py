"""Secrets stand sealed in the database: those that stood open too, by old keys and new, with keys lost and back."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from broadstreet.access import Access
from broadstreet.access.second_factor import SECRET_BYTES, code_at, step_at
from broadstreet.apis import Services
from broadstreet.app import Settings
from broadstreet.app.doctor.sealed_secrets import sealed_secrets
from broadstreet.app.preparation import prepare_secrets
from broadstreet.app.settings import AccessSettings, EngineSettings
from broadstreet.backup.files import pack_files
from broadstreet.devices.webhook import WebhookSpec
from broadstreet.model.errors import CorruptData, EngineFailed
from broadstreet.store import Seal, Store, keys_in_use, reseal
from broadstreet.store.resealing import BATCH
from tests.contract.conftest import Clock

SECRET = b"12345678901234567890"


def key_of(store: Store) -> Path:
    """The file of the keys."""
    path = store.control.seal.path
    assert path is not None
    return path


async def open_secrets(services: Services, count: int) -> list[str]:
    """Accounts whose secrets stand open, as they did before there were keys."""
    control = services.store.control
    names = [f"person-{n:03}" for n in range(count)]
    await control.execute("INSERT INTO account (name, title) SELECT n, n FROM unnest($1::text[]) AS n", names)
    await control.execute(
        "INSERT INTO totp (account_key, secret, created_at, confirmed_at) SELECT key, $1, now(), now() FROM account",
        SECRET,
    )
    return names


async def takes(access: Access, account: str, secret: bytes, clock: Clock) -> bool:
    """Whether the code of now is right."""
    clock.forward(30)
    async with access.second_factor._control.transaction() as connection:
        return await access.second_factor.take(connection, account, code_at(secret, step_at(clock())))


async def test_no_secret_stands_in_the_database(services: Services, clock: Clock) -> None:
    control, city = services.store.control, await services.store.tenant("city")
    await services.access.accounts.create("anna", "Anna", tenant="city", roles=["viewer"], by="test")
    secret = await services.access.second_factor.begin("anna")
    spec = WebhookSpec(name="hook", device_field="id", is_signed=True)
    hook = await services.webhooks.create(city, spec, by="test", at_us=clock())
    assert hook.signing_key is not None
    kept = [
        bytes(row[0])
        for row in await control.fetch("SELECT secret FROM totp UNION ALL SELECT signing_key FROM webhook")
    ]
    assert len(kept) == 2 and all(secret not in one and hook.signing_key.encode() not in one for one in kept)
    assert await takes(services.access, "anna", secret, clock)
    assert (await services.webhooks.find(hook.secret, at_us=clock())).signing_key == hook.signing_key.encode()
    assert stat.S_IMODE(key_of(services.store).stat().st_mode) == 0o600


async def test_a_sealed_secret_opens_in_its_own_row_alone(services: Services, clock: Clock) -> None:
    control = services.store.control
    for name in ("anna", "eve"):
        await services.access.accounts.create(name, name, tenant="city", roles=["viewer"], by="test")
        await services.access.second_factor.begin(name)
    await control.execute("UPDATE totp SET secret = (SELECT secret FROM totp ORDER BY account_key DESC LIMIT 1)")
    with pytest.raises(CorruptData):
        await takes(services.access, "anna", SECRET, clock)
    await control.execute("UPDATE totp SET secret = set_byte(secret, 20, get_byte(secret, 20) # 1)")
    with pytest.raises(CorruptData):
        await takes(services.access, "eve", SECRET, clock)


async def test_what_stood_open_is_sealed_also_where_the_work_is_killed(services: Services, clock: Clock) -> None:
    names = await open_secrets(services, 2 * BATCH + 1)
    control = services.store.control
    key = key_of(services.store)

    def runs_out(after: int) -> Callable[[int], bytes]:
        left = iter(range(after))

        def some(size: int) -> bytes:
            if next(left, None) is None:
                raise ConnectionError("killed")
            return os.urandom(size)

        return some

    control.seal = Seal(key, runs_out(BATCH + 7))
    with pytest.raises(ConnectionError):
        await reseal(control)
    sealed = await control.fetchval("SELECT count(*) FROM totp WHERE sealed_by IS NOT NULL")
    assert sealed == BATCH, "a batch stands or does not"
    control.seal = Seal(key)
    assert await reseal(control) == (BATCH + 1, 0)
    assert await reseal(control) == (0, 0)
    assert await keys_in_use(control) == {control.seal.key_ids[0]}
    assert await takes(services.access, names[0], SECRET, clock)
    assert await takes(services.access, names[-1], SECRET, clock)


async def test_a_new_key_is_met_by_every_process_and_old_ones_go(services: Services, clock: Clock) -> None:
    (name,) = await open_secrets(services, 1)
    control = services.store.control
    elsewhere = Seal(key_of(services.store))
    (first,) = elsewhere.key_ids
    await reseal(control)
    second = control.seal.add_key(frozenset({first}))
    assert elsewhere.key_ids == (second, first), "another process reads the file again"
    assert await takes(services.access, name, SECRET, clock), "the old key opens what it sealed"
    assert await reseal(control) == (1, 0)
    third = control.seal.add_key(frozenset({second}))
    assert elsewhere.key_ids == (third, second)
    assert await reseal(control) == (1, 0)
    assert await takes(services.access, name, SECRET, clock)


async def findings(services: Services) -> list[tuple[str, str]]:
    return [(found.state, found.words) async for found in sealed_secrets(services.store.control)]


async def test_a_lost_key_is_told_and_stops_nothing_else(services: Services, clock: Clock) -> None:
    (name,) = await open_secrets(services, 1)
    control, key = services.store.control, key_of(services.store)
    ((state, text),) = await findings(services)
    assert (state, text) == ("wrong", "secrets stand open in the database")
    await reseal(control)
    ((state, _),) = await findings(services)
    assert state == "ok"
    key.chmod(0o644)
    assert "others may read" in (await findings(services))[0][1]
    kept = key.read_bytes()
    key.unlink()
    assert (await findings(services))[0][0] == "wrong"
    await prepare_secrets(Settings(data_dir=str(key.parent.parent)), services.store)
    assert key.read_bytes() != kept, "the house starts, with a new key"
    assert "sealed by keys that are not in" in (await findings(services))[0][1]
    with pytest.raises(EngineFailed):
        await takes(services.access, name, SECRET, clock)
    key.write_bytes(key.read_bytes() + kept)
    await prepare_secrets(Settings(data_dir=str(key.parent.parent)), services.store)
    assert await takes(services.access, name, SECRET, clock)


async def test_keys_that_lie_elsewhere_are_never_made_up(services: Services, tmp_path: Path) -> None:
    await open_secrets(services, 1)
    await reseal(services.store.control)
    services.store.control.seal = Seal(tmp_path / "elsewhere")
    named = Settings(access=AccessSettings(keys=str(tmp_path / "elsewhere")))
    second_machine = Settings(engines=EngineSettings(postgres_url="postgresql://db.city.example/x"))
    for settings in (named, second_machine):
        with pytest.raises(EngineFailed):
            await prepare_secrets(settings, services.store)
    assert not (tmp_path / "elsewhere").exists()


async def test_a_file_that_holds_no_keys_is_refused(services: Services) -> None:
    for told in ("", "not a key\n", "AAAA\n"):
        key_of(services.store).write_text(told, encoding="ascii")
        with pytest.raises(EngineFailed):
            services.store.control.seal.seal(bytes(SECRET_BYTES), "a row")
    with pytest.raises(EngineFailed):
        Seal().seal(bytes(SECRET_BYTES), "a row")


def test_a_backup_holds_the_keys(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "secrets"
    Seal(key).add_key()
    packed = io.BytesIO()
    pack_files(tmp_path, None, packed)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as tar:
        (found,) = tar.getmembers()
        file = tar.extractfile(found)
        assert file is not None
        assert (found.name, found.mode, file.read()) == ("keys/secrets", 0o600, key.read_bytes())
