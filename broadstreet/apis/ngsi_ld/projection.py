"""Which members of entities are shown: attrs, pick, omit and datasetId become a `Projection` (4.21 of the standard)."""

from __future__ import annotations

from typing import Final

from broadstreet.apis.ngsi_ld.parameters import Parameters
from broadstreet.context import Members, Projection, Vocabulary, links_deep, parse_members, split_members
from broadstreet.context.vocabulary import check_name
from broadstreet.model.errors import InvalidInput
from broadstreet.model.identifiers import check_uri

MEMBERS: Final = frozenset({"id", "type", "scope", "createdAt", "modifiedAt"})
"""Members of an entity that are no attributes."""


def members_of(parameters: Parameters, name: str) -> list[str]:
    """The members that pick or omit lists, each as it was written. Raises InvalidInput, TooMany."""
    text = parameters.text(name)
    return split_members(text, name) if text is not None and "{" in text else parameters.names(name)


def plain_name(member: str) -> str:
    """A member without its braces."""
    return member.partition("{")[0].strip()


def checked(names: list[str] | None, where: str) -> list[str]:
    """Names of attributes. Raises InvalidInput."""
    for name in names or ():
        check_name(name, where)
        if name in ("id", "type"):
            raise InvalidInput(f"{name} is no attribute", where=where, remedy="Use pick.")
    return names or []


def projection_of(
    attrs: list[str] | None,
    pick: list[str] | None,
    omit: list[str] | None,
    dataset_ids: list[str] | None,
    vocabulary: Vocabulary,
    levels: int = 0,
) -> Projection:
    """levels: how many links are followed, 0 for none. Raises InvalidInput, TooMany."""
    if attrs and (pick or omit):
        raise InvalidInput("attrs does not go with pick or omit", where="attrs")
    whole = Projection(dataset_ids=frozenset(map(dataset_id_of, dataset_ids)) if dataset_ids else None)
    if attrs:
        attributes = frozenset(vocabulary.expand(name) for name in checked(attrs, "attrs"))
        return Projection(attributes, dataset_ids=whole.dataset_ids, beyond=whole)
    if not pick and not omit:
        return whole
    return _projection(_members(pick, "pick", levels), _members(omit, "omit", levels), whole, vocabulary)


def _members(texts: list[str] | None, where: str, levels: int) -> Members:
    """Members that stand behind no more links than are followed."""
    members: Members = {}
    if any("{" in text or "}" in text for text in texts or ()):
        if any(len(split_members(text, where)) > 1 for text in texts or ()):
            raise InvalidInput(f"each item of {where} is one member", where=where)
        members = parse_members(texts or (), where)
        if links_deep(members) > levels:
            raise InvalidInput(
                f"{where} names members behind {links_deep(members)} links, and {levels or 'none'} are followed",
                where=where,
                remedy="Ask for them with join and joinLevel.",
            )
    return members or {name: {} for name in texts or ()}


def _projection(pick: Members, omit: Members, whole: Projection, vocabulary: Vocabulary) -> Projection:
    out = {name for name, inner in omit.items() if not inner}
    if not out.isdisjoint(pick):
        raise InvalidInput("a member cannot be picked and omitted", where="omit")
    names = {name: vocabulary.expand(check_name(name, "pick")) for name in pick if name not in MEMBERS}
    names |= {name: vocabulary.expand(check_name(name, "omit")) for name in omit if name not in MEMBERS}
    for name in MEMBERS:
        if pick.get(name) or omit.get(name):
            raise InvalidInput(f"{name} leads to no entity", where="pick" if pick.get(name) else "omit")
    linked = {
        iri: _projection(pick.get(name, {}), omit.get(name, {}), whole, vocabulary)
        for name, iri in names.items()
        if pick.get(name) or omit.get(name)
    }
    return Projection(
        frozenset(names[name] for name in pick if name in names) if pick else None,
        MEMBERS.intersection(pick) if pick else None,
        frozenset(names.get(name, name) for name in out),
        whole.dataset_ids,
        linked,
        whole,
    )


def dataset_id_of(name: str) -> str:
    """A datasetId as it is kept, '' for the default instance, which requests call @none. Raises InvalidInput."""
    return "" if name == "@none" else check_uri(name, "datasetId")
