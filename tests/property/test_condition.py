"""A q in hand (context/condition.py) answers as the database does: entities and questions by chance, asked of both.

What is compared is what the notifier does: its own way of reading entities, the condition where there is one, and the
query that the same q makes of the same database.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from broadstreet.access import Principal
from broadstreet.context import CORE, Broker, EntityRow, Selection, Selector, parse_entity, parse_query
from broadstreet.context.condition import Needs, compared_values, condition_of, needs_of
from broadstreet.context.expression import One
from broadstreet.context.search import Search
from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.model.errors import InvalidQuery
from broadstreet.notifier.state import States
from broadstreet.store import Store
from tests.conftest import Databases

ANN = Principal.account("ann", "Ann", "city", ["engineer"])
T0_US = 1_767_225_600_000_000
ENTITIES = 80
QUERIES = 160
NAMES = ("a", "b", "c")
SUBS = ("s", "t")
KEYS = ("k", "l", "0")
LANGUAGES = ("fi", "en", "@none")
NUMBERS = (0, 1, -1, 2, 2.5, -0.0, 1e-9, 1e300, -1e300, 2**53, 2**53 + 1, -(2**53) - 1, 1e25, 2**64 - 1, 0.1, 3)
TEXTS = ("", "x", "X", "xy", "é", "1", "true", "2026-01-01T00:00:00Z", "urn:x:1", "a b", '"', "ä𝄞", "\u007f")


class Chance(random.Random):
    """Makes entities and questions."""

    def scalar(self) -> Any:
        return self.choice([self.choice(NUMBERS), self.choice(NUMBERS), self.choice(TEXTS), self.random() < 0.5])

    def json(self, depth: int = 0) -> Any:
        """A JSON value; null alone is none."""
        which = self.random()
        if depth > 2 or which < 0.5:
            return self.scalar() if depth == 0 or self.random() < 0.9 else None
        if which < 0.75:
            return [self.json(depth + 1) for _ in range(self.randrange(1 if depth == 0 else 0, 4))]
        return {key: self.json(depth + 1) for key in KEYS if self.random() < 0.6} | {"k": self.json(depth + 1)}

    def uri(self) -> str:
        return f"urn:x:{self.randrange(3)}"

    def attribute(self, depth: int = 0) -> dict[str, Any]:
        """One instance, of any kind."""
        forms: list[dict[str, Any]] = [
            {"type": "Property", "value": self.scalar()},
            {"type": "Property", "value": self.json()},
            {"type": "Relationship", "object": self.uri()},
            {"type": "ListRelationship", "objectList": [{"object": self.uri()} for _ in range(2)]},
            {"type": "LanguageProperty", "languageMap": {one: self.choice(TEXTS[1:]) for one in LANGUAGES}},
            {"type": "JsonProperty", "json": {"k": self.json(), "l": self.json(1)}},
            {"type": "VocabProperty", "vocab": self.choice(["x", "y"])},
            {"type": "ListProperty", "valueList": [self.scalar() for _ in range(self.randrange(1, 3))]},
        ]
        made = self.choice(forms)
        if self.random() < 0.4:
            made["observedAt"] = self.moment()
        if made["type"] == "Property" and self.random() < 0.3:
            made["unitCode"] = self.choice(["CEL", "x", "1"])
        if depth < 2:
            made |= {name: self.attribute(depth + 1) for name in SUBS if self.random() < 0.3}
        return made

    def entity(self, number: int) -> dict[str, Any]:
        """Some attributes, some of them in several instances."""
        made: dict[str, Any] = {"id": f"urn:x:entity:{number}", "type": "Thing"}
        for name in NAMES:
            if self.random() < 0.75:
                made[name] = self.attribute()
                if self.random() < 0.2:
                    made[name] = [made[name], {**self.attribute(), "datasetId": "urn:x:other"}]
        return made

    def moment(self) -> str:
        return format_rfc3339(T0_US + self.randrange(3) * US_PER_S)

    def value(self) -> str:
        """An operand, or several, as q has them."""
        one = self.scalar()
        return msgspec.json.encode(one).decode()

    def path(self) -> str:
        path = self.choice(NAMES)
        if self.random() < 0.3:
            path += "." + self.choice([*SUBS, "unitCode", "observedAt", "s.t"])
        if self.random() < 0.3:
            path += f"[{self.choice([*KEYS, *LANGUAGES, '*', 'k.l', 'k.*', 'k.k'])}]"
        return path

    def term(self) -> str:
        which = self.random()
        if which < 0.15:
            return self.path()
        if which < 0.2:
            return "!" + self.path()
        if which < 0.35:
            sign = self.choice(["==", "!=", "<", "<=", ">", ">="])
            return f"{self.choice(NAMES)}.{self.choice(['observedAt', 'createdAt', 'modifiedAt'])}{sign}{self.moment()}"
        sign = self.choice(["==", "!=", "==", "!=", "<", "<=", ">", ">="])
        if sign in ("==", "!=") and self.random() < 0.4:
            if self.random() < 0.5:
                return f"{self.path()}{sign}{','.join(self.value() for _ in range(3))}"
            low, high = (
                (self.choice(NUMBERS), self.choice(NUMBERS)) if self.random() < 0.6 else self.choices(TEXTS, k=2)
            )
            low, high = (msgspec.json.encode(one).decode() for one in (low, high))
            return f"{self.path()}{sign}{low}..{high}"
        return f"{self.path()}{sign}{self.value()}"

    def query(self) -> str:
        text = self.term()
        while self.random() < 0.35:
            text = f"({text}){self.choice(';|')}{self.term()}"
        return text


@dataclass
class Kept:
    """Entities as the notifier reads them, and how to ask the database of them."""

    rows: dict[str, EntityRow]
    keys: dict[int, str]
    search: Search

    async def found(self, text: str) -> set[str]:
        """The ids of those of which the database says that a q holds."""
        selection = Selection(
            selectors=(Selector(types=One(CORE.expand("Thing"))),),
            query=parse_query(text),
            vocabulary=CORE,
            limit=1_000,
        )
        return {self.keys[key] for key in (await self.search.page(selection)).keys}


@pytest.fixture(scope="module")
async def kept(databases: Databases) -> AsyncIterator[Kept]:
    chance = Chance(1854)
    async with databases.with_tenants("city") as dsn, await Store.connect(dsn) as store:
        broker = Broker(store)
        for number in range(ENTITIES):
            at_us = T0_US + number % 3 * US_PER_S
            await broker.create(ANN, at_us, parse_entity(chance.entity(number), CORE))
        database = await store.tenant("city")
        keys = {row["key"]: row["id"] for row in await database.fetch("SELECT key, id FROM entity")}
        states = await States(database, store.terms(database)).read(keys)
        rows = {}
        for key, state in states.items():
            state.entity.attributes = [held.row for held in state.held.values()]
            rows[keys[key]] = state.entity
        yield Kept(rows, keys, Search(database, store.terms(database)))


@pytest.mark.parametrize("seed", range(3))
async def test_a_question_in_hand_is_answered_as_the_database_does(kept: Kept, seed: int) -> None:
    chance = Chance(seed)
    compared = some = 0
    for _ in range(QUERIES):
        text = chance.query()
        try:
            query = parse_query(text)
            condition = condition_of(query, CORE)
        except InvalidQuery:
            with pytest.raises(InvalidQuery):
                await kept.found(text)
            continue
        if condition is None:
            continue
        said = {entity_id for entity_id, row in kept.rows.items() if condition(row)}
        found = await kept.found(text)
        wrong = {entity_id: kept.rows[entity_id].attributes for entity_id in said ^ found}
        assert said == found, f"{text} holds here of {said - found}, there of {found - said}: {wrong}"
        needs = needs_of(query, CORE)
        assert needs is None or all(_is_met(needs, kept.rows[one]) for one in said), f"{text} does not need {needs}"
        compared += 1
        some += 0 < len(found) < ENTITIES
    assert compared > QUERIES * 0.6
    assert some > QUERIES * 0.3


def _is_met(needs: Needs, entity: EntityRow) -> bool:
    """Whether an entity has what a q needs: true is not 1."""
    values = [value for row in entity.attributes if row.name == needs.name for value in compared_values(row)]
    if needs.values:
        return any(isinstance(one, bool) is isinstance(of, bool) and one == of for one in values for of in needs.values)
    numbers = [one for one in values if isinstance(one, float) and not isinstance(one, bool)]
    return any(needs.low <= one <= needs.high for one in numbers)
