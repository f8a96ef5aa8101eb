"""Entities over time on their way out: instances, bare values with their times, or aggregates (4.5.7 to 4.5.9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from broadstreet.context.evolution import Evolution, SeriesInstances, SeriesSummary
from broadstreet.context.instances import TimeProperty
from broadstreet.context.representation import Form, Presentation
from broadstreet.context.traces import Scoped
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
    time: TimeProperty = TimeProperty.OBSERVED

    def entity(self, evolution: Evolution) -> dict[str, Any]:
        """An entity's evolution as a JSON object."""
        shown = self.presentation.header(evolution.entity)
        compact = self.presentation.vocabulary.compact
        if self.form is TemporalForm.AGGREGATES:
            for summary in evolution.summaries:
                _add(shown, compact(summary.name), _aggregates(summary))
            return shown
        if evolution.scopes:
            shown["scope"] = self._scopes(evolution.scopes)
        for one in evolution.series:
            name = compact(one.name)
            if self.form is TemporalForm.VALUES:
                _add(shown, name, self._values(one))
            else:
                shown.setdefault(name, []).extend(self.presentation.attribute(row) for row in one.rows)
        return shown

    def _scopes(self, scopes: list[Scoped]) -> Any:
        if self.form is TemporalForm.VALUES:
            pairs = [[_scope(one), format_rfc3339(one.time(self.time))] for one in scopes]
            return {"type": Kind.PROPERTY.type_name, "values": pairs}
        found = []
        for one in scopes:
            body: dict[str, Any] = {"type": Kind.PROPERTY.type_name, "value": _scope(one)}
            body["observedAt" if one.scopes else "deletedAt"] = format_rfc3339(one.observed_at_us)
            if self.presentation.with_times:
                body["createdAt"] = body["modifiedAt"] = format_rfc3339(one.recorded_at_us)
            found.append(body)
        return found

    def _values(self, series: SeriesInstances) -> dict[str, Any]:
        simplified = replace(self.presentation, form=Form.SIMPLIFIED)
        pairs = [[simplified.attribute(row), format_rfc3339(self.time.of(row))] for row in series.rows]
        body: dict[str, Any] = {"type": series.kind.type_name, _SEVERAL[series.kind]: pairs}
        if series.dataset_id:
            body["datasetId"] = series.dataset_id
        return body


def _scope(scoped: Scoped) -> str | list[str]:
    return scoped.scopes[0] if len(scoped.scopes) == 1 else scoped.scopes


def _aggregates(summary: SeriesSummary) -> dict[str, Any]:
    body: dict[str, Any] = {"type": summary.kind.type_name}
    methods = list(summary.periods[0].values)
    told: list[list[tuple[Any, str, str]]] = [[] for _ in methods]
    to_us, end = None, ""
    for period in summary.periods:
        # Where one ends the next begins, as a rule.
        start = end if period.from_us == to_us else format_rfc3339(period.from_us)
        to_us, end = period.to_us, format_rfc3339(period.to_us)
        for values, value in zip(told, period.values.values(), strict=True):
            if value is not None:
                values.append((value, start, end))
    body.update((method.value, values) for method, values in zip(methods, told, strict=True) if values)
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
