"""Entities as JSON text, straight from the columns they were read as.

What all attributes of one name, kind and sub-attributes have in common is written once and remembered, as a mould, so
that an attribute costs a look-up and putting texts together. What asks for more than whole entities (parts of them,
times of the system, one language) is made by `Presentation`, attribute by attribute; both say the same.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Final, NamedTuple

import msgspec

from broadstreet.context.reading import Columns, number_of
from broadstreet.context.representation import AttributeRow, EntityRow, Form, Presentation, Projection
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.entity import Kind
from broadstreet.store.database import POSTGRES_EPOCH_US

MAX_MOULDS: Final = 20_000
"""Of one @context and form; then they are made anew."""
MAX_RENDERINGS: Final = 64
"""@contexts and forms that are remembered of a tenant."""
_WHOLE: Final = Projection()
_HOLE: Final = '"\uf8ff"'
_KINDS: Final = {int(kind): kind for kind in Kind}
# Kinds whose value is shown otherwise than it is kept.
_LOOKED_INTO: Final = frozenset({Kind.VOCAB_PROPERTY, Kind.LIST_RELATIONSHIP})
_FORMS: Final = frozenset({Form.NORMALIZED, Form.SIMPLIFIED})
_numbers: Final = count(1)
_encode: Final = msgspec.json.Encoder().encode


class Mould(NamedTuple):
    """What stands before the value and behind it; behind the time, where the form shows it; whether the value must be
    looked into, since it is not shown as it is kept."""

    before: str
    behind: str
    ending: str
    is_looked_into: bool


class Rendering:
    """Writes whole entities in one form, under one @context, of one tenant."""

    def __init__(self, presentation: Presentation) -> None:
        self.presentation = presentation
        self.number = next(_numbers)
        """No other rendering of this process has it."""
        self._shows_time = presentation.form is Form.NORMALIZED
        self._moulds: dict[tuple[int, int, int | None], Mould] = {}

    def entity(self, row: EntityRow) -> str:
        """An entity as a JSON object."""
        columns = row.columns
        if not isinstance(columns, Columns) or not columns.is_plain:
            return _encode(self.presentation.entity(row)).decode()
        head: str = _encode(self.presentation.header(row)).decode()
        parts = [head[:-1]]
        moulds = self._moulds
        for key in zip(
            columns.term_keys, columns.kinds, columns.meta_keys, columns.values, columns.observed, strict=True
        ):
            term_key, kind, meta_key, value, observed = key
            mould = moulds.get((term_key, kind, meta_key)) or self._mould(columns, term_key, kind, meta_key)
            before, behind, ending, is_looked_into = mould
            if value is None:
                value = "null"
            elif is_looked_into or "e+1" in value:
                value = self._looked_into(_KINDS[kind], value)
            if observed is None or not ending:
                parts.append(f"{before}{value}{behind}{ending}")
            else:
                at = format_rfc3339(observed + POSTGRES_EPOCH_US)
                parts.append(f'{before}{value}{behind},"observedAt":"{at}"{ending}')
        return ",".join(parts) + "}"

    def _mould(self, columns: Columns, term_key: int, kind_key: int, meta_key: int | None) -> Mould:
        if len(self._moulds) >= MAX_MOULDS:
            self._moulds.clear()
        kind, name = _KINDS[kind_key], columns.name(term_key)
        empty: Any = _HOLE
        if kind in _LOOKED_INTO:
            empty = "[]"
        shown = self.presentation.attribute(
            AttributeRow(name, "", kind, None, empty, columns.meta(meta_key), None, 0, 0)
        )
        text = _encode(shown).decode()
        before, _, behind = text.partition(empty)
        ending = "}" if self._shows_time else ""
        before = f"{_encode(self.presentation.vocabulary.compact(name)).decode()}:{before}"
        mould = Mould(before, behind.removesuffix(ending), ending, kind in _LOOKED_INTO)
        self._moulds[term_key, kind_key, meta_key] = mould
        return mould

    def _looked_into(self, kind: Kind, value: str) -> str:
        """A value as it is shown, which is not as it is kept."""
        number = number_of(kind, value)
        shown = self.presentation.value(AttributeRow("", "", kind, number, value, {}, None, 0, 0))
        return _encode(shown).decode()


class Renderings:
    """What is remembered of one tenant's moulds."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Form], Rendering] = {}

    def of(self, presentation: Presentation) -> Rendering | None:
        """How to write entities so; None where that takes more than moulds."""
        is_whole = presentation.projection == _WHOLE
        if not is_whole or presentation.with_times or presentation.languages or presentation.form not in _FORMS:
            return None
        key = id(presentation.vocabulary), presentation.form
        known = self._known.get(key)
        if known is None or known.presentation.vocabulary is not presentation.vocabulary:
            if len(self._known) >= MAX_RENDERINGS:
                self._known.clear()
            known = self._known[key] = Rendering(presentation)
        return known
