"""`broadstreet reseal`: a new key for the secrets in the database, which are sealed anew by it."""

from __future__ import annotations

from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for


def reseal(data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """Make a new key, and seal the secrets in the database anew by it.

    For when somebody may have seen the file of keys. The house may run meanwhile: each process takes the new key by
    itself. The key before stays in the file, and opens what was sealed in that moment; those before it go, once
    nothing is sealed by them.
    """
    from broadstreet.app.reach import reach_engines
    from broadstreet.store import Store, keys_in_use
    from broadstreet.store import reseal as seal_anew

    chosen = house_settings(data_dir, settings)

    async def work() -> tuple[int, int]:
        async with (
            reach_engines(chosen) as addresses,
            await Store.connect(addresses.postgres_dsn, pool_size=1, keys=chosen.keys_path) as store,
        ):
            used = await keys_in_use(store.control)
            store.control.seal.add_key(frozenset(key for key in used if key is not None))
            return await seal_anew(store.control)

    sealed, lost = wait_for(work())
    console.print(f"{sealed} secrets are sealed by a new key in {chosen.keys_path}.", soft_wrap=True)
    if lost:
        console.print(f"{lost} could not be opened: their keys are not in that file. They were left as they are.")
