"""One request and its answer as NGSI-LD frames them (6.3 of the standard): content negotiation, the @context of both
directions, the body.

The @context comes in the body under `application/ld+json`, in the Link header otherwise, and is the core's where
neither names one. It leaves the same way: in the body under `application/ld+json`, else in the Link header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import Principal
from broadstreet.apis.ngsi_ld.conformance import amend, preferred
from broadstreet.context import CORE, Form, Vocabulary
from broadstreet.model.errors import InvalidInput, InvalidRequest, NotAcceptable, UnsupportedMediaType
from broadstreet.model.terms import CORE_CONTEXT_URI

if TYPE_CHECKING:
    from broadstreet.apis.services import Call

NgsiRequest = Request[Principal, Any, State]

JSON: Final = "application/json"
LD_JSON: Final = "application/ld+json"
GEO_JSON: Final = "application/geo+json"
HTTP_203_NON_AUTHORITATIVE: Final = 203
MERGE_PATCH: Final = "application/merge-patch+json"
OFFERS: Final = (JSON, LD_JSON)
ENTITY_OFFERS: Final = (JSON, LD_JSON, GEO_JSON)

encode: Final = msgspec.json.Encoder().encode
"""A value as JSON."""

_CONTEXT_RELATION: Final = "http://www.w3.org/ns/json-ld#context"
_LINK: Final = re.compile(r"<([^>]*)>((?:\s*;\s*[\w*]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))*)")
_RELATION: Final = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)
_decode: Final = msgspec.json.Decoder().decode


@lru_cache(maxsize=1_024)
def negotiate(accept: str, offers: tuple[str, ...]) -> str:
    """The media type to answer with: the offer with the greatest weight, of equals the first. Raises NotAcceptable.

    An offer takes the weight of the most specific range that matches it (RFC 9110, 12.5.1).
    """
    weights: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        if media:
            weights[media.lower()] = next((_weight(text) for text in parameters if text.lower().startswith("q=")), 1.0)
    best, chosen = 0.0, None
    for offer in offers:
        ranges = (offer, offer.split("/")[0] + "/*", "*/*")
        weight = next((weights[one] for one in ranges if one in weights), 0.0)
        if weight > best:
            best, chosen = weight, offer
    if chosen is None:
        raise NotAcceptable(f"the answer comes as {' or '.join(offers)}", where="Accept")
    return chosen


def _weight(text: str) -> float:
    try:
        return min(max(float(text[2:]), 0.0), 1.0)
    except ValueError:
        return 1.0


@lru_cache(maxsize=1_024)
def context_link(link: str) -> str | None:
    """The URI of the @context that a Link header names, if it names one. Raises InvalidInput for two."""
    found = []
    for uri, parameters in _LINK.findall(link):
        relation = _RELATION.search(parameters)
        if relation is not None and (relation[1] or relation[2]) == _CONTEXT_RELATION:
            found.append(uri)
    if len(found) > 1:
        raise InvalidInput("the Link header names more than one @context", where="Link")
    return found[0] if found else None


def context_header(vocabulary: Vocabulary) -> str:
    """The Link header that names an @context."""
    return f'<{vocabulary.uri}>; rel="{_CONTEXT_RELATION}"; type="{LD_JSON}"'


class Exchange:
    """What the headers of a request say, and how its answer is framed."""

    def __init__(self, request: NgsiRequest, call: Call, offers: tuple[str, ...] = OFFERS) -> None:
        """Raises NotAcceptable, InvalidInput. Begin one by `of`, which understands its Link header too."""
        headers = request.headers
        accept = headers.get("accept")
        self.media_type = offers[0] if accept is None or accept == "*/*" else negotiate(accept, offers)
        link = headers.get("link")
        self._linked = None if link is None else context_link(link)
        self._preferred = preferred(headers.get("prefer"))
        self._call = call
        self._request = request
        self.vocabulary = CORE
        """What names mean; in a body that brings its own @context, after `body` only."""

    @classmethod
    async def of(cls, request: NgsiRequest, call: Call, offers: tuple[str, ...] = OFFERS) -> Self:
        """A request's. Raises NotAcceptable, ContextNotAvailable, InvalidInput."""
        exchange = cls(request, call, offers)
        if exchange._linked is not None:
            exchange.vocabulary = await exchange.understand(exchange._linked)
        return exchange

    async def understand(self, context: Any) -> Vocabulary:
        """What names mean under an @context. Raises ContextNotAvailable, InvalidInput, TooLarge."""
        principal = self._call.principal
        may_fetch = principal.reach is None  # whoever sees but a part makes the house ask nobody
        return await self._call.services.contexts.vocabulary(principal.tenant, context, may_fetch=may_fetch)

    @property
    def shown(self) -> Vocabulary:
        """What names mean in the answer. A Link header cannot carry terms, so that without a URI the core speaks."""
        return self.vocabulary if self.media_type != JSON or self.vocabulary.uri is not None else CORE

    async def body(self, *, may_merge: bool = False) -> Any:
        """The body's JSON without its @context, which is the vocabulary from now on.

        may_merge: whether it may come as a merge patch. Raises UnsupportedMediaType, InvalidRequest, InvalidInput.
        """
        document, is_linked_data = await self.documents(may_merge=may_merge)
        if not isinstance(document, dict):
            raise InvalidRequest("the body is a JSON object", where="body")
        self.vocabulary = await self.context_of(document, is_linked_data)
        return document

    async def documents(self, *, may_merge: bool = False) -> tuple[Any, bool]:
        """The body's JSON, and whether it came as JSON-LD."""
        media = self._request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media not in (JSON, LD_JSON) and not (may_merge and media == MERGE_PATCH):
            raise UnsupportedMediaType(
                f"a body comes as {JSON} or {LD_JSON}, not as {media[:80] or 'nothing'}", where="Content-Type"
            )
        if media == LD_JSON and self._linked is not None:
            raise InvalidInput("the @context stands in the body of JSON-LD, not in the Link header", where="Link")
        try:
            return _decode(await self._request.body()), media == LD_JSON
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(f"the body is no JSON: {error}", where="body") from None

    async def context_of(self, document: dict[str, Any], is_linked_data: bool) -> Vocabulary:
        """What names mean in a document that may bring its own @context. Raises InvalidInput, ContextNotAvailable."""
        if is_linked_data:
            if "@context" not in document:
                raise InvalidInput(
                    "JSON-LD has an @context", where="@context", remedy=f"Send it as {JSON} without one."
                )
            return await self.understand(document["@context"])
        if "@context" in document:
            raise InvalidInput("plain JSON has no @context", where="@context", remedy=f"Send it as {LD_JSON}.")
        return self.vocabulary

    def answer(
        self, content: Any, *, status: int = 200, headers: dict[str, str] | None = None, form: Form | None = None
    ) -> ASGIResponse:
        """An answer with a body that has names in it: an object, or a list of them. form: that of entities."""
        vocabulary = self.shown
        sent = dict(headers or {})
        status = self._conforming(content if isinstance(content, list) else [content], form, status, sent)
        if self.media_type == JSON:
            link = context_header(vocabulary)
            sent["Link"] = f"{link}, {sent['Link']}" if "Link" in sent else link
        elif self.media_type == LD_JSON:
            for one in content if isinstance(content, list) else [content]:
                one["@context"] = vocabulary.reference
        return ASGIResponse(body=encode(content), media_type=self.media_type, status_code=status, headers=sent)

    @property
    def is_newest(self) -> bool:
        """Whether entities are answered as they are, and not in the words of an earlier version."""
        return self._preferred is None

    def written(self, texts: Sequence[str], *, is_one: bool, headers: dict[str, str] | None = None) -> ASGIResponse:
        """As `answer`, of entities that are JSON texts already: one, or a list of them."""
        vocabulary = self.shown
        sent = dict(headers or {})
        if self.media_type == JSON:
            link = context_header(vocabulary)
            sent["Link"] = f"{link}, {sent['Link']}" if "Link" in sent else link
        else:
            reference = f',"@context":{encode(vocabulary.reference).decode()}}}'
            texts = [text[:-1] + reference for text in texts]
        body = texts[0] if is_one else f"[{','.join(texts)}]"
        return ASGIResponse(body=body.encode(), media_type=self.media_type, headers=sent)

    def geo_answer(self, content: dict[str, Any], form: Form, *, headers: dict[str, str] | None = None) -> ASGIResponse:
        """A GeoJSON answer; its @context stands in the body, or in the Link header where `Prefer: body=json` asks."""
        sent = dict(headers or {})
        status = self._conforming(content.get("features", [content]), form, HTTP_200_OK, sent)
        preferences = self._request.headers.get("prefer", "").replace('"', "").split(",")
        if "body=json" in map(str.strip, preferences):
            uri = self.vocabulary.uri or CORE_CONTEXT_URI
            sent["Link"] = f'<{uri}>; rel="{_CONTEXT_RELATION}"; type="{LD_JSON}"'
        else:
            content["@context"] = self.vocabulary.reference
        return ASGIResponse(body=encode(content), media_type=GEO_JSON, status_code=status, headers=sent)

    def _conforming(self, content: list[Any], form: Form | None, status: int, headers: dict[str, str]) -> int:
        """Say what is answered in the version that is preferred, and in the headers that it is; answers the status."""
        version = self._preferred
        if version is None:
            return status
        headers["Preference-Applied"] = "ngsi-ld={}.{}".format(*version)
        changed = form is not None and amend(content, version, is_simplified=form is Form.SIMPLIFIED)
        return HTTP_203_NON_AUTHORITATIVE if changed and status == HTTP_200_OK else status


def empty(status: int = 204, headers: dict[str, str] | None = None) -> ASGIResponse:
    """An answer without a body."""
    return ASGIResponse(body=b"", status_code=status, headers=headers or {}, media_type=JSON)
