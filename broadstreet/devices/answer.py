"""What devices say of their commands, as it comes through the log: `…/commands/<id>/result`.

    {"state": "received"}                        it has the command
    {"state": "acknowledged", "result": …}       it has done it
    {"state": "rejected", "result": …}           it will not, or could not

The first of the last two stands; a device that is asked again answers as the first time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from broadstreet.devices.command import RESULT, TOPIC
from broadstreet.devices.decoder import Fault
from broadstreet.log import DeadReason
from broadstreet.store import json_array, load_queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broadstreet.store.database import Connection

MAX_RESULT_BYTES: Final = 16 * 1024
_STATES: Final = {"received": "delivered", "acknowledged": "acknowledged", "rejected": "rejected"}
_RESULT_TOPIC: Final = re.compile(rf"{TOPIC}/([0-9a-f]{{32}})/{RESULT}")
_SQL = load_queries("command")


class _Said(msgspec.Struct):
    state: Literal["received", "acknowledged", "rejected"]
    result: Any = None


_decoder = msgspec.json.Decoder(_Said)


class Answer(NamedTuple):
    """What a device said of a command. at_us: when it was received."""

    command: str
    device_key: int
    state: str
    result: Any
    at_us: int


def answer_topic(command: str) -> str:
    """What follows `devices/<id>/` in the topic of a command's result."""
    return f"{TOPIC}/{command}/{RESULT}"


def decode_answer(topic: str, payload: bytes, device_key: int, received_us: int) -> Answer | Fault | None:
    """A message to a topic, if that is a command's result: None for any other topic, a Fault for what is no answer."""
    matched = _RESULT_TOPIC.fullmatch(topic)
    if matched is None:
        return None
    if len(payload) > MAX_RESULT_BYTES:
        return Fault(DeadReason.WRONG_TYPE, f"an answer to a command is at most {MAX_RESULT_BYTES:,} bytes long")
    if b"\\u0000" in payload:
        return Fault(DeadReason.WRONG_TYPE, "an answer to a command cannot hold the character U+0000")
    try:
        said = _decoder.decode(payload)
    except msgspec.ValidationError as error:
        return Fault(DeadReason.WRONG_TYPE, f"no answer to a command: {error}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Fault(DeadReason.NOT_JSON, str(error))
    return Answer(matched[1], device_key, _STATES[said.state], said.result, received_us)


async def apply_answers(connection: Connection, answers: Sequence[Answer]) -> None:
    """Write answers down inside the caller's transaction, in their order."""
    settled = {answer.command: answer for answer in reversed(answers) if answer.state != "delivered"}
    received = {answer.command: answer for answer in reversed(answers)}
    for chosen in (received.values(), settled.values()):
        if chosen:
            commands, devices, states, results, times = zip(*chosen, strict=True)
            await connection.execute(
                _SQL["answer"], list(commands), list(devices), list(states), json_array(results), list(times)
            )
