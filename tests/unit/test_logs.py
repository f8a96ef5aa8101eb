"""What processes write down: text or JSON, with the id of the request it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from broadstreet.app.logs import JsonLines, TextLines, with_request_ids


def record(message: str, *arguments: object) -> logging.LogRecord:
    try:
        raise ValueError("wrong")
    except ValueError:
        made = logging.LogRecord("room", logging.WARNING, "file.py", 1, message, arguments, sys.exc_info())
    made.created, made.msecs = 1_790_000_000.25, 250.0
    return made


def test_a_line_of_json() -> None:
    line = JsonLines("api").format(record("a %s\nof two lines", "text"))
    assert "\n" not in line
    event = json.loads(line)
    assert (event["at"], event["level"], event["role"]) == ("2026-09-21T14:13:20.250Z", "warning", "api")
    assert (event["logger"], event["message"]) == ("room", "a text\nof two lines")
    assert "ValueError: wrong" in event["trace"]
    assert "request" not in event


def test_a_line_of_text() -> None:
    assert TextLines().format(record("a text")).startswith("2026-09-21T14:13:20.250Z WARNING room: a text")


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [(b"from-the-proxy-1", True), (b"short", False), (b"x" * 65, False), (b'a"b\n{secret}', False)],
)
async def test_a_request_has_an_id(given: bytes, is_taken: bool) -> None:
    lines: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        lines.append(JsonLines("api").format(record("in it")))
        lines.append(TextLines().format(record("in it")))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    identified = with_request_ids(application, lambda size: b"\1" * size)
    await identified({"type": "http", "headers": [(b"x-request-id", given)]}, receive, send)
    expected = given if is_taken else b"01" * 8
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", expected)]
    assert json.loads(lines[0])["request"] == expected.decode()
    assert f"(request {expected.decode()})" in lines[1]
    assert "request" not in json.loads(JsonLines("api").format(record("behind it")))
