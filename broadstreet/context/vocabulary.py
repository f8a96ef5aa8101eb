"""What names mean in one request: the core @context, and what the request's own @context adds to it.

A request brings an @context as a URI, an object of terms, or a list of both. It is compiled once into a `Vocabulary`,
which turns names into IRIs on the way in and IRIs into names on the way out. The core always has the last word: a term
of the core cannot be given another meaning.

Of JSON-LD, what NGSI-LD names need is understood: terms, prefixes, `@vocab`. How a term's values would be coerced is
not: values stay as they were sent. A URI is looked up in a `Library`; nothing is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from broadstreet.context.bounds import MAX_CONTEXT_PARTS, MAX_CONTEXT_TERMS, MAX_NAME_LENGTH
from broadstreet.model.errors import ContextNotAvailable, InvalidInput, TooLarge
from broadstreet.model.terms import (
    BY_IRI,
    CORE_CONTEXT_PATTERN,
    CORE_CONTEXT_URI,
    CORE_TERMS,
    DEFAULT_VOCABULARY,
    PREFIXES,
    is_iri,
    shorten,
)

_KEYWORDS: Final = frozenset({"id", "type", "@id", "@type"})
_IGNORED: Final = frozenset({"@version", "@protected", "@base", "@language", "@direction", "@propagate"})
_NAME: Final = re.compile(r"(?:[^\W\d_][\w.-]*:)?[^\W\d_]\w*")
_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>{}|\\^`\[\]]+")
# An IRI that may stand before a suffix, as JSON-LD 1.1 has it for terms that are written as plain text.
_PREFIX_END: Final = tuple(":/?#[]@")
_CACHED: Final = 1_024


def check_name(name: str, where: str | None = None) -> str:
    """A name of a type or attribute as 4.6.2 of the standard has it, with or without prefix, or an IRI."""
    if len(name) > MAX_NAME_LENGTH or not (_NAME.fullmatch(name) or _IRI.fullmatch(name)):
        raise InvalidInput(
            f"{name[:80]!r} cannot name a type or an attribute",
            where=where,
            remedy="Begin with a letter and go on with letters, digits and _, or write a whole IRI.",
        )
    return name


class Vocabulary:
    """An active @context: immutable, and cached by whoever compiles it."""

    def __init__(
        self,
        terms: Mapping[str, str | None] | None = None,
        vocabulary: str = DEFAULT_VOCABULARY,
        reference: Any = CORE_CONTEXT_URI,
        prefixes: Mapping[str, str] | None = None,
        uri: str | None = CORE_CONTEXT_URI,
    ) -> None:
        """
        terms:      the request's own terms, expanded; None for one that is declared to mean nothing.
        vocabulary: what an unknown name is appended to.
        reference:  the @context to show in an answer.
        prefixes:   those of the terms that may stand before a suffix.
        uri:        under which this @context is kept here, if it is.
        """
        self.reference = reference
        self.uri = uri
        self._terms: dict[str, str | None] = {**(terms or {}), **CORE_TERMS}
        self._vocabulary = vocabulary
        self._prefixes = {**(prefixes or {}), **PREFIXES}
        self._names = _shortest_names(terms or {}) | BY_IRI
        self.expand = lru_cache(maxsize=4_096)(self._expand)
        self.compact = lru_cache(maxsize=4_096)(self._compact)

    def name(self, name: str, where: str | None = None) -> str:
        """`expand`, after a check that this can be a name. Raises InvalidInput."""
        return self.expand(check_name(name, where))

    def _expand(self, name: str) -> str:
        """The IRI of a name; an IRI passes unchanged."""
        if name in self._terms:
            return self._terms[name] or DEFAULT_VOCABULARY + name
        prefix, colon, rest = name.partition(":")
        stem = self._prefixes.get(prefix) or self._terms.get(prefix)
        if colon and stem and not rest.startswith("//"):
            return stem + rest
        return name if is_iri(name) else self._vocabulary + name

    def _compact(self, iri: str) -> str:
        """The shortest name of an IRI here; the IRI itself where it has none."""
        known = self._names.get(iri)
        if known is not None:
            return known
        if iri.startswith(self._vocabulary):
            name = iri[len(self._vocabulary) :]
            if name and name not in self._terms and ":" not in name:
                return name
        return shorten(iri, self._prefixes)


def _shortest_names(terms: Mapping[str, str | None]) -> dict[str, str]:
    """Names by IRI; of several the shortest, then the first by letter."""
    names: dict[str, str] = {}
    for name, iri in sorted(terms.items(), key=lambda item: (len(item[0]), item[0])):
        if iri is not None:
            names.setdefault(iri, name)
    return names


CORE: Final = Vocabulary()
"""The core @context alone."""


class Library:
    """The @contexts that are kept here, by URI, and the vocabularies compiled from what requests bring."""

    def __init__(self, documents: Mapping[str, Any] | None = None) -> None:
        """documents: @context documents (`{"@context": …}`) by URI, besides the core's; more may be put there later."""
        self._documents: Mapping[str, Any] = {} if documents is None else documents
        self._compiled: dict[bytes, Vocabulary] = {}

    def vocabulary(self, context: Any) -> Vocabulary:
        """Compile what stands in `@context`. Raises ContextNotAvailable, InvalidInput, TooLarge."""
        if isinstance(context, str) and CORE_CONTEXT_PATTERN.fullmatch(context):
            return CORE
        key = msgspec.json.encode(context)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compile(context)
            if len(self._compiled) >= _CACHED:
                self._compiled.clear()
            self._compiled[key] = compiled
        return compiled

    def missing(self, context: Any) -> list[str]:
        """URIs of the documents that would have to be here too, as far as can be seen from those that are."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [context]
        while waiting:
            part = waiting.pop()
            if isinstance(part, list):
                waiting.extend(part)
            elif isinstance(part, str) and part not in seen and not CORE_CONTEXT_PATTERN.fullmatch(part):
                seen.add(part)
                document = self._documents.get(part)
                if document is None:
                    found[part] = None
                elif isinstance(document, dict):
                    waiting.append(document.get("@context"))
        return list(found)

    def _compile(self, context: Any) -> Vocabulary:
        parts: list[dict[str, Any]] = []
        self._gather(context, parts, ())
        if not parts:
            return CORE
        merged = {term: meaning for part in parts for term, meaning in part.items()}
        if len(merged) > MAX_CONTEXT_TERMS:
            raise TooLarge(f"an @context has at most {MAX_CONTEXT_TERMS} terms", where="@context")
        vocabulary = merged.get("@vocab")
        if vocabulary is None:
            vocabulary = DEFAULT_VOCABULARY
        elif not isinstance(vocabulary, str) or not is_iri(vocabulary):
            raise InvalidInput("@vocab is not an IRI", where="@context")
        terms, prefixes = _Definitions(merged, vocabulary).resolve()
        uri = context if isinstance(context, str) else None
        return Vocabulary(terms, vocabulary, context, prefixes, uri)

    def _gather(self, context: Any, parts: list[dict[str, Any]], within: tuple[str, ...]) -> None:
        """The objects of an @context in order, URIs replaced by what they stand for."""
        if len(parts) > MAX_CONTEXT_PARTS or len(within) > MAX_CONTEXT_PARTS:
            raise TooLarge(f"an @context has at most {MAX_CONTEXT_PARTS} parts", where="@context")
        for part in context if isinstance(context, list) else [context]:
            if isinstance(part, dict):
                parts.append(part)
            elif isinstance(part, str):
                if CORE_CONTEXT_PATTERN.fullmatch(part):
                    continue
                if part in within:
                    raise InvalidInput("this @context contains itself", where=part)
                self._gather(self._document(part), parts, (*within, part))
            else:
                raise InvalidInput("an @context is a URI, an object, or a list of them", where="@context")

    def _document(self, uri: str) -> Any:
        document = self._documents.get(uri)
        if document is None and not is_iri(uri):
            raise InvalidInput(f"{uri[:200]!r} is not a URI", where="@context")
        if document is None:
            raise ContextNotAvailable(
                f"the @context {uri[:200]} is not kept here, and nothing is fetched from elsewhere",
                where="@context",
                remedy="Send its terms as an object in the body's @context (Content-Type: application/ld+json).",
            )
        if not isinstance(document, dict) or "@context" not in document:
            raise InvalidInput("the document has no @context", where=uri[:200])
        return document["@context"]


def check_shape(context: Any) -> None:
    """Whether this can stand as an @context: a URI, an object, or a list of them. Raises InvalidInput, TooLarge."""
    parts = context if isinstance(context, list) else [context]
    if not all(isinstance(part, (str, dict)) for part in parts):
        raise InvalidInput("an @context is a URI, an object, or a list of them", where="@context")
    if len(parts) > MAX_CONTEXT_PARTS:
        raise TooLarge(f"an @context has at most {MAX_CONTEXT_PARTS} parts", where="@context")


class _Definitions:
    """Term definitions of one merged @context on their way to IRIs: a term may lean on another as its prefix."""

    def __init__(self, merged: Mapping[str, Any], vocabulary: str) -> None:
        self._merged = merged
        self._vocabulary = vocabulary
        self._terms: dict[str, str | None] = {}
        self._prefixes: dict[str, str] = {}

    def resolve(self) -> tuple[dict[str, str | None], dict[str, str]]:
        """Terms with their IRIs, and those of them that are prefixes."""
        for term in self._merged:
            if not term.startswith("@") and term not in _KEYWORDS and term not in CORE_TERMS and term not in PREFIXES:
                self._define(term, ())
            elif term.startswith("@") and term not in _IGNORED and term not in ("@vocab", "@id", "@type"):
                raise InvalidInput(f"{term} is not understood in an @context here", where="@context")
        return {term: iri for term, iri in self._terms.items() if iri not in ("@id", "@type")}, self._prefixes

    def _define(self, term: str, leaning: tuple[str, ...]) -> str | None:
        if term in self._terms:
            return self._terms[term]
        if term in leaning or len(leaning) > MAX_CONTEXT_PARTS:
            raise InvalidInput(f"the term {term[:80]!r} is defined by itself, or by too many others", where="@context")
        meaning = self._merged[term]
        is_plain = isinstance(meaning, str)
        if isinstance(meaning, dict):
            if "@context" in meaning:
                raise InvalidInput(f"the term {term[:80]!r} has an @context of its own", where="@context")
            is_prefix = meaning.get("@prefix") is True
            meaning = meaning.get("@id", term)
        else:
            is_prefix = False
        if meaning is None:
            iri = None
        elif isinstance(meaning, str):
            iri = self._iri(term, meaning, (*leaning, term))
        else:
            raise InvalidInput(f"the term {term[:80]!r} does not stand for an IRI", where="@context")
        self._terms[term] = iri
        if iri is not None and (is_prefix or (is_plain and iri.endswith(_PREFIX_END))):
            self._prefixes[term] = iri
        return iri

    def _iri(self, term: str, meaning: str, leaning: tuple[str, ...]) -> str:
        if meaning in ("@id", "@type"):
            return meaning
        if meaning in CORE_TERMS:
            return CORE_TERMS[meaning]
        prefix, colon, rest = meaning.partition(":")
        if colon and not rest.startswith("//"):
            stem = PREFIXES.get(prefix) or (self._define(prefix, leaning) if prefix in self._merged else None)
            if stem is not None:
                return stem + rest
        if is_iri(meaning):
            return meaning
        if meaning != term and meaning in self._merged and not meaning.startswith("@"):
            return self._define(meaning, leaning) or self._vocabulary + meaning
        return self._vocabulary + meaning
