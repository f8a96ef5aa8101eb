"""A package out of GeoJSON features, be they ours or another's.

Our own collections say in their member `ofds` what the networks are without nodes and spans. Another's do not: there
the organisations and phases are those that features carry, of two that have one id the one that says more, and a node
that only spans name is taken from them. What fits nowhere stays where it is, and is reported when the package is
checked.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from broadstreet.network.ofds.fault import Faults, Kind, shown
from broadstreet.network.ofds.features import (
    ENDS,
    OURS,
    SHAPES,
    SINGLE,
    Json,
    Tables,
    by_id,
    id_of,
    properties_of,
    restore,
    same,
    says_no_more,
    short_phase,
    shorten,
)

_OF_FEATURE: Final = frozenset({"type", "geometry", "properties", OURS})
_OF_COLLECTION: Final = frozenset({"type", "features", "links", OURS})
_POINTS: Final = frozenset({"Point", "MultiPoint"})


def gather(collections: Iterable[Json], faults: Faults) -> Json:
    """The package that feature collections make up, nodes and spans together or apart."""
    whole = list(collections)
    kept = next((one[OURS] for one in whole if _is_ours(one.get(OURS))), None)
    gathering = _Gathering(kept, faults)
    for collection in whole:
        gathering.add(collection)
    return gathering.package()


def _is_ours(kept: Any) -> bool:
    return isinstance(kept, dict) and isinstance(kept.get("networks"), list) and isinstance(kept.get("package"), dict)


class _Gathering:
    """Networks as their features come in."""

    def __init__(self, kept: Json | None, faults: Faults) -> None:
        self._faults = faults
        self._is_ours = kept is not None
        self._package: Json = copy.deepcopy(kept["package"]) if kept else {}
        self._networks: list[Any] = copy.deepcopy(kept["networks"]) if kept else []
        self._features: dict[int, list[tuple[str, Json]]] = {}
        self._beside: list[Json] = []
        self._strays: list[Any] = []
        ids = [id_of(network) if isinstance(network, dict) else "" for network in self._networks]
        counts = Counter(id_of(network) for network in self._networks)
        self._by_id = {id_: n for n, id_ in enumerate(ids) if id_ and counts[id_] == 1}
        self._is_object = [isinstance(network, dict) for network in self._networks]
        self._given: dict[int, Any] = {}

    def add(self, collection: Json) -> None:
        """Take a collection in."""
        features = collection.get("features")
        for n, feature in enumerate(features if isinstance(features, list) else [features]):
            if not isinstance(feature, dict):
                what = f"{shown(feature)} is no feature; it is kept under strayFeatures"
                self._faults.add(Kind.WRONG_TYPE, f"/features/{n}", what, "Remove it.")
                self._strays.append(feature)
                continue
            self._features.setdefault(self._network(feature), []).append((_sort(feature), feature))
        if not self._is_ours:
            if "links" in collection:
                self._package.setdefault("links", collection["links"])
            rest = {name: value for name, value in collection.items() if name not in _OF_COLLECTION}
            if rest:
                self._beside.append(rest)

    def _network(self, feature: Json) -> int:
        """The number of a feature's network; a new one, if it is the first of it."""
        marked = _ours(feature).get("network")
        if isinstance(marked, int) and 0 <= marked < len(self._networks) and self._is_object[marked]:
            return marked
        about = properties_of(feature).get("network")
        number = self._by_id.setdefault(id_of(about), len(self._networks))
        if number == len(self._networks):
            unnamed = {} if about is None else {"network": about}
            self._networks.append(copy.deepcopy(about) if isinstance(about, dict) else unnamed)
            self._is_object.append(True)
            self._given[number] = about
        elif number in self._given and not same(about, self._given[number]):
            self._keep_otherwise(number, about)
        return number

    def _keep_otherwise(self, number: int, about: Any) -> None:
        """Keep beside a network what a feature says otherwise of it than the first did."""
        copies = self._networks[number].setdefault("otherCopies", [])
        if not any(same(about, one) for one in copies):
            what = "features say different things of their network; they are kept as otherCopies"
            self._faults.add(Kind.OTHER_COPY, f"/networks/{number}", what, "See which are right.")
            copies.append(copy.deepcopy(about))

    def package(self) -> Json:
        """All that came in."""
        for n, network in enumerate(self._networks):
            if isinstance(network, dict):
                self._fill(network, self._features.get(n, []), f"/networks/{n}")
        if self._networks:
            self._package["networks"] = self._networks
        for name, values in (("collections", self._beside), ("strayFeatures", self._strays)):
            if values:
                self._package[name] = values
        return self._package

    def _fill(self, network: Json, features: list[tuple[str, Json]], path: str) -> None:
        """Give a network its nodes and spans, and what they carry."""
        tables = Tables(network)
        if not self._is_ours:
            _collect(network, [feature for _, feature in features], tables)
        nodes = [_thing(feature, sort, tables) for sort, feature in features if sort == "node"]
        known = {id_of(node): node for node in reversed(nodes) if isinstance(node, dict) and id_of(node)}
        spans: list[Any] = []
        for sort, feature in features:
            if sort == "span":
                span = _thing(feature, sort, tables)
                for end, copied, given in _ends(feature, tables):
                    node = known.setdefault(id_of(copied), copied)
                    if node is copied:
                        nodes.append(copied)
                    elif not (says_no_more(copied, node) or says_no_more(given, node)):
                        _keep_copy(span, end, given, f"{path}/spans/{len(spans)}", self._faults)
                spans.append(span)
        for name, things in (("nodes", nodes), ("spans", spans)):
            if things:
                network[name] = things


