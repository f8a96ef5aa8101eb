"""Networks as GeoJSON: a collection of nodes and one of spans, as the standard's transformation has it, and back.

Each feature carries its network, and in place of a reference the organisation, phase or node itself, so that a
feature says all by itself. That loses who is referred to by nobody, and how exactly a reference was written. So our
collections have a member `ofds` beside their features (RFC 7946, 6.1 allows it; other tools pass over it) with the
networks without nodes and spans as they were, and a feature has one with those members that would not come back the
same. What must always hold: a package that went out comes back as it was. A pair from elsewhere has no such member:
then organisations, phases, and nodes that only spans name, are gathered from the features.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from broadstreet.network.ofds.fault import Faults
from broadstreet.network.ofds.network import LineString, Point
from broadstreet.network.ofds.part import Part, take

Json = dict[str, Any]

OURS: Final = "ofds"
ADDED: Final = ("network", "featureType")
SINGLE: Final = ("transmissionMediumOwner", "physicalInfrastructureProvider", "supplier")
SHAPES: Final[dict[str, tuple[str, type[Part]]]] = {"node": ("location", Point), "span": ("route", LineString)}
ENDS: Final = ("start", "end")


class Tables:
    """What a network's references lead to, by id."""

    def __init__(self, network: Json) -> None:
        self.organisations = by_id(network.get("organisations"))
        self.phases = by_id(network.get("phases"))
        self.nodes = by_id(network.get("nodes"))


def by_id(things: Any) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for thing in _listed(things):
        if isinstance(thing, dict) and isinstance(thing.get("id"), str):
            found.setdefault(thing["id"], thing)
    return found


def scatter(package: Json) -> tuple[Json, Json]:
    """The two collections, nodes and spans, of a package."""
    nodes: list[Json] = []
    spans: list[Json] = []
    bare: list[Any] = []
    networks = _listed(package.get("networks"))
    counts = Counter(id_of(network) for network in networks if id_of(network))
    for n, network in enumerate(networks):
        if not isinstance(network, dict):
            bare.append(network)
            continue
        bare.append({k: v for k, v in network.items() if k not in ("nodes", "spans") or not _listed(v)})
        marker = {} if counts[id_of(network)] == 1 else {"network": n}
        tables = Tables(network)
        about = _about(network, tables)
        nodes += [_feature(thing, "node", about, tables, marker) for thing in _listed(network.get("nodes"))]
        spans += [_feature(thing, "span", about, tables, marker) for thing in _listed(network.get("spans"))]
    kept = {"package": {k: v for k, v in package.items() if k != "networks" or not _listed(v)}, "networks": bare}
    return _collection(nodes, kept), _collection(spans, kept)


def _listed(value: Any) -> list[Any]:
    """The items of a list; none, if it is no list."""
    return value if isinstance(value, list) else []


def _collection(features: list[Json], kept: Json) -> Json:
    return {"type": "FeatureCollection", "features": features, OURS: kept}


def _about(network: Json, tables: Tables) -> Json:
    """The network as its features carry it."""
    about = {k: v for k, v in network.items() if k not in ("nodes", "spans", "phases", "organisations")}
    contracts = about.get("contracts")
    if isinstance(contracts, list):
        about["contracts"] = [_with(contract, "relatedPhases", tables, phases=True) for contract in contracts]
    return about


def _with(thing: Any, member: str, tables: Tables, *, phases: bool) -> Any:
    """A thing with a list of references in one member followed."""
    if not isinstance(thing, dict) or not isinstance(thing.get(member), list):
        return thing
    follow = _phase if phases else _organisation
    return {**thing, member: [follow(reference, tables) for reference in thing[member]]}


def _organisation(reference: Any, tables: Tables) -> Any:
    return tables.organisations.get(id_of(reference), reference)


def _phase(reference: Any, tables: Tables) -> Any:
    return _with(tables.phases.get(id_of(reference), reference), "funders", tables, phases=False)


def id_of(reference: Any) -> str:
    """The id of a reference, or an empty text, which is no id."""
    id_ = reference.get("id") if isinstance(reference, dict) else reference
    return id_ if isinstance(id_, str) else ""


