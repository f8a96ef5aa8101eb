"""What a device does when it is told to, each command once.

A command's effects are facts in the device's memory, written in one transaction with its answer: killed before, nothing
was done and it is done at the next start; killed after, it is known, and a second offer is answered as the first. A
device that turns a real motor cannot undo it: it does so from the facts, which say what should be.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from broadstreet.model.clock import format_rfc3339
from broadstreet.outpost.clock import DeviceClock
from broadstreet.outpost.memory import Known, Memory

LEVEL: Final = "level"
EVERY_S: Final = "every_s"
DONE: Final = "commands.done"
MIN_EVERY_S, MAX_EVERY_S = 0.1, 86_400.0
KEEP_AFTER_US: Final = 86_400_000_000
"""How long after its end a command is remembered: a clock may be off, an offer may be on its way."""
logger = logging.getLogger(__name__)

Handler = Callable[[Memory, Any], Any]
"""Does what a command asks, by facts in the memory, and answers its result. Raises Rejected."""


class Rejected(Exception):
    """The device will not do it; the message says why."""


class Actuator:
    """handlers: what the device can do, by the command's name; left out: what a lamp with a sensor can."""

    def __init__(self, memory: Memory, clock: DeviceClock, handlers: Mapping[str, Handler] | None = None) -> None:
        self._memory = memory
        self._clock = clock
        self._handlers = LAMP if handlers is None else handlers

    def run_due(self) -> int:
        """Execute whatever waits; answers how many commands that were."""
        executed = 0
        while (command := self._memory.next_command()) is not None:
            with self._memory.transaction():
                said = self._execute(command)
                self._memory.set_fact(DONE, self._memory.fact(DONE, 0) + 1)
                self._memory.answer(command.id, msgspec.json.encode(said))
            logger.info("command %s (%s): %s", command.name, command.id, said["state"])
            executed += 1
        if executed:
            self._memory.forget_commands(self._clock.now_us() - KEEP_AFTER_US)
        return executed

    def _execute(self, command: Known) -> dict[str, Any]:
        if self._clock.now_us() > command.expires_us:
            words = f"its time was over at {format_rfc3339(command.expires_us)}"
            return {"state": "rejected", "result": {"why": words}}
        handler = self._handlers.get(command.name)
        if handler is None:
            words = f"it cannot {command.name}; it can {', '.join(sorted(self._handlers))}"
            return {"state": "rejected", "result": {"why": words}}
        try:
            return {"state": "acknowledged", "result": handler(self._memory, command.body)}
        except Rejected as rejected:
            return {"state": "rejected", "result": {"why": str(rejected)}}


def _number(body: Any, name: str, low: float, high: float) -> float:
    value = body.get(name) if isinstance(body, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Rejected(f"{name} is to be a number from {low:g} to {high:g}")
    return float(value)


def set_level(memory: Memory, body: Any) -> Any:
    """{"level": 0 to 1}: how bright the lamp is."""
    level, was = _number(body, LEVEL, 0, 1), memory.fact(LEVEL)
    memory.set_fact(LEVEL, level)
    return {"level": level, "was": was}


def set_interval(memory: Memory, body: Any) -> Any:
    """{"interval_s": …}: how often it reports."""
    interval_s, was = _number(body, "interval_s", MIN_EVERY_S, MAX_EVERY_S), memory.fact(EVERY_S)
    memory.set_fact(EVERY_S, interval_s)
    return {"interval_s": interval_s, "was": was}


def identify(memory: Memory, _: Any) -> Any:
    """Make itself known to who stands beside it."""
    logger.warning("here I am")
    return {"level": memory.fact(LEVEL), "waiting": memory.waiting, "refused": memory.refused}


LAMP: Final[Mapping[str, Handler]] = {"set-level": set_level, "set-interval": set_interval, "identify": identify}
