"""Every setting is described, with its default, and nothing else is."""

from __future__ import annotations

from operator import attrgetter

from broadstreet.app.settings import Settings, names
from tests.docs.pages import reference


def test_every_setting_is_described() -> None:
    rows = reference("settings").rows()
    assert list(rows) == list(names()), "in the order of the code"
    for name, row in rows.items():
        default, what = (cell.strip() for cell in row.split("|"))
        assert default.strip("`") == (str(attrgetter(name)(Settings())) or "*(empty)*"), name
        assert what.endswith("."), name
