"""How a command works on the database of a data folder, whether its house runs or not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from broadstreet.cli.options import house_settings, wait_for

if TYPE_CHECKING:
    from broadstreet.access import Access
    from broadstreet.store import Store

T = TypeVar("T")


def in_store(
    data_dir: Path | None, settings: Path | None, work: Callable[[Store, Access], Coroutine[Any, Any, T]]
) -> T:
    """What a piece of work answers. It may need its engines started, which end with it."""
    chosen = house_settings(data_dir, settings)

    async def reach() -> T:
        from broadstreet.access import Access
        from broadstreet.app.clock import now_us
        from broadstreet.app.reach import reach_engines
        from broadstreet.store import Store

        async with reach_engines(chosen) as addresses, await Store.connect(addresses.postgres_dsn) as store:
            return await work(store, Access(store.control, now_us))

    return wait_for(reach())
