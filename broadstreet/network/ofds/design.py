"""A designed network, said by the standard: what a planner hands out.

In comes what a plan knows by keys of its own: nodes with places, spans between them, phases, who owns it. Out comes a
`Network` with UUIDs that are the same for the same namespace and keys, so that a plan written again is the same
network and a changed one keeps the ids of what stayed. It is checked before it is handed out.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ofds.checking import examine
from broadstreet.network.ofds.network import (
    CRS_NAME,
    CRS_URI,
    SCHEMA,
    Crs,
    Infrastructure,
    LineString,
    Link,
    Network,
    Node,
    Organisation,
    Phase,
    Point,
    Reference,
    Span,
)


class PlannedNode(msgspec.Struct, frozen=True, kw_only=True):
    """
    A node of a plan.

    place: longitude and latitude, in degrees. types: of nodeType, such as exchange or cabinet. carrier: of
    nodeSupportingInfrastructure, such as cabinet, cableWell or pole.
    """

    key: str
    place: tuple[float, float]
    name: str | None = None
    types: tuple[str, ...] = ()
    carrier: str | None = None
    is_access_point: bool | None = None
    has_power: bool | None = None
    phase: str | None = None
    status: str = "planned"


class PlannedSpan(msgspec.Struct, frozen=True, kw_only=True):
    """
    A span of a plan: a cable between two nodes.

    start, end: keys of nodes. points: its course, longitude and latitude, in degrees; none: straight. carrier: of
    spanSupportingInfrastructure, such as duct or pole. deployment: belowGround or aboveGround. cable_m: with its slack.
    """

    key: str
    start: str
    end: str
    points: tuple[tuple[float, float], ...] = ()
    name: str | None = None
    carrier: str | None = None
    is_spare: bool | None = None
    deployment: str | None = None
    fibres: int | None = None
    fibre_type: str | None = None
    cable_m: float | None = None
    phase: str | None = None
    status: str = "planned"


class PlannedPhase(msgspec.Struct, frozen=True, kw_only=True):
    """A phase of a plan."""

    key: str
    name: str
    description: str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """
    A designed network.

    key: what its id is made of, in the namespace. owner, operator: names. date: of publication, as 2026-12-31.
    """

    key: str
    name: str
    nodes: tuple[PlannedNode, ...]
    spans: tuple[PlannedSpan, ...]
    phases: tuple[PlannedPhase, ...] = ()
    owner: str | None = None
    operator: str | None = None
    date: str | None = None


def designed(plan: Plan, namespace: uuid.UUID) -> Network:
    """The network of a plan. Raises InvalidInput where it would break the standard."""
    ids = _Ids(plan.key, namespace)
    owner = ids.reference("organisation", plan.owner, plan.owner)
    operator = ids.reference("organisation", plan.operator, plan.operator)
    phases = {phase.key: ids.reference("phase", phase.key, phase.name) for phase in plan.phases}
    providers = (operator,) if operator is not None else ()
    network = Network(
        id=ids.of("network", ""),
        identifier=plan.key or None,
        name=plan.name,
        nodes=tuple(_node(node, ids, phases, owner, providers) for node in plan.nodes),
        spans=tuple(_span(span, ids, phases, owner, providers) for span in plan.spans),
        phases=tuple(
            Phase(id=ids.of("phase", phase.key), name=phase.name, description=phase.description or None)
            for phase in plan.phases
        ),
        organisations=_organisations(plan, ids),
        publication_date=plan.date,
        crs=Crs(name=CRS_NAME, uri=CRS_URI),
        links=(Link(rel="describedby", href=SCHEMA),),
    )
    faults = examine(network)
    if faults.violations:
        first = faults.kept()[0]
        what = f"the plan would break the standard in {faults.violations} places, first: {first.what}"
        raise InvalidInput(what, where=first.path, remedy=first.remedy)
    return network


class _Ids:
    """UUIDs by what a thing is and its key."""

    def __init__(self, key: str, namespace: uuid.UUID) -> None:
        self._within = uuid.uuid5(namespace, key)

    def of(self, sort: str, key: str) -> str:
        return str(uuid.uuid5(self._within, f"{sort}/{key}"))

    def reference(self, sort: str, key: str | None, name: str | None) -> Reference | None:
        return Reference(id=self.of(sort, key), name=name) if key else None


def _node(
    node: PlannedNode,
    ids: _Ids,
    phases: Mapping[str, Reference | None],
    owner: Reference | None,
    providers: Sequence[Reference],
) -> Node:
    return Node(
        id=ids.of("node", node.key),
        name=node.name or None,
        phase=_phase(node.phase, phases, f"node {node.key}"),
        status=node.status,
        location=Point(type="Point", coordinates=list(node.place)),
        type=node.types,
        supporting_infrastructure=Infrastructure(type=node.carrier) if node.carrier else None,
        access_point=node.is_access_point,
        power=node.has_power,
        transmission_medium_owner=owner,
        network_providers=tuple(providers),
    )


def _span(
    span: PlannedSpan,
    ids: _Ids,
    phases: Mapping[str, Reference | None],
    owner: Reference | None,
    providers: Sequence[Reference],
) -> Span:
    carrier = None
    if span.carrier or span.is_spare is not None:
        carrier = Infrastructure(type=span.carrier or None, spare_capacity=span.is_spare)
    points = [list(point) for point in span.points]
    return Span(
        id=ids.of("span", span.key),
        name=span.name or None,
        phase=_phase(span.phase, phases, f"span {span.key}"),
        status=span.status,
        start=ids.of("node", span.start),
        end=ids.of("node", span.end),
        route=LineString(type="LineString", coordinates=points) if points else None,
        transmission_medium_owner=owner,
        network_providers=tuple(providers),
        transmission_medium=("fibre",),
        deployment=(span.deployment,) if span.deployment else (),
        supporting_infrastructure=carrier,
        fibre_type=span.fibre_type,
        fibre_count=span.fibres,
        fibre_length=span.cable_m / 1000.0 if span.cable_m is not None else None,
    )


def _phase(key: str | None, phases: Mapping[str, Reference | None], where: str) -> Reference | None:
    if key is None:
        return None
    if key not in phases:
        raise InvalidInput(f"the plan has no phase {key!r}", where=where, remedy="Name it among the plan's phases.")
    return phases[key]


def _organisations(plan: Plan, ids: _Ids) -> tuple[Organisation, ...]:
    """Owner and operator, one if they are."""
    roles: dict[str, tuple[str, ...]] = {}
    for name, role in ((plan.owner, "physicalInfrastructureProvider"), (plan.operator, "networkProvider")):
        if name:
            roles[name] = (*roles.get(name, ()), role)
    return tuple(Organisation(id=ids.of("organisation", n), name=n, roles=r) for n, r in roles.items())