def _ours(feature: Json) -> Json:
    kept = feature.get(OURS)
    return kept if isinstance(kept, dict) else {}


def _sort(feature: Json) -> str:
    """Whether a feature is a node or a span: as it says, or else as it looks."""
    properties = properties_of(feature)
    said = properties.get("featureType")
    if isinstance(said, str) and said.lower() in ("node", "span"):
        return said.lower()
    geometry = feature.get("geometry")
    if isinstance(geometry, dict):
        return "node" if geometry.get("type") in _POINTS else "span"
    return "span" if any(end in properties for end in ENDS) else "node"


def _thing(feature: Json, sort: str, tables: Tables) -> Any:
    """The node or span of a feature."""
    ours = _ours(feature)
    if "instead" in ours:
        return ours["instead"]
    thing = restore(feature, sort, tables)
    members = ours.get("members")
    if isinstance(members, dict):
        thing.update(members)
    rest = {name: value for name, value in feature.items() if name not in _OF_FEATURE}
    rest |= {name: value for name, value in properties_of(feature).items() if _is_passed_over(name, value, thing)}
    if not isinstance(feature.get("properties"), dict | None):
        rest["properties"] = feature["properties"]
    return {**thing, "asFeature": rest} if rest else thing


def _is_passed_over(name: str, value: Any, thing: Json) -> bool:
    """Whether a property is neither in the thing nor said by what the thing is."""
    if name == "featureType":
        return str(value).lower() not in SHAPES
    return name in ("location", "route") and not same(value, thing.get(name))


def _ends(feature: Json, tables: Tables) -> Iterator[tuple[str, Json, Json]]:
    """The nodes that a span carries whole: the end it stands at, the node with its references short, and as given."""
    properties, ours = properties_of(feature), _ours(feature)
    written = ours.get("members", {}) if "instead" not in ours else ENDS
    for end in ENDS:
        given = properties.get(end)
        if isinstance(given, dict) and id_of(given) and end not in written:
            copied = dict(given)
            shorten(copied, tables)
            yield end, copied, given


def _keep_copy(span: Json, end: str, copied: Json, path: str, faults: Faults) -> None:
    """Keep beside a span what it says otherwise of its node."""
    name = f"{end}AsGiven"
    what = f"the span says other things of its {end} node than are said elsewhere; they are kept as {name}"
    faults.add(Kind.OTHER_COPY, f"{path}/{end}", what, "See which are right.")
    span[name] = copied


def _collect(network: Json, features: list[Json], tables: Tables) -> None:
    """Fill the tables, and the network, with the organisations and phases that features carry."""
    phases: list[Any] = []
    contracts = network.get("contracts")
    contracts = [one for one in contracts if isinstance(one, dict)] if isinstance(contracts, list) else []
    for contract in contracts:
        related = contract.get("relatedPhases")
        phases += related if isinstance(related, list) else []
    for carrier in _carriers(features):
        phases.append(carrier.get("phase"))
        infrastructure = carrier.get("supportingInfrastructure")
        owner = infrastructure.get("owner") if isinstance(infrastructure, dict) else None
        providers = carrier.get("networkProviders")
        for one in (
            *(carrier.get(name) for name in SINGLE),
            owner,
            *(providers if isinstance(providers, list) else ()),
        ):
            _learn(tables.organisations, one)
    for phase in phases:
        funders = phase.get("funders") if isinstance(phase, dict) else None
        for one in funders if isinstance(funders, list) else ():
            _learn(tables.organisations, one)
    for phase in phases:
        _learn(tables.phases, short_phase(phase, tables))
    for contract in contracts:
        if isinstance(contract.get("relatedPhases"), list):
            contract["relatedPhases"] = [short_phase(one, tables) for one in contract["relatedPhases"]]
    for name, table in (("organisations", tables.organisations), ("phases", tables.phases)):
        known = by_id(network.get(name))
        if isinstance(network.setdefault(name, []), list):
            network[name] += [one for id_, one in table.items() if id_ not in known]
        if not network[name]:
            del network[name]


def _carriers(features: list[Json]) -> Iterator[Json]:
    """Whatever carries organisations and phases: nodes, spans, and the nodes that spans carry."""
    for feature in features:
        properties = properties_of(feature)
        yield properties
        yield from (properties[end] for end in ENDS if isinstance(properties.get(end), dict))


def _learn(table: dict[str, Json], one: Any) -> None:
    """Keep an object, if the table knows none of that id or this one says more."""
    id_ = id_of(one)
    if not isinstance(one, dict) or not id_:
        return
    known = table.get(id_)
    if known is None or (says_no_more(known, one) and not says_no_more(one, known)):
        table[id_] = one
