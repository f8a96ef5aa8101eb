"""Subscriptions as documents (5.2.12 to 5.2.15 and 5.2.22 of the standard): read strictly under a request's @context.

What is kept is the document by the standard's own members, so that it can be shown under any @context and be evaluated
without the one it came with: names are IRIs, a type selection is a tree of them (`types_of`), and a q stands beside
what its names mean (`query_of`). Members that nobody may write, and such as the standard does not name, are passed
over, as it demands; a member that is null, or NGSI-LD Null, is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from broadstreet.context.bounds import (
    MAX_ENDPOINT_MS,
    MAX_INTERVAL_S,
    MAX_JOIN_LEVEL,
    MAX_NAMES,
    MAX_PATTERN_LENGTH,
    MAX_SUBSCRIPTION_BYTES,
    MAX_SUBSCRIPTION_PAIRS,
    MAX_SUBSCRIPTION_TEXT,
)
from broadstreet.context.expression import AllOf, AnyOf, Expression, One
from broadstreet.context.fragment import NULL
from broadstreet.context.georel import parse_coordinates, parse_georel
from broadstreet.context.language import parse_languages
from broadstreet.context.query_language import Pattern, Query, parse_query, terms_of
from broadstreet.context.scope import parse_scope_query
from broadstreet.context.selection import parse_types
from broadstreet.context.vocabulary import Vocabulary
from broadstreet.model.clock import format_rfc3339, parse_rfc3339
from broadstreet.model.errors import InvalidInput, TooLarge, TooMany
from broadstreet.model.identifiers import check_uri

TYPE: Final = "Subscription"
TRIGGERS: Final = (
    *("entityCreated", "entityUpdated", "entityDeleted"),
    *("attributeCreated", "attributeUpdated", "attributeDeleted"),
)
DEFAULT_TRIGGERS: Final = ("attributeCreated", "attributeUpdated")
ENTITY_MEMBERS: Final = frozenset({"id", "type", "scope", "createdAt", "modifiedAt"})
"""What pick and omit may name beside attributes."""
SIMPLE_FORMS: Final = ("keyValues", "simplified")
_FORMS: Final = ("normalized", "concise", *SIMPLE_FORMS)
_MEDIA_TYPES: Final = ("application/json", "application/ld+json", "application/geo+json")
MQTT_SETTINGS: Final = {"MQTT-Version": ("mqtt3.1.1", "mqtt5.0"), "MQTT-QoS": ("0", "1", "2")}
"""What notifierInfo may say of an MQTT server (7.2)."""
_SCHEMES: Final = ("http", "https", "mqtt", "mqtts")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f]*")

Read = Callable[[Any, str, Vocabulary], Any]
"""A member's value as it is kept, from what was sent, its place and the request's @context. Raises as they do below."""


def parse_subscription(document: Mapping[str, Any], vocabulary: Vocabulary, now_us: int) -> dict[str, Any]:
    """A whole subscription without its id, as it is kept. Raises InvalidInput, InvalidQuery, TooLarge, TooMany."""
    if document.get("type") != TYPE:
        raise InvalidInput(f"a subscription's type is {TYPE}", where="type")
    read = parse_update(document, vocabulary, now_us)
    return merge({}, read)


def parse_update(document: Mapping[str, Any], vocabulary: Vocabulary, now_us: int) -> dict[str, Any]:
    """Some members of a subscription as they are kept; None for one that is taken away (5.8.2)."""
    if document.get("type", TYPE) != TYPE:
        raise InvalidInput(f"a subscription's type is {TYPE}", where="type")
    read = _object(document, "", _MEMBERS, vocabulary, keeps_nulls=True)
    ends_at = read.get("expiresAt")
    if ends_at is not None and parse_rfc3339(ends_at) <= now_us:
        raise InvalidInput(f"{ends_at} is past", where="expiresAt", remedy="Give a time to come.")
    return read


def merge(kept: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """A subscription after an update, member by member, checked as a whole. Raises InvalidInput, TooLarge."""
    merged = {name: value for name, value in {**kept, **update}.items() if value is not None}
    if "notification" not in merged:
        raise InvalidInput("a subscription says where notifications go", where="notification")
    is_local = merged.get("localOnly", False)
    if "entities" not in merged and "watchedAttributes" not in merged and not is_local:
        raise InvalidInput("a subscription names entities or watchedAttributes, or both", where="entities")
    if "timeInterval" in merged:
        for other in ("watchedAttributes", "throttling"):
            if other in merged:
                raise InvalidInput(f"timeInterval does not go with {other}", where="timeInterval")
        if "entities" not in merged and not is_local:
            raise InvalidInput("a timeInterval is for entities that are named", where="entities")
    if len(msgspec.json.encode(merged)) > MAX_SUBSCRIPTION_BYTES:
        raise TooLarge(f"a subscription has at most {MAX_SUBSCRIPTION_BYTES:,} bytes", where="body")
    return merged


def types_of(kept: Any) -> Expression[str] | None:
    """The type selection of an entity selector as it is kept; None for any type."""
    if kept == "*":
        return None
    if isinstance(kept, str):
        return One(kept)
    ((word, parts),) = kept.items()
    inner = tuple(part for part in map(types_of, parts) if part is not None)
    return AllOf(inner) if word == "allOf" else AnyOf(inner)


def query_of(kept: Mapping[str, Any]) -> tuple[Query, Vocabulary]:
    """A q as it is kept, with what its names mean."""
    return parse_query(kept["text"], MAX_JOIN_LEVEL), Vocabulary(kept["names"])


def patterns_of(kept: Mapping[str, Any]) -> list[str]:
    """Every regular expression in a subscription as it is kept."""
    found = [one["idPattern"] for one in kept.get("entities", ()) if "idPattern" in one]
    for name in ("q", "csf"):
        terms = terms_of(parse_query(kept[name]["text"], MAX_JOIN_LEVEL)) if name in kept else ()
        found += [term.operand.regex for term in terms if isinstance(term.operand, Pattern)]
    return found


def _object(
    value: Any, where: str, members: Mapping[str, Read], vocabulary: Vocabulary, *, keeps_nulls: bool = False
) -> dict[str, Any]:
    """An object's known members."""
    if not isinstance(value, Mapping):
        raise InvalidInput("an object is expected here", where=where)
    read: dict[str, Any] = {}
    for name, reader in members.items():
        if name not in value:
            continue
        if value[name] is None or value[name] == NULL:
            if keeps_nulls:
                read[name] = None
        else:
            read[name] = reader(value[name], f"{where}.{name}" if where else name, vocabulary)
    return read


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidInput("a text is expected here", where=where)
    if "\x00" in value:
        raise InvalidInput("the character U+0000 stands nowhere", where=where)
    return value


