"""The log's part: every stream as JetStream's own snapshot, and back into a server that has none.

A snapshot comes in pieces, each of which waits for our word: a slow place slows the server down and fills nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, BinaryIO, Final

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from broadstreet.log.log import INCARNATION
from broadstreet.model.errors import CorruptData, EngineFailed

PIECE_BYTES: Final = 512 * 1024
ANSWER_S: Final = 30.0
STATUS: Final = "Status"


class Snapshot(msgspec.Struct, frozen=True):
    """What the server says of a snapshot that begins."""

    config: msgspec.Raw = msgspec.Raw(b"null")
    state: msgspec.Raw = msgspec.Raw(b"null")
    error: dict[str, Any] | None = None


class _Restoring(msgspec.Struct):
    deliver_subject: str = ""
    error: dict[str, Any] | None = None


class _Names(msgspec.Struct):
    streams: list[str] | None = None
    total: int = 0
    error: dict[str, Any] | None = None


async def _ask(client: Client, subject: str, body: bytes) -> bytes:
    try:
        return (await client.request(subject, body, timeout=ANSWER_S)).data
    except (nats.errors.Error, TimeoutError) as error:
        raise EngineFailed(f"the log does not answer: {error!r}", where=subject) from error


async def stream_names(client: Client) -> list[str]:
    """The names of all streams, in order."""
    names: list[str] = []
    while True:
        answer = await _ask(client, "$JS.API.STREAM.NAMES", msgspec.json.encode({"offset": len(names)}))
        page = msgspec.json.decode(answer, type=_Names)
        if page.error:
            raise EngineFailed(f"the log does not name its streams: {page.error.get('description')}")
        names += page.streams or []
        if not page.streams or len(names) >= page.total:
            return sorted(names)


async def snapshot(client: Client, stream: str, sink: BinaryIO, *, consumers: bool) -> Snapshot:
    """
    Write a stream's snapshot.

    consumers: whether what reads the stream comes along, with how far it has come.
    Raises EngineFailed.
    """
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    try:
        request = {"deliver_subject": inbox, "no_consumers": not consumers, "chunk_size": PIECE_BYTES}
        answer = await _ask(client, f"$JS.API.STREAM.SNAPSHOT.{stream}", msgspec.json.encode(request))
        begun = msgspec.json.decode(answer, type=Snapshot)
        if begun.error:
            raise EngineFailed(f"the stream {stream} cannot be copied: {begun.error.get('description')}")
        async for piece in _pieces(subscription.next_msg, stream):
            await asyncio.to_thread(_write_whole, sink, piece.data)
            if piece.reply:
                await piece.respond(b"")
    finally:
        await subscription.unsubscribe()
    return begun


async def _pieces(next_piece: Any, stream: str) -> AsyncIterator[Msg]:
    """The pieces of a snapshot, to the empty one that ends it."""
    while True:
        try:
            piece: Msg = await next_piece(timeout=ANSWER_S)
        except (nats.errors.Error, TimeoutError) as error:
            raise EngineFailed(f"the copy of the stream {stream} stopped half-way: {error!r}") from error
        if not piece.data:
            if status := (piece.headers or {}).get(STATUS):
                raise EngineFailed(f"the copy of the stream {stream} stopped half-way: {status}")
            return
        yield piece


def _write_whole(sink: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[sink.write(view) :]


async def put_stream_back(client: Client, stream: str, begun: Snapshot, incarnation: str, source: BinaryIO) -> None:
    """
    Make a stream of its snapshot.

    incarnation: what it says it was, if anything asks: the server takes it for made now.
    Raises EngineFailed, or CorruptData where the server refuses it.
    """
    config = msgspec.json.decode(begun.config, type=dict[str, Any])
    if incarnation:
        config["metadata"] = {**config.get("metadata", {}), INCARNATION: incarnation}
    request = msgspec.json.encode({"config": config, "state": begun.state})
    answer = msgspec.json.decode(await _ask(client, f"$JS.API.STREAM.RESTORE.{stream}", request), type=_Restoring)
    if answer.error:
        raise EngineFailed(f"the stream {stream} cannot be put back: {answer.error.get('description')}")
    while piece := await asyncio.to_thread(source.read, PIECE_BYTES):
        refusal = await _ask(client, answer.deliver_subject, piece)
        if refusal:
            raise CorruptData(f"the stream {stream} cannot be put back: {refusal.decode('utf-8', 'replace')}")
    last = msgspec.json.decode(await _ask(client, answer.deliver_subject, b""), type=_Restoring)
    if last.error:
        raise CorruptData(f"the stream {stream} cannot be put back: {last.error.get('description')}")
