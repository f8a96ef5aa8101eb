"""How the notifications of a subscription show entities: a body for each moment of one (5.2.14 of the standard)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from broadstreet.context import CORE, Form, Join, JoinForm, Presentation, Projection, Vocabulary
from broadstreet.context.language import parse_languages
from broadstreet.context.linking import Identity, Linker, present
from broadstreet.context.reading import Reader
from broadstreet.context.representation import AttributeRow, EntityRow
from broadstreet.context.subscription import ENTITY_MEMBERS
from broadstreet.notifier.event import WENT
from broadstreet.notifier.presentation import NotifiedPresentation, null_of
from broadstreet.notifier.state import Moment

JSON: Final = "application/json"
LD_JSON: Final = "application/ld+json"
GEO_JSON: Final = "application/geo+json"
_FORMS: Final = {
    "normalized": Form.NORMALIZED,
    "concise": Form.CONCISE,
    "keyValues": Form.SIMPLIFIED,
    "simplified": Form.SIMPLIFIED,
}
_encode: Final = msgspec.json.Encoder().encode
_LOCATION: Final = CORE.expand("location")


@dataclass(frozen=True, eq=False)
class Look:
    """What a subscription's `notification` asks to be shown.

    context: the address of its @context. shows_changes: values as they were beside those they became.
    """

    presentation: Presentation
    media_type: str
    context: str
    join: Join | None = None
    shows_changes: bool = False

    @classmethod
    def of(cls, document: Mapping[str, Any], vocabulary: Vocabulary, context: str) -> Look:
        """From a subscription as it is kept."""
        asked = document["notification"]
        presentation = Presentation(
            vocabulary,
            _FORMS[asked.get("format", "normalized")],
            _projection(asked, document.get("datasetId")),
            asked.get("sysAttrs", False),
            parse_languages(document.get("lang", "")),
        )
        form = asked.get("join", "@none")
        join = None if form == "@none" else Join(JoinForm(form), asked.get("joinLevel", 1))
        media_type = asked["endpoint"].get("accept", JSON)
        return cls(presentation, media_type, context, join, asked.get("showChanges", False))

    @property
    def alike(self) -> object:
        """The same for looks that show the same."""
        one = self.presentation
        return (
            *(id(one.vocabulary), one.form, id(one.projection) if one.projection.linked else one.projection),
            *(one.with_times, one.languages, self.media_type, self.context, self.join, self.shows_changes),
        )

    @property
    def stands_alone(self) -> bool:
        """Whether its bodies hold more than one entity, so that none is put beside another."""
        return self.join is not None and self.join.form is JoinForm.FLAT

    def body(self, moment: Moment, told: frozenset[int]) -> str:
        """What is told of a moment, without linked entities. told: series of the deletions that are told of."""
        if not (moment.gone or self.shows_changes or moment.event.operation == WENT):
            return self.standing(moment.entity)
        gone = self._gone(moment, told)
        row, presentation = self._presented(moment, gone), self._notified(moment, gone)
        is_gone = moment.event.operation == WENT
        return self._encoded([(row, presentation.deleted(row) if is_gone else presentation.entity(row))])

    async def joined(self, moment: Moment, told: frozenset[int], reader: Reader) -> str:
        """The same with linked entities. Raises TooMany where they are too many."""
        assert self.join is not None
        if moment.event.operation == WENT:
            return self.body(moment, told)
        gone = self._gone(moment, told)
        row = self._presented(moment, gone)
        linker = Linker(reader, self.join, with_times=self.presentation.with_times)
        linked = await linker.link([row], self.presentation.projection)
        shown = present(self.presentation, linked, self.join)
        notified = self._notified(moment, gone)
        links = linked[0].links if self.join.form is JoinForm.INLINE else {}
        first = NotifiedPresentation.like(
            self.presentation,
            links=links,
            before=notified.before,
            gone=notified.gone,
            deleted_at_us=moment.event.at_us,
        )
        return self._encoded([(row, first.entity(row)), *((other, one) for other, one in shown if other is not row)])

    def standing(self, row: EntityRow) -> str:
        """An entity as it stands, of which nothing is told but that."""
        return self._encoded([(row, self.presentation.entity(row))])

    def _gone(self, moment: Moment, told: frozenset[int]) -> list[AttributeRow]:
        """The deletions that are told of. Where no instance of an attribute is left of several, one says so for all."""
        if self.shows_changes:
            return [null_of(row) for row in moment.gone.values()]
        rows = [row for key, row in moment.gone.items() if key in told]
        left = {row.name for row in moment.entity.attributes}
        several = Counter(row.name for row in rows)
        shown: dict[Identity, AttributeRow] = {}
        for row in rows:
            null = null_of(row)
            if several[row.name] > 1 and row.name not in left:
                null.dataset_id = ""
            shown[null.name, null.dataset_id] = null
        return list(shown.values())

    def _presented(self, moment: Moment, gone: Sequence[AttributeRow]) -> EntityRow:
        if not gone:
            return moment.entity
        return moment.entity.with_attributes([*moment.entity.attributes, *gone])

    def _notified(self, moment: Moment, gone: Sequence[AttributeRow]) -> NotifiedPresentation:
        before = {}
        if self.shows_changes:
            before = {(row.name, row.dataset_id): row for row in moment.previous()}
        return NotifiedPresentation.like(
            self.presentation,
            before=before,
            gone=frozenset((row.name, row.dataset_id) for row in gone),
            deleted_at_us=moment.event.at_us,
        )

    def _encoded(self, shown: Sequence[tuple[EntityRow, dict[str, Any]]]) -> str:
        """Entities as JSON, without the brackets of the list they will stand in."""
        if self.media_type == GEO_JSON:
            features = [self.presentation.feature(row, _LOCATION, one) for row, one in shown]
            return ",".join(_encode(feature).decode() for feature in features)
        if self.media_type == LD_JSON:
            return ",".join(_encode({**one, "@context": self.context}).decode() for _, one in shown)
        return ",".join(_encode(one).decode() for _, one in shown)


def _projection(asked: Mapping[str, Any], dataset_ids: Sequence[str] | None) -> Projection:
    datasets = None if dataset_ids is None else frozenset("" if one == "@none" else one for one in dataset_ids)
    if "attributes" in asked:
        return Projection(frozenset(asked["attributes"]), dataset_ids=datasets, beyond=Projection(dataset_ids=datasets))
    whole = Projection(dataset_ids=datasets)
    pick, omit = asked.get("pick"), asked.get("omit", ())
    if pick is None and not omit:
        return whole
    return Projection(
        None if pick is None else frozenset(pick) - ENTITY_MEMBERS,
        None if pick is None else frozenset(pick) & ENTITY_MEMBERS,
        frozenset(omit),
        datasets,
        beyond=whole,
    )
