"""Networks of the Open Fibre Data Standard: made up by hypothesis, sound or broken, and judged by libcoveofds."""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st
from libcoveofds.jsonschemavalidate import JSONSchemaValidator
from libcoveofds.python_validate import PythonValidate
from libcoveofds.schema import OFDSSchema

from broadstreet.network.ofds.codes import COUNTRIES
from broadstreet.network.ofds.network import CRS_NAME, CRS_URI, SCHEMA, Network, Node, Span
from broadstreet.network.ofds.part import Part, Rule

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
LONGITUDES = st.floats(-180, 180)
LATITUDES = st.floats(-90, 90)
POSITIONS = st.tuples(LONGITUDES, LATITUDES).map(list)
FORMS = {
    "uuid": st.uuids().map(str),
    "date": st.dates().map(str),
    "iri": st.sampled_from(["https://example.org/a?b=1#c", "urn:x:y", "mailto:a@example.org", "https://ex.org/ö%20"]),
}


def canonical(value: Any) -> str:
    """A JSON value so that two are one if, and only if, they say the same."""
    return json.dumps(value, sort_keys=True)


@st.composite
def objects(draw: st.DrawFn, kind: type[Part], *, broken: bool = False) -> dict[str, Any]:
    """Objects of a kind, sound by themselves; broken, anything may stand anywhere."""
    return draw(_objects(kind, JUNK if broken else None))


@cache
def _objects(kind: type[Part], junk: st.SearchStrategy[Any] | None) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.encode_name: hints[field.name] for field in msgspec.structs.fields(kind)}
    values = {name: _values(hint, junk) for name, hint in fields.items() if name not in ("other", "instead")}
    if junk is None:
        needed = {name for name, hint in fields.items() if name in values and _rule(hint).required}
        sure = {name: value for name, value in values.items() if name in needed or len(values) == 1}
        if not sure:
            sure = dict([next(iter(values.items()))])
        return st.fixed_dictionaries(sure, optional={n: v for n, v in values.items() if n not in sure})
    broken = {name: st.one_of(value, value, value, junk) for name, value in values.items()}
    known = st.fixed_dictionaries({}, optional=broken)
    return st.tuples(known, st.dictionaries(st.text(max_size=4), junk, max_size=2)).map(
        lambda two: {**two[1], **two[0]}
    )


def _rule(hint: Any) -> Rule:
    return get_args(hint)[1] if get_origin(hint) is Annotated else Rule()


def _values(hint: Any, junk: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Any]:
    rule = _rule(hint)
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    inner = [argument for argument in get_args(plain) if argument is not type(None) and argument is not Ellipsis]
    if get_origin(plain) is list:
        return st.lists(POSITIONS, min_size=2, max_size=4) if get_origin(inner[0]) is list else POSITIONS
    if get_origin(plain) is tuple:
        one = _texts(rule) if inner[0] is str else st.deferred(lambda: objects(inner[0], broken=junk is not None))
        items = one if junk is None else st.one_of(one, one, one, junk)
        return st.lists(items, min_size=int(junk is None), max_size=3, unique_by=canonical)
    sort = inner[0]
    if issubclass(sort, Part):
        return st.deferred(lambda: objects(sort, broken=junk is not None))
    numbers = {bool: st.booleans(), int: st.integers(0, 10**6), float: st.floats(0, 10**6) | st.integers(0, 10**6)}
    return _texts(rule) if sort is str else numbers[sort]


def _texts(rule: Rule) -> st.SearchStrategy[str]:
    if rule.value is not None:
        return st.just(rule.value)
    if rule.codes is not None:
        return st.sampled_from(sorted(rule.codes))
    return FORMS[rule.form] if rule.form is not None else st.sampled_from("abcdefghij")


SOUND = objects(Network)
"""Networks whose objects are sound, each by itself."""

BROKEN = objects(Network, broken=True)
"""Networks in which anything may be wrong."""


