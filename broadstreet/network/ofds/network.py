"""The standard's objects, version 0.4: a network, its nodes and spans, and whoever has to do with them.

Each field is the standard's member of that name in camelCase, and says what the standard says of it. None, or nothing
in a list, means that it was not given. Places are WGS 84 degrees, longitude first, perhaps with a height in metres.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec

from broadstreet.network.ofds.codes import COUNTRIES, CURRENCIES, DEPLOYMENTS, FIBRE_TYPES, MEDIA, STATUSES
from broadstreet.network.ofds.part import Part, Rule

VERSION: Final = "0.4.0"
SCHEMA: Final = "https://standard.ofds.info/en/0__4__0/network-schema.json"
CRS_NAME: Final = "urn:ogc:def:crs:OGC::CRS84"
CRS_URI: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

Id = Annotated[str | None, Rule(required=True)]
Date = Annotated[str | None, Rule(form="date")]
Iri = Annotated[str | None, Rule(form="iri")]
Country = Annotated[str | None, Rule(codes=COUNTRIES)]
Status = Annotated[str | None, Rule(codes=STATUSES)]


class Reference(Part, frozen=True, kw_only=True):
    """An organisation or a phase of the network, named elsewhere in it by its id."""

    closed: ClassVar[bool] = True
    id: Id = None
    name: str | None = None


class Point(Part, frozen=True, kw_only=True):
    """Where a node is."""

    closed: ClassVar[bool] = True
    type: Annotated[str | None, Rule(required=True, value="Point")] = None
    coordinates: Annotated[list[float], Rule(required=True)] = msgspec.field(default_factory=list)


class LineString(Part, frozen=True, kw_only=True):
    """Where a span runs."""

    closed: ClassVar[bool] = True
    type: Annotated[str | None, Rule(required=True, value="LineString")] = None
    coordinates: Annotated[list[list[float]], Rule(required=True)] = msgspec.field(default_factory=list)


class Address(Part, frozen=True, kw_only=True):
    """An address."""

    street_address: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: Country = None


class Infrastructure(Part, frozen=True, kw_only=True):
    """What carries a node (building, cabinet, cableWell, pole, …) or a span (duct, pole, pylon, pipe, none, …)."""

    type: str | None = None
    description: str | None = None
    owner: Reference | None = None
    spare_capacity: bool | None = None


class Node(Part, frozen=True, kw_only=True):
    """A point within a network: where one gets at it, or where spans meet, split or cross a border."""

    identified: ClassVar[bool] = True
    id: Id = None
    name: str | None = None
    phase: Reference | None = None
    status: Status = None
    location: Point | None = None
    address: Address | None = None
    type: tuple[str, ...] = ()
    supporting_infrastructure: Infrastructure | None = None
    access_point: bool | None = None
    international_connections: tuple[Address, ...] = ()
    power: bool | None = None
    technologies: tuple[str, ...] = ()
    transmission_medium_owner: Reference | None = None
    network_providers: tuple[Reference, ...] = ()


class FibreTypeDetails(Part, frozen=True, kw_only=True):
    """More on the type of fibre, such as G.652.D."""

    fibre_subtype: str | None = None
    description: str | None = None


class CapacityDetails(Part, frozen=True, kw_only=True):
    """More on the capacity."""

    description: str | None = None


class Span(Part, frozen=True, kw_only=True):
    """
    A physical connection between two nodes.

    start, end:   ids of nodes. fibre_count: fibres in it. fibre_length: kilometres of cable. capacity: Gbit/s equipped.
    """

    identified: ClassVar[bool] = True
    id: Id = None
    name: str | None = None
    phase: Reference | None = None
    status: Status = None
    ready_for_service_date: Date = None
    start: str | None = None
    end: str | None = None
    directed: bool | None = None
    route: LineString | None = None
    transmission_medium_owner: Reference | None = None
    network_providers: tuple[Reference, ...] = ()
    supplier: Reference | None = None
    transmission_medium: Annotated[tuple[str, ...], Rule(codes=MEDIA)] = ()
    deployment: Annotated[tuple[str, ...], Rule(codes=DEPLOYMENTS)] = ()
    supporting_infrastructure: Infrastructure | None = None
    codeployment: str | None = None
    cable_type: str | None = None
    dark_fibre: bool | None = None
    fibre_type: Annotated[str | None, Rule(codes=FIBRE_TYPES)] = None
    fibre_type_details: FibreTypeDetails | None = None
    fibre_count: int | None = None
    fibre_length: float | None = None
    technologies: tuple[str, ...] = ()
    capacity: float | None = None
    capacity_details: CapacityDetails | None = None
    wayleaves: tuple[str, ...] = ()
    countries: Annotated[tuple[str, ...], Rule(codes=COUNTRIES)] = ()


class Phase(Part, frozen=True, kw_only=True):
    """Nodes and spans that are built together."""

    identified: ClassVar[bool] = True
    id: Id = None
    name: str | None = None
    description: str | None = None
    funders: tuple[Reference, ...] = ()


class Identifier(Part, frozen=True, kw_only=True):
    """What an organisation is called in a register."""

    id: str | None = None
    scheme: str | None = None
    legal_name: str | None = None
    uri: Iri = None


class Organisation(Part, frozen=True, kw_only=True):
    """Whoever owns, operates, supplies or pays."""

    identified: ClassVar[bool] = True
    id: Id = None
    name: str | None = None
    identifier: Identifier | None = None
    country: Country = None
    roles: tuple[str, ...] = ()
    role_details: str | None = None
    website: Iri = None
    logo: Iri = None


class Value(Part, frozen=True, kw_only=True):
    """An amount of money."""

    amount: float | None = None
    currency: Annotated[str | None, Rule(codes=CURRENCIES)] = None


class Term(Part, frozen=True, kw_only=True):
    """How long a wayleave holds."""

    indefinite: bool | None = None
    years: int | None = None


class WayleaveCost(Part, frozen=True, kw_only=True):
    """What a wayleave costs; a recurring cost is a year's."""

    may_be_empty: ClassVar[bool] = True
    recurring: bool | None = None
    per_metre: Value | None = None


