"""Whether the keys are there by which secrets in the database are sealed, and nobody else may read them."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from typing import Final

from broadstreet.app.doctor.finding import Finding, ok, wrong
from broadstreet.model.errors import EngineFailed
from broadstreet.store import Database, keys_in_use

ABOUT: Final = "keys"


async def sealed_secrets(control: Database) -> AsyncIterator[Finding]:
    """The file of keys against what the database holds."""
    seal = control.seal
    assert seal.path is not None  # the doctor is told of it
    try:
        known = set(seal.key_ids)
    except EngineFailed as error:
        yield wrong(ABOUT, str(error), "Put the file back from a backup.")
        return
    used = await keys_in_use(control)
    if seal.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield wrong(ABOUT, f"others may read {seal.path}", "Close it: chmod 600, and then `broadstreet reseal`.")
    elif missing := used - known - {None}:
        names = ", ".join(sorted(key.hex() for key in missing if key is not None))
        yield wrong(ABOUT, f"secrets are sealed by keys that are not in {seal.path}: {names}", "Put their lines back.")
    elif None in used:
        yield wrong(ABOUT, "secrets stand open in the database", "Seal them: `broadstreet reseal`.")
    else:
        yield ok(ABOUT, f"secrets in the database are sealed by keys in {seal.path}")
