"""join, joinLevel and containedBy: linked entity retrieval as it is asked for and answered (4.5.23 of the standard)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from broadstreet.apis.ngsi_ld.asking import Wishes
from broadstreet.apis.ngsi_ld.exchange import GEO_JSON, Exchange
from broadstreet.apis.ngsi_ld.parameters import Parameters
from broadstreet.apis.services import Call
from broadstreet.context import EntityRow, Join, JoinForm, Presentation, present
from broadstreet.context.bounds import MAX_JOIN_LEVEL, MAX_NAMES
from broadstreet.model.errors import InvalidInput, TooMany
from broadstreet.model.identifiers import check_uri

JOINING: Final = ("join", "joinLevel", "containedBy")
"""Parameters that say which linked entities are joined in, and how."""
_FORMS: Final = {form.value: form for form in JoinForm}


class JoinWishes(Wishes, forbid_unknown_fields=True):
    """A query for entities as they are now, in a body, which may ask for those that they link to."""

    join: str | None = None
    joinLevel: int | None = None
    containedBy: list[str] | None = None


def join_of_parameters(parameters: Parameters) -> Join | None:
    """What is joined in; None: nothing. Raises InvalidInput, TooMany."""
    if all(name not in parameters for name in JOINING):
        return None
    level = parameters.integer("joinLevel", 1, MAX_JOIN_LEVEL) if "joinLevel" in parameters else None
    return _join(parameters.text("join"), level, parameters.names("containedBy"))


def join_of_wishes(wishes: JoinWishes) -> Join | None:
    """As `join_of_parameters`, of a body."""
    return _join(wishes.join, wishes.joinLevel, wishes.containedBy or [])


def levels_of(join: Join | None) -> int:
    """How many links are followed."""
    return 0 if join is None else join.levels


def _join(form: str | None, level: int | None, contained_by: Sequence[str]) -> Join | None:
    if form is None and (level is not None or contained_by):
        raise InvalidInput(
            "joinLevel and containedBy are for linked entities",
            where="joinLevel" if level is not None else "containedBy",
            remedy="Add join=inline or join=flat.",
        )
    if form is not None and form != "@none" and form not in _FORMS:
        raise InvalidInput(f"{form[:40]!r} is no way to join", where="join", remedy="Use inline, flat or @none.")
    if level is not None and not 1 <= level <= MAX_JOIN_LEVEL:
        raise InvalidInput(f"joinLevel is a whole number from 1 to {MAX_JOIN_LEVEL}", where="joinLevel")
    if len(contained_by) > MAX_NAMES:
        raise TooMany(f"containedBy holds at most {MAX_NAMES} ids", where="containedBy")
    ids = frozenset(check_uri(one, "containedBy") for one in contained_by)
    return None if form is None or form == "@none" else Join(_FORMS[form], level or 1, ids)


async def shown_of(
    call: Call,
    exchange: Exchange,
    presentation: Presentation,
    rows: Sequence[EntityRow],
    join: Join | None,
    geometry_property: str,
) -> list[dict[str, Any]]:
    """What an answer shows of these entities, and of those joined to them: features, where GeoJSON is asked for."""
    if join is None:
        if exchange.media_type == GEO_JSON:
            return [presentation.feature(row, geometry_property) for row in rows]
        return [entity for row in rows if (entity := presentation.entity(row))]
    found = await call.services.broker.link(
        call.principal, rows, presentation.projection, join, with_times=presentation.with_times
    )
    shown = present(presentation, found, join)
    if exchange.media_type == GEO_JSON:
        return [presentation.feature(row, geometry_property, entity) for row, entity in shown]
    return [entity for _, entity in shown]
