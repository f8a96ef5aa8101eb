"""Entities over time on their way out: instances, bare values with their times, or aggregates (4.5.7 to 4.5.9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from broadstreet.context.evolution import Evolution, SeriesSummary, TimeProperty
from broadstreet.context.representation import AttributeRow, Form, Presentation
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.entity import Kind

_SEVERAL: Final = {
    Kind.PROPERTY: "values",
    Kind.GEO_PROPERTY: "values",
    Kind.RELATIONSHIP: "objects",
    Kind.LANGUAGE_PROPERTY: "languageMaps",
    Kind.VOCAB_PROPERTY: "vocabs",
    Kind.JSON_PROPERTY: "jsons",
    Kind.LIST_PROPERTY: "valueLists",
    Kind.LIST_RELATIONSHIP: "objectLists",
}


class TemporalForm(Enum):
    """How an evolution is shown."""

    INSTANCES = "instances"
    VALUES = "temporalValues"
    AGGREGATES = "aggregatedValues"


@dataclass(frozen=True)
class TemporalPresentation:
    """How one answer shows evolutions."""

    presentation: Presentation
    form: TemporalForm = TemporalForm.INSTANCES
    property: TimeProperty = TimeProperty.OBSERVED

    def entity(self, evolution: Evolution) -> dict[str, Any]:
        """An entity's evolution as a JSON object."""
        shown = self.presentation.header(evolution.entity)
        compact = self.presentation.vocabulary.compact
        if self.form is TemporalForm.AGGREGATES:
            for summary in evolution.summaries:
                _add(shown, compact(summary.name), _aggregates(summary))
            return shown
        by_series: dict[tuple[str, str], list[AttributeRow]] = {}
        for row in evolution.entity.attributes:
            by_series.setdefault((row.name, row.dataset_id), []).append(row)
        for (name, dataset_id), rows in by_series.items():
            if self.form is TemporalForm.VALUES:
                _add(shown, compact(name), self._values(rows, dataset_id))
            else:
                shown.setdefault(compact(name), []).extend(self.presentation.attribute(row) for row in rows)
        return shown

    def _values(self, rows: list[AttributeRow], dataset_id: str) -> dict[str, Any]:
        simplified = replace(self.presentation, form=Form.SIMPLIFIED)
        kind = rows[0].kind
        pairs = [[simplified.attribute(row), format_rfc3339(self._time(row))] for row in rows]
        body: dict[str, Any] = {"type": kind.type_name, _SEVERAL[kind]: pairs}
        if dataset_id:
            body["datasetId"] = dataset_id
        return body

    def _time(self, row: AttributeRow) -> int:
        if self.property is TimeProperty.CREATED:
            return row.created_at_us
        if self.property is TimeProperty.MODIFIED:
            return row.modified_at_us
        assert row.observed_at_us is not None
        return row.observed_at_us


def _aggregates(summary: SeriesSummary) -> dict[str, Any]:
    body: dict[str, Any] = {"type": summary.kind.type_name}
    for period in summary.periods:
        ends = [format_rfc3339(period.from_us), format_rfc3339(period.to_us)]
        for method, value in period.values.items():
            if value is not None:
                body.setdefault(str(method), []).append([value, *ends])
    if summary.dataset_id:
        body["datasetId"] = summary.dataset_id
    return body


def _add(shown: dict[str, Any], name: str, body: dict[str, Any]) -> None:
    """Add one instance's series to its entity, beside others of its name."""
    held = shown.get(name)
    if held is None:
        shown[name] = body
    elif isinstance(held, list):
        held.append(body)
    else:
        shown[name] = [held, body]
