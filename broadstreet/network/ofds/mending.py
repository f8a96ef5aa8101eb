"""What can be put right in a network without losing or guessing anything, each mend said.

An id that is no UUID becomes one, the same each time, and the old one stays as `identifier`; a missing reference
system is named, if every place is in degrees; the first link names the schema; what earlier versions
called `physicalInfrastructureProvider` goes where 0.4 has it; a member that says nothing is left out.
"""

from __future__ import annotations

import uuid
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET

from broadstreet.network.ofds.checking import has_places
from broadstreet.network.ofds.fault import Faults, shown
from broadstreet.network.ofds.network import CRS_NAME, CRS_URI, SCHEMA, Crs, Link, Network, Node, Reference, Span
from broadstreet.network.ofds.part import Part, has_form, members, take

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://standard.ofds.info/")
"""What the UUIDs of networks that had none are made in."""

_OLD_OWNER: Final = "physicalInfrastructureProvider"

P = TypeVar("P", bound=Part)
Thing = TypeVar("Thing", Node, Span)


class Mend(msgspec.Struct, frozen=True):
    """One thing that was put right. path: from the network's own beginning."""

    path: str
    what: str


def mend(network: Network) -> tuple[Network, list[Mend]]:
    """The network put right as far as that is sure, and what was done to it."""
    mends: list[Mend] = []
    if network.instead is not UNSET:
        return network, mends
    mended = _spoken(network, "", mends)
    mended = msgspec.structs.replace(
        mended,
        nodes=tuple(_owned(node, f"/nodes/{n}", mends) for n, node in enumerate(mended.nodes)),
        spans=tuple(_owned(span, f"/spans/{n}", mends) for n, span in enumerate(mended.spans)),
    )
    mended = _identified(mended, mends)
    if mended.crs is None and "crs" not in mended.other and has_places(mended) and _is_in_degrees(mended):
        mended = msgspec.structs.replace(mended, crs=Crs(name=CRS_NAME, uri=CRS_URI))
        mends.append(Mend("/crs", "named WGS 84 degrees, longitude first, as the reference system"))
    return _described(mended, mends), mends


def _is_in_degrees(network: Network) -> bool:
    """Whether every place that is given could be read, and so is in degrees."""
    places = (*(node.location for node in network.nodes), *(span.route for span in network.spans))
    return not any(place is not None and "coordinates" in place.other for place in places)


def _identified(network: Network, mends: list[Mend]) -> Network:
    """With a UUID for its id, if the old one can stay as its identifier."""
    old = network.id
    is_free = network.identifier is None and "identifier" not in network.other
    if old is None or has_form(old, "uuid") or not is_free:
        return network
    new = str(uuid.uuid5(NAMESPACE, old))
    mends.append(Mend("/id", f"{shown(old)} is no UUID: it became the identifier, and the id {new}"))
    return msgspec.structs.replace(network, id=new, identifier=old)


def _described(network: Network, mends: list[Mend]) -> Network:
    """With a first link that names the schema."""
    if "links" in network.other:
        return network
    links = list(network.links)
    first = links[0] if links else Link()
    if first.rel == "describedby":
        if first.href == SCHEMA:
            return network
        links[0] = msgspec.structs.replace(first, href=SCHEMA)
        mends.append(Mend("/links/0", f"names the schema of 0.4 in place of {shown(first.href)}"))
    else:
        links.insert(0, Link(rel="describedby", href=SCHEMA))
        mends.append(Mend("/links/0", "names the schema of 0.4"))
    return msgspec.structs.replace(network, links=tuple(links))


def _owned(thing: Thing, path: str, mends: list[Mend]) -> Thing:
    """With its owner where 0.4 has it."""
    old = thing.other.get(_OLD_OWNER)
    if not isinstance(old, dict) or thing.transmission_medium_owner is not None:
        return thing
    faults = Faults()
    owner = take(Reference, old, path, faults)
    if faults.violations or "transmissionMediumOwner" in thing.other:
        return thing
    mends.append(Mend(f"{path}/{_OLD_OWNER}", "is called transmissionMediumOwner since 0.4"))
    other = {name: value for name, value in thing.other.items() if name != _OLD_OWNER}
    return msgspec.structs.replace(thing, transmission_medium_owner=owner, other=other)


def _spoken(part: P, path: str, mends: list[Mend]) -> P:
    """Without members that say nothing: null, or an empty text, list or object where the standard wants more."""
    if part.instead is not UNSET:
        return part
    changes: dict[str, Any] = {}
    known = members(type(part))
    other = {name: value for name, value in part.other.items() if name not in known or not _is_nothing(value)}
    if len(other) < len(part.other):
        mends += [Mend(f"{path}/{name}", "said nothing, and was left out") for name in part.other if name not in other]
        changes["other"] = other
    for name, member in known.items():
        value = getattr(part, member.field)
        here = f"{path}/{name}"
        if isinstance(value, tuple):
            renewed: Any = tuple(_renewed(item, f"{here}/{n}", mends) for n, item in enumerate(value))
        else:
            renewed = _renewed(value, here, mends)
        if (renewed == "" and not member.rule.required) or (isinstance(renewed, Part) and renewed == type(renewed)()):
            mends.append(Mend(here, "said nothing, and was left out"))
            renewed = member.default
        if renewed is not value:
            changes[member.field] = renewed
    return msgspec.structs.replace(part, **changes) if changes else part


def _renewed(value: Any, path: str, mends: list[Mend]) -> Any:
    return _spoken(value, path, mends) if isinstance(value, Part) else value


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})
