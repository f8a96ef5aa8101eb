"""Every operation of every API, called in every way its description allows, and in many that it does not.

    python -m tests.conformance.schema [--examples 100]

A house is started with a few devices, and schemathesis asks it what its own OpenAPI description promises; no answer may
be a fault of the server's (5xx). What makes sessions and tokens is left out, since calling it at random would only shut
the caller out. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.house import free_port
from broadstreet.access import Access
from broadstreet.app import Settings
from broadstreet.app.clock import now_us
from broadstreet.app.house import House
from broadstreet.app.settings import Http, Mqtt
from broadstreet.devices import DeviceSpec, Registry
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.store import Store

SEED = 1854
LIFETIME_S = 7_200
LEFT_OUT = r"/(session|live|events)|/v1/(tokens|accounts)"
NGSI_LD = ("--include-path-regex", "^/ngsi-ld/")
FAULTS = ("not_a_server_error",)
SHAPES = (
    *FAULTS,
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
PROFILE = """
[profile]
name = "air"
type = "AirQualityObserved"
[attributes.NO2]
field = "no2"
unit = "GQ"
"""
_TESTED = re.compile(r"Tested: (\d+)")
_CASES = re.compile(r"(\d+) generated(?:, (\d+) passed)?")


async def furnish(house: House) -> str:
    """Devices, and an administrator's token."""
    async with await Store.connect(house.engines.addresses.postgres_dsn) as store:
        database, registry = await store.tenant(DEFAULT_TENANT), Registry(store)
        await registry.register_profile(database, PROFILE, principal="test", at_us=now_us())
        specs = [DeviceSpec(id=f"air-{n}", title=f"Air {n}", profile="air", lon=24.9, lat=60.2) for n in range(3)]
        await registry.register_many(database, specs, principal="test", at_us=now_us())
        access = Access(store.control, now_us)
        await access.accounts.create("root", "Root", tenant=DEFAULT_TENANT, roles=["administrator"], by="test")
        return (await access.tokens.issue("root", "api", "schema", LIFETIME_S, by="test")).secret


async def call_everything(
    folder: Path,
    examples: int,
    checks: Sequence[str] = FAULTS,
    which: Sequence[str] = ("--exclude-path-regex", LEFT_OUT),
) -> tuple[int, str]:
    """schemathesis' exit status and words. which: its options that say which operations are called."""
    settings = Settings(str(folder / "data"), mqtt=Mqtt(port=free_port()), http=Http(port=free_port()))
    async with House(settings, ["api"]) as house:
        token = await furnish(house)
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"http://127.0.0.1:{settings.http.port}/openapi.json",
            *("--header", f"Authorization: Bearer {token}"),
            *("--checks", ",".join(checks), "--phases", "examples,coverage,fuzzing", "--no-color"),
            *("--max-examples", str(examples), "--seed", str(SEED), "--suppress-health-check", "all"),
            *(*which, "--request-timeout", "20", "--generation-database", "none"),
        ]
        calling = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder
        )
        words, _ = await calling.communicate()
        return calling.returncode or 0, words.decode()


def figures(words: str) -> dict[str, int]:
    """Operations and calls, as schemathesis sums them up."""
    tested, cases = _TESTED.search(words), _CASES.search(words)
    if tested is None or cases is None:
        raise SystemExit(words)
    calls = int(cases[1])
    return {"operations": int(tested[1]), "calls": calls, "failed": calls - int(cases[2] or calls)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Call every operation of every API in every way.")
    parser.add_argument("--examples", type=int, default=100, help="of each operation, besides those at its edges")
    parser.add_argument("--ngsi-ld", action="store_true", help="NGSI-LD alone, and whether answers are as described")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="broadstreet-") as folder:
        status, words = asyncio.run(
            call_everything(Path(folder), options.examples, SHAPES, NGSI_LD)
            if options.ngsi_ld
            else call_everything(Path(folder), options.examples)
        )
    if status:
        sys.stdout.write(words)
    sys.stdout.write(json.dumps(figures(words)) + "\n")
    sys.exit(status)


if __name__ == "__main__":
    main()
