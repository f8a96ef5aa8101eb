"""The page on networks of the Open Fibre Data Standard names every kind of fault, in the table where it belongs."""

from __future__ import annotations

import re

from broadstreet.network.ofds import MAX_DOCUMENT_BYTES, Kind, Severity
from broadstreet.network.ofds.checking import FAR_END_M
from tests.docs.pages import ROOT, Page

PAGE = Page(ROOT / "docs" / "howto" / "check-an-ofds-network.md")


def test_every_kind_of_fault_is_described() -> None:
    section = PAGE.text.partition("## What it finds")[2].partition("\n## ")[0]
    violations, advice = section.split("Advice:")
    for table, severity in ((violations, Severity.VIOLATION), (advice, Severity.ADVICE)):
        named = {
            name
            for line in table.splitlines()
            if line.startswith("| `")
            for name in re.findall(r"`([^`]+)`", line.split("|")[1])
        }
        assert named == {kind.value for kind in Kind if kind.severity is severity}


def test_bounds_are_those_of_the_code() -> None:
    assert f"may have {MAX_DOCUMENT_BYTES // 1024**2} MB" in PAGE.text
    assert f"more than {FAR_END_M:.0f} m" in PAGE.text
