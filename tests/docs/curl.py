"""A `curl` command as the docs show it, taken apart: what it would send."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Call:
    """target: path and query. Names of headers are in lower case."""

    method: str
    host: str
    target: str
    headers: dict[str, str]
    body: bytes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="curl", add_help=False)
    parser.add_argument("url")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-G", dest="in_query", action="store_true")
    parser.add_argument("-d", dest="data", action="append", default=[])
    parser.add_argument("-o", "--output")  # where the answer goes is the reader's business
    parser.add_argument("--data-urlencode", dest="data", action="append", type=_urlencoded)
    parser.add_argument("--data-binary", dest="data", action="append")
    return parser


def _urlencoded(pair: str) -> str:
    name, _, value = pair.partition("=")
    return f"{name}={quote_plus(value)}"


def read_curl(line: str, files: Path) -> Call:
    """What a line sends. files: where its `@file` are. Raises SystemExit for an option that is not known here."""
    options = _parser().parse_args(shlex.split(line)[1:])
    url = urlsplit(options.url)
    data = "&".join(options.data).encode()
    if data.startswith(b"@"):
        data = (files / data[1:].decode()).read_bytes()
    query = "&".join(filter(None, [url.query, data.decode() if options.in_query else ""]))
    body = b"" if options.in_query else data
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in options.headers)}
    if body:
        headers.setdefault("content-type", FORM)
    method = options.method or ("POST" if body else "GET")
    return Call(method, url.netloc, url.path + (f"?{query}" if query else ""), headers, body)
