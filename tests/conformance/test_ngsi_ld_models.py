"""Smart Data Models' examples: written under their subject's @context, given inline, and read back equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.model.identifiers import check_uri
from tests.absence import absent
from tests.conformance.conftest import Client
from tests.conftest import SHARED_DATA

FOLDER = SHARED_DATA / "smart-data-models"
EXAMPLES = sorted(path for path in FOLDER.glob("*.jsonld") if not path.name.startswith("context-"))
LD_JSON = "application/ld+json"


def inline(context: Any) -> dict[str, Any]:
    """The terms of the @contexts that an example names by URL."""
    terms: dict[str, Any] = {}
    for url in context if isinstance(context, list) else [context]:
        subject = url.split("dataModel.")[1].split("/")[0]
        terms |= json.loads((FOLDER / f"context-{subject}.jsonld").read_text())["@context"]
    return terms


def _faults(document: dict[str, Any]) -> str | None:
    """Why the standard does not let an example be written as it stands."""
    for name, attribute in document.items():
        if isinstance(attribute, dict) and attribute.get("type") == "Relationship":
            targets = attribute["object"] if isinstance(attribute["object"], list) else [attribute["object"]]
            try:
                for target in targets:
                    check_uri(target)
            except InvalidInput:
                return f"its Relationship {name} points to {targets}, which is no URI"
    return None


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.mark.skipif(not EXAMPLES, reason=absent(f"the Smart Data Models are not at {FOLDER}"))
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_comes_back_as_it_was(client: Client, path: Path) -> None:
    document = read(path)
    fault = _faults(document)
    if fault is not None:
        pytest.skip(fault)
    context = inline(document.pop("@context"))
    answer = await client.ask("POST", "entities", {**document, "@context": context}, content_type=LD_JSON)
    assert answer.status == 201, answer.body
    query = {"type": "Query", "entities": [{"type": document["type"], "id": document["id"]}], "@context": context}
    found = await client.ask("POST", "entityOperations/query", query, content_type=LD_JSON, accept=LD_JSON)
    (entity,) = found.json
    assert entity.pop("@context") == context
    assert entity == document
