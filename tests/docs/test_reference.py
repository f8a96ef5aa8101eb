"""The reference says what the code has, and the code has what the reference says: compared both ways."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import msgspec

from broadstreet.apis import Metrics
from broadstreet.app import load
from broadstreet.app.figures import FIGURES
from broadstreet.devices import parse_profile
from broadstreet.devices.profile import AttributeMapping, _ProfileHead
from broadstreet.gateway import bounds
from broadstreet.log import DeadReason
from broadstreet.model import errors
from broadstreet.model.change import ChangeBatch, Flag
from broadstreet.model.errors import BroadstreetError
from broadstreet.portal import town, vitals
from tests.docs.commands import command_line
from tests.docs.pages import pages, reference

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


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


def test_every_key_of_a_profile_is_described() -> None:
    page = reference("profiles")
    head, attribute = page.section("`[profile]`"), page.section("`[attributes.NAME]`")
    assert head is not None
    assert attribute is not None
    assert list(head.rows()) == [field.name for field in msgspec.structs.fields(_ProfileHead)]
    assert set(attribute.rows()) == {field.name for field in msgspec.structs.fields(AttributeMapping)}


def test_every_reason_of_a_dead_letter_is_described() -> None:
    reasons = reference("profiles").section("What cannot be read")
    assert reasons is not None
    assert list(reasons.rows()) == [reason.value for reason in DeadReason]


def test_profiles_in_the_docs_are_profiles() -> None:
    shown = [block for page in pages() for block in page.blocks("toml") if "[profile]" in block]
    assert shown
    for block in shown:
        assert parse_profile(block).attributes


def test_settings_in_the_docs_are_settings(tmp_path: Path) -> None:
    shown = [block for page in pages() for block in page.blocks("toml") if "broadstreet.toml" in block]
    for block in shown:
        (tmp_path / "broadstreet.toml").write_text(block)
        assert load({}, tmp_path / "broadstreet.toml")


def test_bounds_in_the_docs_are_those_of_the_code() -> None:
    section = reference("mqtt").section("Bounds")
    assert section is not None
    rows = section.rows().items()  # of the settings' limits too, whose names are not those of constants
    told = {name: float(row.partition("|")[0]) for name, row in rows if name.isupper()}
    assert told
    assert told == {name: getattr(bounds, name) for name in told}


def test_every_metric_is_described() -> None:
    own = re.findall(r"^# HELP (\S+) ", Metrics().render(), re.MULTILINE)
    reported = [f"broadstreet_gateway_{what}" for what in vitals._GATEWAY_FIGURES]
    reported += [f"broadstreet_recorder_{what}" for what in vitals._RECORDER_FIGURES]
    reported += [f"broadstreet_notifier_{what}" for what in vitals._NOTIFIER_FIGURES]
    assert list(reference("metrics").rows()) == [*own, *reported, *FIGURES]


def test_the_dashboard_and_the_alarms_ask_for_metrics_that_are_there() -> None:
    known = set(reference("metrics").rows()) | {"broadstreet_http_first_byte_seconds_bucket"}
    shown = {
        target["expr"]
        for panel in json.loads((EXAMPLES / "grafana.json").read_text(encoding="utf-8"))["panels"]
        for target in panel.get("targets", ())
    }
    rules = (EXAMPLES / "alerts.yml").read_text(encoding="utf-8")
    alarms = set(re.findall(r"^ +expr: '(.+)'$", rules, re.MULTILINE))
    for asked in (shown, alarms):
        named = {name for expression in asked for name in re.findall(r"broadstreet_\w+", expression)}
        assert len(named) >= 8
        assert named <= known
    everything = {name for expression in shown for name in re.findall(r"broadstreet_\w+", expression)}
    assert known - everything == {"broadstreet_http_first_byte_seconds"}, "each is on the dashboard"
    assert len(alarms) == rules.count("- alert: ") == rules.count("description: '") == rules.count("severity: ")


def test_every_field_of_a_change_is_described() -> None:
    page = reference("changes")
    flags = page.section("Flags")
    assert flags is not None
    told = {name: int(row.partition("|")[0]) for name, row in flags.rows().items()}
    assert told == {str(flag.name): flag.value for flag in Flag}
    fields = [field.name for field in msgspec.structs.fields(ChangeBatch)]
    assert list(page.rows()) == [*fields, *told]


def test_every_live_event_is_described() -> None:
    """The portal tells its pages of events by name; the page on its API names each."""
    source = inspect.getsource(town)
    sent = set(re.findall(r"clients\.tell\(\s*\"(\w+)\"", source))
    live = reference("portal-api").section("`GET /portal/api/live`")
    assert live is not None
    assert sent == set(re.findall(r"`(\w+)`: ", live.text))
