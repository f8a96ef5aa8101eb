"""What came of many writes at once: which were done, and why the others were not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec

from broadstreet.client.problem import Problem
from broadstreet.model.errors import BroadstreetError

_MULTI_STATUS: Final = 207
MAX_TOLD: Final = 10
"""How many failures an error tells of one by one."""


class _Failure(msgspec.Struct):
    entityId: str
    error: Problem


class _Result(msgspec.Struct):
    success: list[str] = []
    errors: list[_Failure] = []


_results: Final = msgspec.json.Decoder(_Result)


@dataclass
class Outcome:
    """done: ids of entities that were written. failures: the others, each with its error."""

    done: list[str] = field(default_factory=list)
    failures: list[tuple[str, BroadstreetError]] = field(default_factory=list)

    def take(self, ids: list[str], response: httpx.Response) -> None:
        """Add what an answer says of a batch of these ids."""
        if response.status_code != _MULTI_STATUS:
            self.done += ids
            return
        result = _results.decode(response.content)
        self.done += result.success
        self.failures += [(one.entityId, one.error.error()) for one in result.errors]

    def check(self) -> None:
        """Raise the first failure, if there is one; its notes tell of the others."""
        if not self.failures:
            return
        entity_id, first = self.failures[0]
        total = len(self.done) + len(self.failures)
        failed = f"{len(self.failures):,} of {total:,} entities were not written"
        said = f"{failed}; {entity_id or 'the first'}: {first.message}"
        error = type(first)(said, where=first.where, remedy=first.remedy)
        for other_id, other in self.failures[1:MAX_TOLD]:
            error.add_note(f"{other_id}: {other}")
        if len(self.failures) > MAX_TOLD:
            error.add_note(f"… and {len(self.failures) - MAX_TOLD:,} more")
        raise error

    def __repr__(self) -> str:
        failed = f", {len(self.failures):,} failed" if self.failures else ""
        return f"<Outcome: {len(self.done):,} done{failed}>"
