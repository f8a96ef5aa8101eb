"""Entities as notifications show them (5.3.1 and 5.8.6 of the standard): as they are by now, what was deleted as
NGSI-LD Null, and, where a subscription asks for it, what changed beside what it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from broadstreet.context import Form, Presentation
from broadstreet.context.fragment import NULL
from broadstreet.context.linking import Identity, LinkedPresentation
from broadstreet.context.representation import AttributeRow, EntityRow
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.entity import Kind

_NULLS: Final = {
    Kind.LANGUAGE_PROPERTY: msgspec.json.encode({"@none": NULL}).decode(),
    Kind.LIST_PROPERTY: msgspec.json.encode([NULL]).decode(),
    Kind.LIST_RELATIONSHIP: msgspec.json.encode([NULL]).decode(),
}
_NULL: Final = msgspec.json.encode(NULL).decode()
_decode: Final = msgspec.json.Decoder().decode


def null_of(row: AttributeRow) -> AttributeRow:
    """An attribute instance that is no more."""
    return msgspec.structs.replace(row, number=None, value=_NULLS.get(row.kind, _NULL), meta={}, observed_at_us=None)


@dataclass(frozen=True)
class NotifiedPresentation(LinkedPresentation):
    """Shows one entity right after an event.

    before: instances as they were, where that is to be shown. gone: those that were deleted. deleted_at_us: when.
    """

    before: Mapping[Identity, AttributeRow] = field(default_factory=dict)
    gone: frozenset[Identity] = frozenset()
    deleted_at_us: int = 0

    @classmethod
    def like(cls, presentation: Presentation, **changes: Any) -> NotifiedPresentation:
        """As `presentation` shows entities, with what is to be shown of an event."""
        return cls(
            presentation.vocabulary,
            presentation.form,
            presentation.projection,
            presentation.with_times,
            presentation.languages,
            **changes,
        )

    def attribute(self, row: AttributeRow) -> Any:
        """An attribute instance, with what it was before."""
        body = super().attribute(row)
        if self.form is Form.SIMPLIFIED:
            return body
        identity = (row.name, row.dataset_id)
        before = self.before.get(identity)
        is_gone = identity in self.gone and self.with_times
        if before is None and not is_gone:
            return body
        if not isinstance(body, dict) or row.kind.value_key not in body:
            body = {row.kind.value_key: body}  # concise, and no longer alone
        if before is not None:
            body[_previous(row.kind)] = self._before(before)
        if is_gone:
            body["deletedAt"] = format_rfc3339(self.deleted_at_us)
        return body

    def _before(self, row: AttributeRow) -> Any:
        """A value as it was; of a LanguageProperty in all languages."""
        if row.kind is Kind.LANGUAGE_PROPERTY:
            return _decode(row.value or "{}")
        return self._value(row)[0]

    def deleted(self, row: EntityRow) -> dict[str, Any]:
        """An entity that is no more, with what was told of its attributes."""
        return {**self.entity(row), "deletedAt": format_rfc3339(self.deleted_at_us)}


def _previous(kind: Kind) -> str:
    key = kind.value_key
    return f"previous{key[0].upper()}{key[1:]}"
