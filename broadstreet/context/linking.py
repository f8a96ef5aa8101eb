"""Linked entity retrieval (4.5.23 of the standard): entities with those that their relationships lead to.

All targets of a level are read together, by the reader that read the entities themselves: what its principal may not
see is not joined in, and stays a URI like one that leads nowhere. No way goes through an entity twice, so that circles
end. objectType needs no look: an id names one entity here, whatever its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import msgspec

from broadstreet.context.bounds import MAX_LINKED
from broadstreet.context.reading import Reader
from broadstreet.context.representation import AttributeRow, EntityRow, Form, Presentation, Projection
from broadstreet.model.entity import Kind
from broadstreet.model.errors import TooMany

_RELATIONSHIPS: Final = frozenset({Kind.RELATIONSHIP, Kind.LIST_RELATIONSHIP})
_decode: Final = msgspec.json.Decoder(str | list[str]).decode

Identity = tuple[str, str]
"""An attribute instance within its entity: name and datasetId."""


class JoinForm(Enum):
    """Where linked entities stand in an answer."""

    INLINE = "inline"
    """In the relationships that lead to them."""
    FLAT = "flat"
    """Behind the entities that link to them, each once."""


@dataclass(frozen=True)
class Join:
    """What is joined in. contained_by: ids of entities that whoever asks has already, and that are not joined in."""

    form: JoinForm
    levels: int = 1
    contained_by: frozenset[str] = frozenset()


@dataclass(eq=False)
class Linked:
    """An entity in its place, with what stands behind its relationships there: linked entities, or ids of others."""

    row: EntityRow
    projection: Projection
    passed: frozenset[str]
    """Ids that are not joined in below: those on the way here, its own among them."""
    links: dict[Identity, list[Linked | str]] = field(default_factory=dict)

    def relationships(self) -> Iterator[tuple[AttributeRow, list[str]]]:
        """Its shown relationships with the ids they lead to."""
        for one in self.row.attributes:
            is_link = one.kind in _RELATIONSHIPS and one.value is not None
            if is_link and self.projection.shows(one.name, one.dataset_id):
                value = _decode(one.value or "[]")
                yield one, [value] if isinstance(value, str) else value


class Linker:
    """Joins linked entities to those that were found. Make one an answer."""

    def __init__(self, reader: Reader, join: Join, *, with_times: bool = False) -> None:
        """with_times: whether attributes' createdAt and modifiedAt are wanted."""
        self._reader = reader
        self._join = join
        self._with_times = with_times
        self._known: dict[str, EntityRow | None] = {}
        self._met: set[tuple[str, int]] = set()
        self._joined = 0

    async def link(self, rows: Sequence[EntityRow], projection: Projection) -> list[Linked]:
        """What the answer is made of: the entities, and behind them those that are joined in flat.

        Raises TooMany over MAX_LINKED linked entities.
        """
        found = [Linked(row, projection, self._join.contained_by | {row.id}) for row in rows]
        self._known = {row.id: row for row in rows}
        self._met = {(row.id, id(projection)) for row in rows}
        level, behind = found, list[Linked]()
        for _ in range(self._join.levels):
            await self._read(level)
            level = [child for one in level for child in self._follow(one)]
            behind += level
        return found if self._join.form is JoinForm.INLINE else found + behind

    async def _read(self, level: Sequence[Linked]) -> None:
        """Know all that a level leads to."""
        wanted = {target for one in level for _, targets in one.relationships() for target in targets} - {
            *self._known,
            *self._join.contained_by,
        }
        if wanted:
            self._count(len(wanted) + self._joined)
            rows = await self._reader.named(sorted(wanted), with_times=self._with_times)
            self._known |= {**dict.fromkeys(wanted), **{row.id: row for row in rows}}

    def _follow(self, linking: Linked) -> list[Linked]:
        """Put what an entity's relationships lead to behind them; what is to be followed further."""
        children: list[Linked] = []
        for one, targets in linking.relationships():
            projection = linking.projection.behind(one.name)
            places: list[Linked | str] = []
            for target in targets:
                row = None if target in linking.passed else self._known.get(target)
                if row is None or (self._join.form is JoinForm.FLAT and (target, id(projection)) in self._met):
                    places.append(target)
                    continue
                self._met.add((target, id(projection)))
                self._joined += 1
                self._count(self._joined)
                child = Linked(row, projection, linking.passed | {target})
                places.append(child)
                children.append(child)
            linking.links[one.name, one.dataset_id] = places
        return children

    def _count(self, linked: int) -> None:
        if linked > MAX_LINKED:
            raise TooMany(
                f"more than {MAX_LINKED:,} entities would be joined into one answer",
                where="join",
                remedy="Ask for a smaller page or a lower joinLevel, or pick fewer relationships.",
            )


@dataclass(frozen=True)
class LinkedPresentation(Presentation):
    """Shows one entity in its place, with what is joined into it."""

    links: Mapping[Identity, Sequence[Linked | str]] = field(default_factory=dict)

    @classmethod
    def of(cls, presentation: Presentation, linked: Linked, join: Join) -> LinkedPresentation:
        """As `presentation` shows entities, but this one with its own projection and links."""
        return cls(
            presentation.vocabulary,
            presentation.form,
            linked.projection,
            presentation.with_times,
            presentation.languages,
            linked.links if join.form is JoinForm.INLINE else {},
        )

    def attribute(self, row: AttributeRow) -> Any:
        """An attribute instance, with the entities that it leads to."""
        body = super().attribute(row)
        places = self.links.get((row.name, row.dataset_id))
        if places is None:
            return body
        shown = [self._place(one) for one in places]
        entities = [one for one in shown if isinstance(one, dict)]
        is_list = (row.value or "").startswith("[")
        if not entities:
            return body
        if self.form is Form.SIMPLIFIED:
            return shown if is_list else shown[0]
        return {**body, "entityList": entities} if is_list else {**body, "entity": entities[0]}

    def _place(self, linked: Linked | str) -> dict[str, Any] | str:
        """A linked entity, or the id of what is not joined in, or of which nothing would be shown."""
        if isinstance(linked, str):
            return linked
        return self._behind(linked).entity(linked.row) or linked.row.id

    def _behind(self, linked: Linked) -> LinkedPresentation:
        return LinkedPresentation(
            self.vocabulary, self.form, linked.projection, self.with_times, self.languages, linked.links
        )


def present(presentation: Presentation, found: Sequence[Linked], join: Join) -> list[tuple[EntityRow, dict[str, Any]]]:
    """Entities with what is shown of each, in order; one that stands in several places of a flat answer is shown once,
    with all that they ask for."""
    shown: dict[str, tuple[EntityRow, dict[str, Any]]] = {}
    for one in found:
        entity = LinkedPresentation.of(presentation, one, join).entity(one.row)
        before = shown.get(one.row.id)
        shown[one.row.id] = (one.row, entity if before is None else {**before[1], **entity})
    return [(row, entity) for row, entity in shown.values() if entity]