def _text(value: Any, where: str, _: Vocabulary) -> str:
    text = _string(value, where)
    if len(text) > MAX_SUBSCRIPTION_TEXT:
        raise TooLarge(f"a text has at most {MAX_SUBSCRIPTION_TEXT:,} characters here", where=where)
    return text


def _flag(value: Any, where: str, _: Vocabulary) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput("true or false is expected here", where=where)
    return value


def _positive(maximum: int) -> Read:
    def read(value: Any, where: str, _: Vocabulary) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= maximum:
            raise InvalidInput(f"a number above 0 and up to {maximum:,} is expected here", where=where)
        return value

    return read


def _join_level(value: Any, where: str, _: Vocabulary) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_JOIN_LEVEL:
        raise InvalidInput(f"a whole number from 1 to {MAX_JOIN_LEVEL} is expected here", where=where)
    return value


def _one_of(choices: tuple[str, ...]) -> Read:
    def read(value: Any, where: str, _: Vocabulary) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidInput(f"one of {', '.join(choices)} is expected here", where=where)
        return value

    return read


def _list_of(reader: Read, maximum: int = MAX_NAMES) -> Read:
    def read(value: Any, where: str, vocabulary: Vocabulary) -> list[Any]:
        if not isinstance(value, list) or not value:
            raise InvalidInput("a list that is not empty is expected here", where=where)
        if len(value) > maximum:
            raise TooMany(f"a list has at most {maximum} items here", where=where)
        return [reader(one, f"{where}[{at}]", vocabulary) for at, one in enumerate(value)]

    return read


