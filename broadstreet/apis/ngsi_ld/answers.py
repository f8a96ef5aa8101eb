"""What NGSI-LD's operations answer, as OpenAPI describes it: shapes of bodies by their status, and the problems.

An entity's attributes are named by whoever made them, and stand in one of three representations, so that their shapes
are left open; what the standard names is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from litestar.openapi.spec import OpenAPIResponse
from litestar.openapi.spec.enums import OpenAPIType
from litestar.openapi.spec.media_type import OpenAPIMediaType
from litestar.openapi.spec.schema import Schema

from broadstreet.apis.ngsi_ld.exchange import GEO_JSON, JSON, LD_JSON

_OBJECT: Final = OpenAPIType.OBJECT
_TEXT: Final = Schema(type=OpenAPIType.STRING)
_COUNT: Final = Schema(type=OpenAPIType.INTEGER, minimum=0)
_TEXTS: Final = Schema(type=OpenAPIType.ARRAY, items=_TEXT)
_TEXT_OR_TEXTS: Final = Schema(any_of=[_TEXT, _TEXTS])


def _list_of(schema: Schema) -> Schema:
    return Schema(type=OpenAPIType.ARRAY, items=schema)


def _kind(name: str) -> Schema:
    return Schema(type=OpenAPIType.STRING, const=name)


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return Schema(type=_OBJECT, required=list(required), properties={**required, **(optional or {})})


ENTITY: Final = _object({}, {"id": _TEXT, "type": _TEXT_OR_TEXTS, "scope": _TEXT_OR_TEXTS})
"""pick and omit may leave any member out."""
ENTITIES: Final = _list_of(ENTITY)
EVOLUTION: Final = _object({}, {"id": _TEXT, "type": _TEXT_OR_TEXTS})
"""Over time, a scope is as open as any attribute: instances, or values with their times."""
EVOLUTIONS: Final = _list_of(EVOLUTION)
FEATURE: Final = _object(
    {
        "id": _TEXT,
        "type": _kind("Feature"),
        "geometry": Schema(type=[_OBJECT, OpenAPIType.NULL]),
        "properties": Schema(type=_OBJECT),
    }
)
FEATURES: Final = _object({"type": _kind("FeatureCollection"), "features": _list_of(FEATURE)})
_ATTRIBUTE: Final = {"id": _TEXT, "type": _kind("Attribute"), "attributeName": _TEXT}
_TYPE: Final = {"id": _TEXT, "type": _kind("EntityType"), "typeName": _TEXT, "attributeNames": _TEXTS}
TYPES: Final = Schema(
    any_of=[
        _object({"id": _TEXT, "type": _kind("EntityTypeList"), "typeList": _TEXTS}),
        _list_of(_object(_TYPE)),
    ]
)
TYPE: Final = _object(
    {
        "id": _TEXT,
        "type": _kind("EntityTypeInfo"),
        "typeName": _TEXT,
        "entityCount": _COUNT,
        "attributeDetails": _list_of(_object({**_ATTRIBUTE, "attributeTypes": _TEXTS})),
    }
)
ATTRIBUTES: Final = Schema(
    any_of=[
        _object({"id": _TEXT, "type": _kind("AttributeList"), "attributeList": _TEXTS}),
        _list_of(_object({**_ATTRIBUTE, "typeNames": _TEXTS})),
    ]
)
ATTRIBUTE: Final = _object({**_ATTRIBUTE, "typeNames": _TEXTS, "attributeTypes": _TEXTS, "attributeCount": _COUNT})
IDS: Final = _TEXTS
BATCH: Final = _object(
    {"success": _TEXTS, "errors": _list_of(_object({"entityId": _TEXT, "error": Schema(type=_OBJECT)}))}
)
UPDATED: Final = _object(
    {"updated": _TEXTS, "notUpdated": _list_of(_object({"attributeName": _TEXT, "reason": _TEXT}))}
)
SUBSCRIPTION: Final = _object(
    {"id": _TEXT, "type": _kind("Subscription"), "notification": Schema(type=_OBJECT), "status": _TEXT}
)
SUBSCRIPTIONS: Final = _list_of(SUBSCRIPTION)
CONTEXTS: Final = _list_of(Schema(any_of=[_TEXT, _object({"URL": _TEXT, "localId": _TEXT, "kind": _TEXT})]))
CONTEXT: Final = Schema(type=_OBJECT)
IDENTITY: Final = _object(
    {
        "id": _TEXT,
        "type": _kind("ContextSourceIdentity"),
        "contextSourceAlias": _TEXT,
        "contextSourceUptime": _TEXT,
        "contextSourceTimeAt": _TEXT,
    }
)


@dataclass(frozen=True)
class Answer:
    """A status' meaning, and the body that comes with it. features: the same as GeoJSON."""

    text: str
    schema: Schema | None = None
    features: Schema | None = None

    def described(self) -> OpenAPIResponse:
        """As OpenAPI says it."""
        if self.schema is None:
            return OpenAPIResponse(description=self.text)
        content = {media: OpenAPIMediaType(schema=self.schema) for media in (JSON, LD_JSON)}
        if self.features is not None:
            content[GEO_JSON] = OpenAPIMediaType(schema=self.features)
        return OpenAPIResponse(description=self.text, content=content)


_ALTERED: Final = "The same in the words of the version that Prefer asks for."
_ONE: Final = Schema(any_of=[ENTITY, ENTITIES])
_ONE_FEATURE: Final = Schema(any_of=[FEATURE, FEATURES])
ONE_ENTITY: Final = {
    200: Answer("The entity; with join=flat, and those it leads to.", _ONE, _ONE_FEATURE),
    203: Answer(_ALTERED, _ONE, _ONE_FEATURE),
}
SOME_ENTITIES: Final = {
    200: Answer("The entities.", ENTITIES, FEATURES),
    203: Answer(_ALTERED, ENTITIES, FEATURES),
}
