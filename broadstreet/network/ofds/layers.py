"""A network as a map draws it: flat properties, a layer of nodes and one of spans, in GeoJSON.

What has no place is not drawn, and counted beside the features. A span without a route is drawn straight between its
nodes and says so.
"""

from __future__ import annotations

from typing import Any

import msgspec

from broadstreet.network.ofds.network import Network, Reference
from broadstreet.network.ofds.plant import plant_of


class Layers(msgspec.Struct, frozen=True):
    """
    What is drawn.

    nodes, spans: GeoJSON feature collections. undrawn_nodes, undrawn_spans: how many have no place.
    """

    nodes: dict[str, Any]
    spans: dict[str, Any]
    undrawn_nodes: int
    undrawn_spans: int


def layers_of(network: Network) -> Layers:
    """The layers of a network. Properties that are not known are left out."""
    plant = plant_of(network)
    called = {one.id: one.name for one in network.organisations} | {one.id: one.name for one in network.phases}

    def name(reference: Reference | None) -> str | None:
        return None if reference is None else reference.name or called.get(reference.id) or reference.id

    nodes = []
    for site in plant.sites:
        node = network.nodes[site.number]
        shown: dict[str, Any] = {
            "id": node.id,
            "name": node.name,
            "status": node.status,
            "type": ", ".join(node.type) or None,
            "carrier": site.carrier,
            "owner": name(node.transmission_medium_owner),
            "providers": ", ".join(filter(None, map(name, node.network_providers))) or None,
            "phase": name(node.phase),
            "accessPoint": node.access_point,
            "power": node.power,
        }
        nodes.append(_feature({"type": "Point", "coordinates": list(site.place)}, shown))
    spans = []
    for stretch in plant.stretches:
        span = network.spans[stretch.number]
        shown = {
            "id": span.id,
            "name": span.name,
            "status": span.status,
            "owner": name(span.transmission_medium_owner),
            "providers": ", ".join(filter(None, map(name, span.network_providers))) or None,
            "supplier": name(span.supplier),
            "phase": name(span.phase),
            "carrier": stretch.carrier.value,
            "medium": ", ".join(span.transmission_medium) or None,
            "fibreCount": span.fibre_count,
            "fibreType": span.fibre_type,
            "darkFibre": span.dark_fibre,
            "capacityGbps": span.capacity,
            "lengthM": round(stretch.length_m, 1),
            "straight": stretch.is_straight or None,
            "sameAs": network.spans[stretch.same_as].id if stretch.same_as is not None else None,
        }
        points = [list(point) for point in stretch.points]
        spans.append(_feature({"type": "LineString", "coordinates": points}, shown))
    return Layers(_collection(nodes), _collection(spans), len(plant.without_place), len(plant.without_course))


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in properties.items() if value is not None}
    return {"type": "Feature", "geometry": geometry, "properties": known}


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}
