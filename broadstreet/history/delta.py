"""The list of a tenant's files as a Delta table's log, so that Spark, DuckDB or polars open the folder as one table.

The house itself goes by `past_file`; this follows it. Each change is one more file of JSON lines, numbered from 0,
whole or not there: what files came, what files went. The format is Delta's transaction log protocol, reader version 1,
writer version 2.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from broadstreet.history.parquet import settle
from broadstreet.history.past import PastFile
from broadstreet.model.clock import format_rfc3339

LOG: Final = "_delta_log"
_TYPES: Final = {
    "series_key": "integer",
    "observed_at": "timestamp",
    "n": "short",
    "number": "double",
    "value": "string",
    "meta_key": "integer",
    "origin_key": "long",
    "modified_at": "timestamp",
}
_encode = msgspec.json.encode


def publish(folder: Path, files: Collection[PastFile], at_us: int) -> None:
    """Make the log say that the table is these files; nothing where it says so already."""
    log = folder / LOG
    log.mkdir(parents=True, exist_ok=True)
    versions = sorted(path for path in log.glob("*.json"))
    listed = _listed(versions)
    wanted = {file.name: file for file in files}
    actions: list[dict[str, Any]] = [] if versions else _beginning(folder, at_us)
    at_ms = at_us // 1_000
    actions += [
        {"remove": {"path": name, "deletionTimestamp": at_ms, "dataChange": True}} for name in listed - wanted.keys()
    ]
    actions += [{"add": _added(wanted[name], at_ms)} for name in sorted(wanted.keys() - listed)]
    if not actions:
        return
    actions.append({"commitInfo": {"timestamp": at_ms, "operation": "WRITE", "engineInfo": "Broadstreet"}})
    target = log / f"{len(versions):020}.json"
    part = target.with_suffix(".part")
    part.write_bytes(b"\n".join(map(_encode, actions)) + b"\n")
    settle(part)
    part.replace(target)
    settle(log)


def _listed(versions: list[Path]) -> set[str]:
    """The files that the log says the table is."""
    listed: set[str] = set()
    for version in versions:
        for line in version.read_bytes().splitlines():
            action = msgspec.json.decode(line)
            if "add" in action:
                listed.add(action["add"]["path"])
            elif "remove" in action:
                listed.discard(action["remove"]["path"])
    return listed


def _beginning(folder: Path, at_us: int) -> list[dict[str, Any]]:
    fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in _TYPES.items()]
    table = {
        "id": str(uuid5(NAMESPACE_URL, f"{folder.name} {at_us}")),
        "name": f"observations of {folder.name}",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": _encode({"type": "struct", "fields": fields}).decode(),
        "partitionColumns": [],
        "configuration": {},
        "createdTime": at_us // 1_000,
    }
    return [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": table}]


def _added(file: PastFile, at_ms: int) -> dict[str, Any]:
    bounds = {"series_key": file.first_series, "observed_at": format_rfc3339(file.from_us)}
    ends = {"series_key": file.last_series, "observed_at": format_rfc3339(file.to_us)}
    return {
        "path": file.name,
        "partitionValues": {},
        "size": file.bytes,
        "modificationTime": at_ms,
        "dataChange": True,
        "stats": _encode({"numRecords": file.rows, "minValues": bounds, "maxValues": ends}).decode(),
    }