def _name(value: Any, where: str, vocabulary: Vocabulary) -> str:
    name = _text(value, where, vocabulary)
    if name in ("id", "type"):
        raise InvalidInput(f"{name} is no attribute", where=where, remedy="Use pick.")
    return vocabulary.name(name, where)


def _member(value: Any, where: str, vocabulary: Vocabulary) -> str:
    name = _text(value, where, vocabulary)
    return name if name in ENTITY_MEMBERS else vocabulary.name(name, where)


def _uri(value: Any, where: str, vocabulary: Vocabulary) -> str:
    return check_uri(_text(value, where, vocabulary), where)


def _dataset(value: Any, where: str, vocabulary: Vocabulary) -> str:
    return "@none" if value == "@none" else _uri(value, where, vocabulary)


def _moment(value: Any, where: str, vocabulary: Vocabulary) -> str:
    return format_rfc3339(parse_rfc3339(_text(value, where, vocabulary), where))


def _languages(value: Any, where: str, vocabulary: Vocabulary) -> str:
    text = _text(value, where, vocabulary)
    parse_languages(text, where)
    return text


def _ids(value: Any, where: str, vocabulary: Vocabulary) -> Any:
    return _list_of(_uri)(value, where, vocabulary) if isinstance(value, list) else _uri(value, where, vocabulary)


def _pattern(value: Any, where: str, vocabulary: Vocabulary) -> str:
    text = _text(value, where, vocabulary)
    if len(text) > MAX_PATTERN_LENGTH:
        raise TooLarge(f"a pattern has at most {MAX_PATTERN_LENGTH} characters", where=where)
    return text


def _types(value: Any, where: str, vocabulary: Vocabulary) -> Any:
    found = parse_types(_string(value, where), vocabulary)
    return "*" if found is None else _tree(found)


def _tree(expression: Expression[str]) -> Any:
    if isinstance(expression, One):
        return expression.leaf
    return {"allOf" if isinstance(expression, AllOf) else "anyOf": [_tree(part) for part in expression.parts]}


def _query(value: Any, where: str, vocabulary: Vocabulary) -> dict[str, Any]:
    """A q, which may be written as it would stand in a URL: percent-encoded."""
    text = _string(value, where)
    try:
        text = _string(unquote(text, errors="strict"), where)
    except UnicodeDecodeError:
        raise InvalidInput("what is percent-encoded here is no text", where=where) from None
    terms = list(terms_of(parse_query(text, MAX_JOIN_LEVEL)))
    names = {name for term in terms for name in term.path.names}
    names.update(name for term in terms if term.subquery is not None for name in term.subquery.types)
    return {"text": text, "names": {name: vocabulary.expand(name) for name in sorted(names)}}


def _scopes(value: Any, where: str, _: Vocabulary) -> str:
    text = _string(value, where)
    parse_scope_query(text)
    return text


def _anything(value: Any, _where: str, _: Vocabulary) -> Any:
    return value


def _selector(value: Any, where: str, vocabulary: Vocabulary) -> dict[str, Any]:
    read = _object(value, where, _SELECTOR, vocabulary)
    if "type" not in read:
        raise InvalidInput("a selector of entities names their type, or * for any", where=f"{where}.type")
    return read


def _geo(value: Any, where: str, vocabulary: Vocabulary) -> dict[str, Any]:
    read = _object(value, where, _GEO, vocabulary)
    if missing := [name for name in ("georel", "geometry", "coordinates") if name not in read]:
        raise InvalidInput(f"{missing[0]} is missing", where=f"{where}.{missing[0]}")
    geometry = parse_coordinates(read["geometry"], read["coordinates"])
    parse_georel(read["georel"], geometry, read.get("geoproperty") or vocabulary.expand("location"))
    return read


def _pair(value: Any, where: str, vocabulary: Vocabulary) -> dict[str, str]:
    """A key and a value, of which headers are made: nothing in them may end a line."""
    if not isinstance(value, Mapping) or not isinstance(value.get("value"), str):
        raise InvalidInput("an object with the texts key and value is expected here", where=where)
    key, text = _text(value.get("key"), f"{where}.key", vocabulary), value["value"]
    if _TOKEN.fullmatch(key) is None:
        raise InvalidInput(f"{key[:80]!r} cannot name a header", where=f"{where}.key")
    if len(text) > MAX_SUBSCRIPTION_TEXT or _PRINTABLE.fullmatch(text) is None:
        raise InvalidInput("a header's value is one line of text", where=f"{where}.value")
    return {"key": key, "value": text}


