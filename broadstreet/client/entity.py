"""Entities and their attributes as small objects over what the house answered.

entity["NO2"].value, .unit, .observed_at       the default instance, else the first
entity["NO2"]["accuracy"].value                 an attribute of the attribute
entity.instances("NO2")                         all of them, by their datasetId
entity.to_dict("simplified")                    in every form of the standard
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from broadstreet.client.form import HEAD, PLAIN, Form, concise, feature, kind_of, simplified
from broadstreet.client.html import facts, table
from broadstreet.model.clock import parse_rfc3339, to_datetime
from broadstreet.model.entity import Kind
from broadstreet.model.errors import InvalidInput, NotFound

Document = Mapping[str, Any]


class Attribute:
    """One instance of an attribute."""

    def __init__(self, name: str, document: Document) -> None:
        """document: the attribute, normalized."""
        self.name = name
        self._document = document

    @property
    def kind(self) -> str:
        """What it is, as NGSI-LD says it: Property, GeoProperty, Relationship and so on."""
        return kind_of(self._document).type_name

    @property
    def value(self) -> Any:
        """What it says: a number, a text, a geometry, the URI of what a relationship leads to, texts by language."""
        kind = kind_of(self._document)
        value = self._document.get(kind.value_key)
        if kind is Kind.LIST_RELATIONSHIP and isinstance(value, list):
            return [one["object"] if isinstance(one, Mapping) else one for one in value]
        return value

    @property
    def unit(self) -> str | None:
        """Its unit by the code of UN/CEFACT, such as CEL."""
        return self._document.get("unitCode")

    @property
    def observed_at(self) -> datetime | None:
        """When it was observed."""
        return _moment(self._document, "observedAt")

    @property
    def created_at(self) -> datetime | None:
        """When it was first written, where that was asked for by `with_times`."""
        return _moment(self._document, "createdAt")

    @property
    def modified_at(self) -> datetime | None:
        """When it was last written, where that was asked for by `with_times`."""
        return _moment(self._document, "modifiedAt")

    @property
    def dataset_id(self) -> str | None:
        """Which of several instances it is; None: the default one."""
        return self._document.get("datasetId")

    @property
    def linked(self) -> list[Entity]:
        """The entities that a relationship leads to, where they were joined in."""
        if "entity" in self._document:
            return [Entity(self._document["entity"])]
        return [Entity(one) for one in self._document.get("entityList", ())]

    def __getitem__(self, name: str) -> Attribute:
        """An attribute of the attribute. Raises NotFound."""
        found = self._document.get(name)
        if name in PLAIN or name == kind_of(self._document).value_key or found is None:
            raise NotFound(f"{self.name} has no {name}", where=name, remedy=_names(list(self)))
        return _instances(name, found)[0]

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        """The names of its own attributes."""
        value_key = kind_of(self._document).value_key
        return (name for name in self._document if name not in PLAIN and name != value_key)

    def to_dict(self) -> dict[str, Any]:
        """It, normalized."""
        return dict(self._document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attribute) and (self.name, self._document) == (other.name, other._document)

    __hash__ = None  # type: ignore[assignment]  # compared by what it holds, which may be a list

    def __repr__(self) -> str:
        said = [repr(self.value)]
        if self.unit:
            said.append(self.unit)
        if self.observed_at:
            said.append(f"at {self._document['observedAt']}")
        if self.dataset_id:
            said.append(f"of {self.dataset_id}")
        return f"<{self.name}: {' '.join(said)}>"


class Entity:
    """An entity."""

    def __init__(self, document: Document) -> None:
        """document: the entity, normalized."""
        self._document = document

    @property
    def id(self) -> str:
        """Its URI; '' where it was not picked."""
        return str(self._document.get("id", ""))

    @property
    def types(self) -> list[str]:
        """All its types."""
        types = self._document.get("type", [])
        return [types] if isinstance(types, str) else list(types)

    @property
    def type(self) -> str:
        """Its type; its first, where it has several; '' where it was not picked."""
        return next(iter(self.types), "")

    @property
    def scopes(self) -> list[str]:
        """Where it belongs, such as /Helsinki/Kallio."""
        scopes = self._document.get("scope", [])
        return [scopes] if isinstance(scopes, str) else list(scopes)

    @property
    def created_at(self) -> datetime | None:
        """When it was first written, where that was asked for by `with_times`."""
        return _moment(self._document, "createdAt")

    @property
    def modified_at(self) -> datetime | None:
        """When it was last written, where that was asked for by `with_times`."""
        return _moment(self._document, "modifiedAt")

    @property
    def lonlat(self) -> tuple[float, float] | None:
        """Where it stands, in degrees, longitude first; None where its location is no point, or nothing is known."""
        place = self["location"].value if "location" in self else None
        if not isinstance(place, Mapping) or place.get("type") != "Point":
            return None
        lon, lat = place["coordinates"][:2]
        return float(lon), float(lat)

    def __getitem__(self, name: str) -> Attribute:
        """An attribute: its default instance, else its first. Raises NotFound."""
        if name not in self:
            raise NotFound(f"{self.id or 'the entity'} has no {name}", where=name, remedy=_names(list(self)))
        found = self.instances(name)
        return next((one for one in found if one.dataset_id is None), found[0])

    def instances(self, name: str) -> list[Attribute]:
        """Every instance of an attribute; none where it has none."""
        return _instances(name, self._document[name]) if name in self else []

    def __contains__(self, name: object) -> bool:
        return name in self._document and name not in HEAD

    def __iter__(self) -> Iterator[str]:
        """The names of its attributes."""
        return (name for name in self._document if name not in HEAD)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def to_dict(self, form: Form = "normalized") -> dict[str, Any]:
        """The whole of it, in one of the standard's forms. Raises InvalidInput."""
        if form == "normalized":
            return dict(self._document)
        if form == "concise":
            return concise(self._document)
        if form == "simplified":
            return simplified(self._document)
        if form == "geojson":
            return feature(self._document)
        raise InvalidInput(f"{form!r} is no form", where="form", remedy="normalized, concise, simplified or geojson.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entity) and self._document == other._document

    __hash__ = None  # type: ignore[assignment]  # compared by what it holds, which may be a list

    def __repr__(self) -> str:
        return f"<{self.type or 'Entity'} {self.id}: {', '.join(self) or 'no attributes'}>"

    def _repr_html_(self) -> str:
        head = facts({"type": ", ".join(self.types), "scope": ", ".join(self.scopes)})
        rows = [
            (name, one.value, one.unit, one.to_dict().get("observedAt"), one.dataset_id)
            for name in self
            for one in self.instances(name)
        ]
        return f"{table(self.id, ('attribute', 'value', 'unit', 'observed', 'dataset'), rows)}{head}"


def _instances(name: str, found: Any) -> list[Attribute]:
    return [Attribute(name, one) for one in (found if isinstance(found, list) else [found])]


def _moment(document: Document, name: str) -> datetime | None:
    text = document.get(name)
    return None if text is None else to_datetime(parse_rfc3339(text, name))


def _names(names: list[str]) -> str:
    return f"There is {', '.join(names)}." if names else "It has none."