@st.composite
def consistent(draw: st.DrawFn) -> dict[str, Any]:
    """Networks that keep to the standard: ids are unlike, whoever is referred to is there, spans end at nodes."""
    network = draw(SOUND)
    network["nodes"] = draw(st.lists(objects(Node), min_size=1, max_size=3))
    network["spans"] = draw(st.lists(objects(Span), min_size=1, max_size=3))
    network["crs"] = {"name": CRS_NAME, "uri": CRS_URI}
    others = [link for link in network["links"] if not link["rel"].startswith("describedby")]
    network["links"] = [{"rel": "describedby", "href": SCHEMA}, *others]
    for name in ("nodes", "spans", "phases", "organisations", "wayleaves", "contracts"):
        for n, thing in enumerate(network.get(name, ())):
            thing["id"] = f"{name}-{n}"
    _refer(network)
    for span in network["spans"]:
        for end in ("start", "end"):
            span[end] = draw(st.sampled_from(network["nodes"]))["id"]
        span.pop("wayleaves", None)
        if "wayleaves" in network:
            span["wayleaves"] = [network["wayleaves"][0]["id"]]
    for node in network["nodes"]:
        for n, address in enumerate(node.get("internationalConnections", ())):
            address["country"] = sorted(COUNTRIES)[n]
    return network


def _refer(network: dict[str, Any]) -> None:
    """Let every reference be to the first of its kind; leave it out where there is none."""
    organisation, phase = (_reference(network.get(name)) for name in ("organisations", "phases"))
    for thing in (*network["nodes"], *network["spans"], *network.get("wayleaves", ())):
        carrier = thing.get("supportingInfrastructure", {"description": "none"})
        for holder, name, value in (
            (thing, "transmissionMediumOwner", organisation),
            (thing, "supplier", organisation),
            (thing, "grantor", organisation),
            (carrier, "owner", organisation),
            (thing, "phase", phase),
        ):
            if name in holder:
                del holder[name]
                holder.update({name: value} if value else {})
        if not carrier:
            del thing["supportingInfrastructure"]
    lists = [(network.get(n, ()), "networkProviders", organisation) for n in ("nodes", "spans")]
    lists += [
        (network.get("phases", ()), "funders", organisation),
        (network.get("contracts", ()), "relatedPhases", phase),
    ]
    for things, name, value in lists:
        for thing in things:
            if name in thing:
                del thing[name]
                thing.update({name: [value]} if value else {})


def _reference(things: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    return {name: things[0][name] for name in ("id", "name") if name in things[0]} if things else None


@st.composite
def one_wrong(draw: st.DrawFn) -> dict[str, Any]:
    """Networks that keep to the standard but for one thing, somewhere, which is gone or is something else."""
    network = draw(consistent())
    at: Any = network
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = draw(st.sampled_from(keys))
        if not (isinstance(at[key], dict | list) and at[key]) or draw(st.integers(0, 3)) == 0:
            break
        at = at[key]
    if draw(st.booleans()):
        del at[key]
    else:
        at[key] = draw(JUNK | st.sampled_from("abc"))
    return network


class _Schema(OFDSSchema):  # type: ignore[misc]  # a package without types
    """The judge's schema; it looks for ids along a fault's path, and falls where something else stands there."""

    def extract_data_ids_from_data_and_path(self, data: Any, path: Any) -> dict[str, str]:
        return {}


def schema_errors(package: Any) -> list[str]:
    """What is wrong with a package by the standard's schema, as libcoveofds brings it."""
    found = [error.json() for error in JSONSchemaValidator(_Schema()).validate(package)]
    return [f"{'/'.join(map(str, error['path']))}: {error['message']}" for error in found]


def rule_errors(package: Any) -> list[str]:
    """What is wrong with it by the rules that libcoveofds adds."""
    return [f"{found.get('path')}: {found['type']}" for found in PythonValidate(OFDSSchema()).validate(package)]
