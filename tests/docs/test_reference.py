"""The reference says what the code has, and the code has what the reference says: compared both ways."""

from __future__ import annotations

from broadstreet.model import errors
from broadstreet.model.errors import BroadstreetError
from tests.docs.commands import command_line
from tests.docs.pages import reference


def test_every_command_is_described() -> None:
    page = reference("cli")
    headings = (line for line in page.text.splitlines() if line.startswith("## `broadstreet"))
    assert {heading.removeprefix("## ").strip("`") for heading in headings} == set(command_line())
    for name, command in command_line().items():
        section = page.section(f"`{name}`")
        assert section is not None
        assert set(section.rows()) == {*command.arguments, *(first for first, *_ in command.options)}, name


def test_every_error_is_described() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BroadstreetError)]
    rows = reference("errors").rows()
    assert set(rows) == {kind.__name__ for kind in kinds}
    for kind in kinds:
        status, type_name, message = (cell.strip(" `") for cell in rows[kind.__name__].split("|"))
        assert (status, type_name, message) == (str(kind.status), kind.ngsi_ld_type, kind().message), kind
