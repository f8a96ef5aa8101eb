"""Names and IRIs: what a short name means under the core @context of NGSI-LD, and how an IRI is said shortly.

A term of the core (`location`) stands for an IRI of the standard; a name the core does not know stands for one in the
default vocabulary; an IRI stands for itself. `expand` undoes `compact`: `expand(compact(iri)) == iri` for every
absolute IRI whose scheme is not one of the core's prefixes.

The table is the term list of ETSI GS CIM 009 V1.8.1, Annex B: most terms mean `ngsi-ld:<term>`, so only those that do
not are spelt out, and `core_context` puts the document back together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

NGSI_LD: Final = "https://uri.etsi.org/ngsi-ld/"
DEFAULT_VOCABULARY: Final = NGSI_LD + "default-context/"
CORE_CONTEXT_URI: Final = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
CORE_CONTEXT_PATTERN: Final = re.compile(r"https?://uri\.etsi\.org/ngsi-ld/v1/ngsi-ld-core-context(-v1\.\d+)?\.jsonld")
"""Any published version of the core @context: each later one only adds terms, and ours is the one that applies."""

PREFIXES: Final = {"ngsi-ld": NGSI_LD, "geojson": "https://purl.org/geojson/vocab#"}


def _words(text: str) -> list[str]:
    return text.split()


# Terms that mean `ngsi-ld:` and the term itself.
_PLAIN: Final = _words("""
    Attribute AttributeList ContextSourceIdentity ContextSourceNotification ContextSourceRegistration Date DateTime
    EntityType EntityTypeInfo EntityTypeList GeoProperty JsonProperty LanguageProperty ListProperty ListRelationship
    Notification Property Relationship Subscription TemporalProperty Time VocabProperty accept attributeList
    attributeName attributeNames attributeTypes attributes attrs avg cacheDuration contextSourceAlias
    contextSourceExtras contextSourceInfo contextSourceTimeAt contextSourceUptime cooldown createdAt csf data datasetId
    deletedAt detail distinctCount endAt endTimeAt endpoint entities entity entityCount entityId entityList error errors
    expiresAt format geoQ geoproperty georel idPattern information instanceId isActive join jsonKeys jsons lang
    lastFailure lastNotification lastSuccess linkedMaps localOnly location management managementInterval
    max min mode modifiedAt notUpdated notification notificationTrigger notifiedAt notifierInfo observationInterval
    observationSpace observedAt omit operationSpace operations pick propertyNames q reason receiverInfo refreshRate
    registrationId registrationName relationshipNames scope scopeQ showChanges startAt status stddev subscriptionId
    subscriptionName success sum sumsq sysAttrs temporalQ tenant throttling timeAt timeInterval timeout timeproperty
    timerel timesFailed timesSent totalCount triggerReason typeList typeName typeNames unchanged unitCode updated uri
    watchedAttributes
""")

# Terms that mean `ngsi-ld:has` and the term with a capital.
_HAS: Final = _words("""
    dataset entityMap joinLevel key languageMap languageMaps object objectList objectType objects objectsLists
    previousLanguageMap previousObject previousObjectList previousValue previousValueList previousVocab value
    valueList valueLists values vocab vocabs
""")

_GEOJSON: Final = _words("""
    Feature FeatureCollection GeometryCollection LineString MultiLineString MultiPoint MultiPolygon Point Polygon bbox
    coordinates features geometry properties
""")

_OTHER: Final = {
    "containedBy": NGSI_LD + "isContainedBy",
    "description": "http://purl.org/dc/terms/description",
    "json": NGSI_LD + "hasJSON",
    "previousJson": NGSI_LD + "hasPreviousJson",
    "title": "http://purl.org/dc/terms/title",
}

# How a term's values are read, for the terms whose values are not plain.
_COERCED: Final = {
    "@vocab": _words("""attributeList attributeName attributeNames attributeTypes attributes objectType previousVocab
        propertyNames relationshipNames typeList typeName typeNames vocab watchedAttributes"""),
    "@id": _words("datasetId entityId instanceId object previousObject subscriptionId success tenant"),
    "@json": _words("contextSourceExtras json previousJson"),
    "DateTime": _words("""contextSourceTimeAt createdAt deletedAt endAt endTimeAt expiresAt lastFailure lastNotification
        lastSuccess modifiedAt notifiedAt observedAt startAt timeAt"""),
}
_CONTAINED: Final = {
    "@list": _words("""avg bbox coordinates distinctCount entityList jsons languageMaps max min objectList objects
        objectsLists previousObjectList previousValueList stddev sum sumsq totalCount valueList valueLists values
        vocabs"""),
    "@language": _words("languageMap previousLanguageMap"),
    "@index": ["dataset"],
    "@set": ["features"],
}


def _has(term: str) -> str:
    return f"{NGSI_LD}has{term[0].upper()}{term[1:]}"


CORE_TERMS: Final[dict[str, str]] = {
    **{term: NGSI_LD + term for term in _PLAIN},
    **{term: _has(term) for term in _HAS},
    **{term: PREFIXES["geojson"] + term for term in _GEOJSON},
    **_OTHER,
}
"""Every term of the core @context with its IRI."""

BY_IRI: Final = {iri: term for term, iri in CORE_TERMS.items()}
"""The core's terms by IRI."""

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")


def is_iri(name: str) -> bool:
    """Whether a name is absolute already (it has a scheme), and so stands for itself."""
    return _ABSOLUTE.fullmatch(name) is not None


@lru_cache(maxsize=65_536)
def expand(name: str) -> str:
    """The IRI a name stands for under the core @context; an IRI passes unchanged."""
    known = CORE_TERMS.get(name)
    if known is not None:
        return known
    prefix, colon, rest = name.partition(":")
    if colon and prefix in PREFIXES and not rest.startswith("//"):
        return PREFIXES[prefix] + rest
    return name if is_iri(name) else DEFAULT_VOCABULARY + name


@lru_cache(maxsize=65_536)
def compact(iri: str) -> str:
    """The shortest name that means this IRI under the core @context; the IRI itself if there is none."""
    known = BY_IRI.get(iri)
    if known is not None:
        return known
    if iri.startswith(DEFAULT_VOCABULARY):
        name = iri[len(DEFAULT_VOCABULARY) :]
        if name and name not in CORE_TERMS and ":" not in name:
            return name
    return shorten(iri, PREFIXES)


def shorten(iri: str, prefixes: Mapping[str, str]) -> str:
    """The IRI by the first of these prefixes that it begins with: `ngsi-ld:observedBy`; the IRI itself if none does."""
    for prefix, stem in prefixes.items():
        rest = iri[len(stem) :]
        if iri.startswith(stem) and rest and not rest.startswith("//"):
            return f"{prefix}:{rest}"
    return iri


def core_context() -> dict[str, object]:
    """The core @context as a JSON-LD document: `{"@context": {…}}`."""
    terms: dict[str, object] = {"@version": 1.1, "@protected": True, **PREFIXES, "id": "@id", "type": "@type"}
    types = {term: kind for kind, names in _COERCED.items() for term in names}
    containers = {term: kind for kind, names in _CONTAINED.items() for term in names}
    for term, iri in sorted(CORE_TERMS.items()):
        definition = {"@id": iri}
        if term in types:
            definition["@type"] = types[term]
        if term in containers:
            definition["@container"] = containers[term]
        terms[term] = definition if len(definition) > 1 else iri
    terms["@vocab"] = DEFAULT_VOCABULARY
    return {"@context": terms}