def _feature(thing: Any, sort: str, about: Json, tables: Tables, marker: Json) -> Json:
    """The feature of a node or a span, with what would not come back of it beside."""
    added = {"network": about, "featureType": sort}
    if not isinstance(thing, dict):
        return {"type": "Feature", "geometry": None, "properties": added, OURS: {**marker, "instead": thing}}
    member, shape = SHAPES[sort]
    properties = {k: v for k, v in thing.items() if k != member}
    for name in SINGLE:
        if isinstance(properties.get(name), dict):
            properties[name] = _organisation(properties[name], tables)
    if isinstance(properties.get("networkProviders"), list):
        properties["networkProviders"] = [_organisation(one, tables) for one in properties["networkProviders"]]
    carrier = properties.get("supportingInfrastructure")
    if isinstance(carrier, dict) and isinstance(carrier.get("owner"), dict):
        properties["supportingInfrastructure"] = {**carrier, "owner": _organisation(carrier["owner"], tables)}
    if isinstance(properties.get("phase"), dict):
        properties["phase"] = _phase(properties["phase"], tables)
    for end in ENDS if sort == "span" else ():
        if isinstance(properties.get(end), str):
            properties[end] = tables.nodes.get(properties[end], properties[end])
    geometry = thing.get(member)
    faults = Faults()
    take(shape, geometry, "", faults)
    feature = {
        "type": "Feature",
        "geometry": None if faults.violations else geometry,
        "properties": {**properties, **added},
    }
    back = restore(feature, sort, tables)
    kept = {k: v for k, v in thing.items() if k not in back or not same(back[k], v)}
    if kept:
        marker = {**marker, "members": kept}
    return {**feature, OURS: marker} if marker else feature


def properties_of(feature: Json) -> Json:
    """The properties of a feature; none, if they are no object."""
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def restore(feature: Json, sort: str, tables: Tables) -> Json:
    """The node or span that a feature says, its references short again."""
    thing = {k: v for k, v in properties_of(feature).items() if k not in ADDED}
    shorten(thing, tables)
    for end in ENDS if sort == "span" else ():
        if isinstance(thing.get(end), dict) and id_of(thing[end]):
            thing[end] = id_of(thing[end])
    if feature.get("geometry") is not None:
        thing[SHAPES[sort][0]] = feature["geometry"]
    return thing


def shorten(thing: Json, tables: Tables) -> None:
    """Put references in the place of the organisations and phases that a node or span carries whole."""
    for name in SINGLE:
        if name in thing:
            thing[name] = _short(thing[name], tables.organisations)
    if isinstance(thing.get("networkProviders"), list):
        thing["networkProviders"] = [_short(one, tables.organisations) for one in thing["networkProviders"]]
    carrier = thing.get("supportingInfrastructure")
    if isinstance(carrier, dict) and "owner" in carrier:
        thing["supportingInfrastructure"] = {**carrier, "owner": _short(carrier["owner"], tables.organisations)}
    if "phase" in thing:
        thing["phase"] = short_phase(thing["phase"], tables)


def short_phase(phase: Any, tables: Tables) -> Any:
    """A reference in place of a phase, if the table says the same of it."""
    return _short(_short_funders(phase, tables), tables.phases)


def _short_funders(phase: Any, tables: Tables) -> Any:
    if not isinstance(phase, dict) or not isinstance(phase.get("funders"), list):
        return phase
    return {**phase, "funders": [_short(one, tables.organisations) for one in phase["funders"]]}


def _short(whole: Any, table: dict[str, Json]) -> Any:
    """A reference in place of a whole object, if that says nothing but what the table says too; else as it is."""
    known = table.get(id_of(whole))
    if known is None or not isinstance(whole, dict) or not says_no_more(whole, known):
        return whole
    return {name: known[name] for name in ("id", "name") if name in known}


def says_no_more(one: Json, other: Json) -> bool:
    """Whether all that one object says the other says too."""
    return all(name in other and same(value, other[name]) for name, value in one.items())


def same(one: Any, other: Any) -> bool:
    """Whether two values are one in JSON, where true is not 1 and 1 not 1.0."""
    return one is other or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
