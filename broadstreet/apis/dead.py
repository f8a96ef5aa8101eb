"""`/v1/dead`: messages that could not be applied: to look through, to replay once a profile is mended, to discard."""

from __future__ import annotations

import base64
from typing import Annotated, Final, Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.devices import Letter, Settled, Wanted
from broadstreet.devices.letters import MAX_PAGE, MAX_SETTLED, MAX_WHY_LENGTH
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import InvalidInput

MAX_SHOWN_BYTES: Final = 2_000
"""Of a payload, in a page; one letter is shown whole."""

Why = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_WHY_LENGTH, pattern=r"\S")]


class LetterView(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter. `device` and `profile` are null where they are not known.

    `at` is when it died, `received_at` when it came. `payload` is its text, or base64 where `encoding` says so; in a
    page at most 2,000 of its `payload_bytes`.
    """

    id: str
    at: str
    received_at: str
    device: str | None
    reason: str
    detail: str
    topic: str
    profile: str | None
    payload: str
    payload_bytes: int
    encoding: Literal["text", "base64"]


class LettersView(msgspec.Struct, frozen=True):
    """Dead letters, newest first. `before` is where the next page begins, null after the last one."""

    letters: list[LetterView]
    before: int | None


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What to settle and why: letters by `ids`, or `all` that are of a device, a reason, a profile.

    `after` and `until` go on where the answer before stopped.
    """

    why: Why
    ids: Annotated[list[str], msgspec.Meta(max_length=MAX_SETTLED)] = []
    all: bool = False
    device: str | None = None
    reason: str | None = None
    profile: str | None = None
    after: int = 0
    until: int | None = None


class LeftLetter(msgspec.Struct, frozen=True):
    """A letter that was not settled, and why."""

    id: str
    why: str


class SettledView(msgspec.Struct, frozen=True):
    """How many letters were settled and which were left. Where `after` is not null there are more: go on with both."""

    settled: int
    left: list[LeftLetter]
    after: int | None
    until: int


def _view(one: Letter, *, is_whole: bool) -> LetterView:
    letter = one.letter
    shown = letter.payload if is_whole else letter.payload[:MAX_SHOWN_BYTES]
    encoding: Literal["text", "base64"] = "text"
    try:
        letter.payload.decode()
        text = shown.decode(errors="ignore")  # a cut may part a character
    except UnicodeDecodeError:
        encoding, text = "base64", base64.b64encode(shown).decode()
    return LetterView(
        id=one.id,
        at=format_rfc3339(letter.at_us),
        received_at=format_rfc3339(letter.received_us),
        device=letter.device or None,
        reason=letter.reason,
        detail=letter.detail,
        topic=letter.topic,
        profile=letter.profile or None,
        payload=text,
        payload_bytes=len(letter.payload),
        encoding=encoding,
    )


@get("/dead", opt=requires("system:read"))
async def list_of_letters(
    call: NamedDependency[Call],
    device: FromQuery[str | None] = None,
    reason: FromQuery[str | None] = None,
    profile: FromQuery[str | None] = None,
    before: Annotated[int | None, QueryParameter(ge=0, description="As the page before says; left out: begin.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many at most.")] = 50,
) -> LettersView:
    """Messages that could not be applied, newest first, a page at a time.

    `profile` is a profile's name, or with its version as in `air-quality 3`. A page may be short and have a next one.
    """
    wanted = Wanted(device=device, reason=reason, profile=profile)
    page = await call.services.letters.page(call.principal.tenant, wanted, before=before, limit=limit)
    return LettersView([_view(one, is_whole=False) for one in page.letters], page.before)


@get("/dead/{letter:str}", opt=requires("system:read"))
async def one_letter(call: NamedDependency[Call], letter: FromPath[str]) -> LetterView:
    """One dead letter, with its whole payload."""
    return _view(await call.services.letters.find(call.principal.tenant, letter), is_whole=True)


@post("/dead/replay", opt=requires("dead:write"), status_code=HTTP_200_OK)
async def replay_letters(call: NamedDependency[Call], data: JSONBody[Settlement]) -> SettledView:
    """Send dead letters through the recorder again, under the time at which they came; each is applied once.

    What still cannot be applied becomes a dead letter anew.
    """
    return await _settle(call, data, is_replay=True)


@post("/dead/discard", opt=requires("dead:write"), status_code=HTTP_200_OK)
async def discard_letters(call: NamedDependency[Call], data: JSONBody[Settlement]) -> SettledView:
    """Delete dead letters for good."""
    return await _settle(call, data, is_replay=False)


async def _settle(call: Call, data: Settlement, *, is_replay: bool) -> SettledView:
    letters = call.services.letters
    if data.all == bool(data.ids):
        raise InvalidInput("say which letters: either by `ids`, or with `all` set to true", where="ids, all")
    if data.ids:
        settled = await letters.settle_some(call.principal, call.at_us, data.ids, why=data.why, is_replay=is_replay)
    else:
        wanted = Wanted(device=data.device, reason=data.reason, profile=data.profile)
        settled = await letters.settle_all(
            call.principal,
            call.at_us,
            wanted,
            why=data.why,
            is_replay=is_replay,
            after=data.after,
            until=data.until,
        )
    return _settled(settled)


def _settled(settled: Settled) -> SettledView:
    left = [LeftLetter(identifier, why) for identifier, why in settled.left]
    return SettledView(settled.settled, left, settled.after, settled.until)


def dead_router() -> Router:
    """`/dead`, to stand below `/v1`."""
    return Router("/", route_handlers=[list_of_letters, one_letter, replay_letters, discard_letters], tags=["Letters"])
