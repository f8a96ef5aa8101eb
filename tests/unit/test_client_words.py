"""The client has words for every name that the server gives it on the page of the system."""

from __future__ import annotations

import re

import pytest

from broadstreet.app.role import ROLES
from broadstreet.engines import nats, postgres
from broadstreet.log import STREAMS, DeadReason
from webapp.build import WEBAPP

SHOWN: dict[str, list[str]] = {
    "process": [postgres.NAME, nats.NAME, *ROLES],
    "stream": list(STREAMS),
    "deadRemedy": list(DeadReason),
}


@pytest.mark.parametrize("table", SHOWN)
def test_each_name_is_told_in_words(table: str) -> None:
    words = (WEBAPP / "src" / "words" / "en.ts").read_text(encoding="utf-8")
    part = re.search(rf"^    {table}: \{{\n(.*?)^    \}}", words, re.MULTILINE | re.DOTALL)
    assert part is not None
    told = re.findall(r"^      '?([^':]+)'?: ", part[1], re.MULTILINE)
    assert sorted(told) == sorted(SHOWN[table])