class Wayleave(Part, frozen=True, kw_only=True):
    """A right to build on, over or under what is someone else's."""

    identified: ClassVar[bool] = True
    id: Id = None
    grantor: Reference | None = None
    year_signed: int | None = None
    term: Term | None = None
    cost: WayleaveCost | None = None


class Document(Part, frozen=True, kw_only=True):
    """A document of a contract."""

    title: str | None = None
    description: str | None = None
    url: Iri = None
    format: str | None = None


class Contract(Part, frozen=True, kw_only=True):
    """An agreement by which a network is made."""

    identified: ClassVar[bool] = True
    id: Id = None
    title: str | None = None
    description: str | None = None
    type: str | None = None
    value: Value | None = None
    date_signed: Date = None
    documents: tuple[Document, ...] = ()
    related_phases: tuple[Reference, ...] = ()


class Publisher(Part, frozen=True, kw_only=True):
    """Who publishes a network's data."""

    name: str | None = None
    identifier: Identifier | None = None


class Crs(Part, frozen=True, kw_only=True):
    """The coordinate reference system. The standard allows one: WGS 84, longitude first."""

    name: Annotated[str | None, Rule(required=True, value=CRS_NAME)] = None
    uri: Annotated[str | None, Rule(required=True, value=CRS_URI)] = None


class Link(Part, frozen=True, kw_only=True):
    """Something related. The first link of a network names the schema that describes it."""

    href: Annotated[str | None, Rule(required=True, form="iri")] = None
    rel: Annotated[str | None, Rule(required=True)] = None


class Network(Part, frozen=True, kw_only=True):
    """
    Nodes connected by spans.

    id: a UUID. identifier: what the network is called at home. accuracy: of its places, in metres.
    """

    id: Annotated[str | None, Rule(required=True, form="uuid")] = None
    identifier: str | None = None
    name: str | None = None
    nodes: tuple[Node, ...] = ()
    spans: tuple[Span, ...] = ()
    phases: tuple[Phase, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    wayleaves: tuple[Wayleave, ...] = ()
    contracts: tuple[Contract, ...] = ()
    website: Iri = None
    publisher: Publisher | None = None
    publication_date: Date = None
    collection_date: Date = None
    crs: Crs | None = None
    accuracy: float | None = None
    accuracy_details: str | None = None
    language: str | None = None
    links: Annotated[tuple[Link, ...], Rule(required=True)] = ()


class Pages(Part, frozen=True, kw_only=True):
    """Where the packages before and after this one are."""

    next: Iri = None
    prev: Iri = None


class Package(Part, frozen=True, kw_only=True):
    """What is published in one file: networks, and where more of them are."""

    networks: Annotated[tuple[Network, ...], Rule(required=True)] = ()
    links: Pages | None = None