def _address(value: Any, where: str, vocabulary: Vocabulary) -> str:
    """Where notifications go. An MQTT address has the topic for its path (7.2)."""
    text = _uri(value, where, vocabulary)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in _SCHEMES:
        raise InvalidInput(f"{text[:80]!r} is no address by {', '.join(_SCHEMES)}", where=where)
    if parts.scheme.startswith("mqtt"):
        topic = unquote(parts.path.lstrip("/"))
        if not topic or not topic.isprintable() or "+" in topic or "#" in topic:
            raise InvalidInput("an MQTT address ends with a topic", where=where, remedy="Write mqtt://host:1883/topic.")
    return text


def _endpoint(value: Any, where: str, vocabulary: Vocabulary) -> dict[str, Any]:
    read = _object(value, where, _ENDPOINT, vocabulary)
    if "uri" not in read:
        raise InvalidInput("an endpoint has an address", where=f"{where}.uri")
    if urlsplit(read["uri"]).scheme.startswith("mqtt"):
        for at, pair in enumerate(read.get("notifierInfo", ())):
            known = MQTT_SETTINGS.get(pair["key"], (pair["value"],))
            if pair["value"] not in known:
                raise InvalidInput(
                    f"{pair['key']} is one of {', '.join(known)}", where=f"{where}.notifierInfo[{at}].value"
                )
    return read


def _notification(value: Any, where: str, vocabulary: Vocabulary) -> dict[str, Any]:
    read = _object(value, where, _NOTIFICATION, vocabulary)
    if "endpoint" not in read:
        raise InvalidInput("a notification has an endpoint", where=f"{where}.endpoint")
    if "attributes" in read and ("pick" in read or "omit" in read):
        raise InvalidInput("attributes does not go with pick or omit", where=f"{where}.attributes")
    if not set(read.get("pick", ())).isdisjoint(read.get("omit", ())):
        raise InvalidInput("a member cannot be picked and omitted", where=f"{where}.omit")
    if read.get("showChanges") and read.get("format") in SIMPLE_FORMS:
        raise InvalidInput(f"showChanges does not go with {read['format']}", where=f"{where}.showChanges")
    return read


_SELECTOR: Final[dict[str, Read]] = {"id": _ids, "idPattern": _pattern, "type": _types}
_GEO: Final[dict[str, Read]] = {"georel": _text, "geometry": _text, "coordinates": _anything, "geoproperty": _name}
_PAIRS: Final = _list_of(_pair, MAX_SUBSCRIPTION_PAIRS)
_ENDPOINT: Final[dict[str, Read]] = {
    "uri": _address,
    "accept": _one_of(_MEDIA_TYPES),
    "timeout": _positive(MAX_ENDPOINT_MS),
    "cooldown": _positive(MAX_ENDPOINT_MS),
    "receiverInfo": _PAIRS,
    "notifierInfo": _PAIRS,
}
_NOTIFICATION: Final[dict[str, Read]] = {
    "attributes": _list_of(_name),
    "pick": _list_of(_member),
    "omit": _list_of(_member),
    "format": _one_of(_FORMS),
    "showChanges": _flag,
    "sysAttrs": _flag,
    "join": _one_of(("flat", "inline", "@none")),
    "joinLevel": _join_level,
    "endpoint": _endpoint,
}
_MEMBERS: Final[dict[str, Read]] = {
    "subscriptionName": _text,
    "description": _text,
    "entities": _list_of(_selector),
    "watchedAttributes": _list_of(_name),
    "notificationTrigger": _list_of(_one_of(TRIGGERS), len(TRIGGERS)),
    "timeInterval": _positive(MAX_INTERVAL_S),
    "q": _query,
    "geoQ": _geo,
    "csf": _query,
    "isActive": _flag,
    "notification": _notification,
    "expiresAt": _moment,
    "throttling": _positive(MAX_INTERVAL_S),
    "scopeQ": _scopes,
    "lang": _languages,
    "datasetId": _list_of(_dataset),
    "jsonldContext": _uri,
    "localOnly": _flag,
}
