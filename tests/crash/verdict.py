"""What was acknowledged, against what is stored and what was said of it: lost, or applied twice?"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import nats.js.errors

from broadstreet.log import Log
from broadstreet.model.change import decode_changes
from broadstreet.store import Database, Store
from tests.crash.load import Device

TENANT = "city"
DRAIN_S = 120.0
MAX_WORDS = 20
TIMED, UNTIMED, CHANGES, COMMANDS = "timed readings", "untimed readings", "changes", "commands"
COMMANDS_GIVEN = """
SELECT c.id, d.id AS device, c.body, c.state, c.result FROM command c JOIN device d ON d.key = c.device_key
"""
SERIES = """
SELECT s.key, d.id FROM series s JOIN device d USING (entity_key) JOIN term t ON t.key = s.term_key
WHERE t.iri LIKE '%/v'
"""
OBSERVATIONS = """
SELECT series_key, observed_at, number, n, modified_at IS NOT NULL AS corrected FROM observation
WHERE series_key = ANY ($1::int[])
"""
VERSIONS = f"""
SELECT a.series_key, a.version FROM attribute a WHERE a.series_key IN (SELECT key FROM ({SERIES.strip()}) AS ours)
"""
MessageId = tuple[bytes, int]


@dataclass(frozen=True)
class Ledger:
    """What is to count once, whatever became of it on its way: values of one device, each sent under one id.

    kind: what it is called in the verdict. sent: every value; acknowledged: those that must be there.
    """

    kind: str
    device: str
    acknowledged: Sequence[float]
    sent: Sequence[float]


@dataclass(frozen=True)
class Obedience:
    """Commands. orders: by the how many-th, its id and device, where the order was answered. done: by device and id the
    place of what it did among all it did, and which order that was."""

    orders: dict[int, tuple[str, str]]
    done: dict[str, dict[str, tuple[int, int]]]


@dataclass
class Tally:
    """Of one kind: what was acknowledged, what of it is lost, and what counted twice."""

    acknowledged: int = 0
    lost: int = 0
    twice: int = 0


@dataclass(frozen=True)
class Verdict:
    """tallies: by kind. republished: changes the stream holds a second time, which consumers drop by (series, version).
    words: the first faults, for whoever looks into them."""

    tallies: dict[str, Tally]
    republished: int
    words: tuple[str, ...]

    @property
    def acknowledged(self) -> int:
        """Readings."""
        others = CHANGES, COMMANDS
        return sum(tally.acknowledged for kind, tally in self.tallies.items() if kind not in others)

    @property
    def lost(self) -> int:
        """Of every kind."""
        return sum(tally.lost for tally in self.tallies.values())

    @property
    def duplicated(self) -> int:
        """Of every kind."""
        return sum(tally.twice for tally in self.tallies.values())


class Findings:
    """A verdict that is being reached."""

    def __init__(self) -> None:
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._words: list[str] = []

    def lost(self, kind: str, words: str) -> None:
        """Something that was acknowledged is not there."""
        self.tallies[kind].lost += 1
        self._words.append(f"{kind}, lost: {words}")

    def twice(self, kind: str, words: str) -> None:
        """Something is there, or was said, more often than it may be."""
        self.tallies[kind].twice += 1
        self._words.append(f"{kind}, twice: {words}")

    def verdict(self, republished: int) -> Verdict:
        """What was found."""
        return Verdict(dict(self.tallies), republished, tuple(self._words[:MAX_WORDS]))


@dataclass
class Changes:
    """What CHANGES says of the devices' series, each change once."""

    by_time: Counter[tuple[int, int]]
    by_message: Counter[tuple[int, MessageId]]
    by_value: dict[tuple[int, float], set[MessageId]]
    by_version: dict[tuple[int, int], tuple[int, float]]
    republished: int
    contradicted: list[tuple[int, int]]
    """Versions under which two things were said."""


async def drained(log: Log, database: Database, partitions: int) -> None:
    """Wait until the recorder has applied everything and the relay has published everything."""
    jetstream = log.client.jetstream()
    async with asyncio.timeout(DRAIN_S):
        for partition in range(partitions):
            try:
                last = (await jetstream.get_last_msg("RAW", f"raw.{TENANT}.{partition}")).seq
            except nats.js.errors.NotFoundError:
                continue
            await until(database, "SELECT sequence >= $2 FROM cursor WHERE partition = $1", partition, last)
        await until(database, "SELECT NOT EXISTS (SELECT FROM outbox)")


async def until(database: Database, question: str, *arguments: object) -> None:
    """Ask until the answer is yes."""
    while True:
        if await database.fetchval(question, *arguments):
            return
        await asyncio.sleep(0.05)


async def read_changes(log: Log, series: dict[int, str]) -> Changes:
    """Read CHANGES from its beginning."""
    changes = Changes(Counter(), Counter(), {}, {}, 0, [])
    async with log.changes(TENANT, 0) as reader:
        while messages := await reader.fetch(500, 1.0):
            for message in messages:
                batch = decode_changes(message.data)
                for index, key in enumerate(batch.series):
                    if key not in series or not batch.pack:
                        continue
                    version, said = (key, batch.version[index]), (batch.as_of_us[index], batch.value[index])
                    if version in changes.by_version:
                        changes.republished += 1
                        if changes.by_version[version] != said:
                            changes.contradicted.append(version)
                        continue
                    changes.by_version[version] = said
                    message_id = (batch.packs[batch.pack[index]], batch.entry[index])
                    changes.by_time[key, batch.as_of_us[index]] += 1
                    changes.by_message[key, message_id] += 1
                    changes.by_value.setdefault((key, batch.value[index]), set()).add(message_id)
    return changes


async def judge(
    log: Log,
    store: Store,
    devices: Sequence[Device],
    partitions: int,
    ledgers: Sequence[Ledger] = (),
    obedience: Obedience | None = None,
) -> Verdict:
    """Compare the ledgers, of devices at QoS 1 and of what counts once by an id, with the store and the stream."""
    database = await store.tenant(TENANT)
    await drained(log, database, partitions)
    series = {row["key"]: row["id"] for row in await database.fetch(SERIES)}
    keys = {device: key for key, device in series.items()}
    rows = await database.fetch(OBSERVATIONS, list(series))
    changes = await read_changes(log, series)
    findings = Findings()
    stored = Counter((row["series_key"], row["number"]) for row in rows)
    by_time: dict[tuple[int, int], list[float]] = {}
    for row in rows:
        by_time.setdefault((row["series_key"], row["observed_at"]), []).append(row["number"])
    for device in devices:
        if device.timed:
            judge_timed(findings, device, keys[device.id], by_time, changes)
        else:
            judge_untimed(findings, device, keys[device.id], stored, changes)
    for ledger in ledgers:
        judge_once(findings, ledger, keys[ledger.device], stored, changes)
    for row in rows:
        if row["corrected"]:
            findings.twice(TIMED, f"series {row['series_key']} at {row['observed_at']}: corrected")
    judge_changes(findings, {row["series_key"]: row["version"] for row in await database.fetch(VERSIONS)}, changes)
    if obedience is not None:
        judge_commands(findings, obedience, [dict(row) for row in await database.fetch(COMMANDS_GIVEN)])
    return findings.verdict(changes.republished)


def judge_timed(
    findings: Findings, device: Device, key: int, by_time: dict[tuple[int, int], list[float]], changes: Changes
) -> None:
    """A reading with a device's time is known by it."""
    findings.tallies[TIMED].acknowledged += len(device.acknowledged)
    for message in device.acknowledged:
        assert message.at_ms is not None
        moment = key, message.at_ms * 1000
        found, said = by_time.get(moment, []), changes.by_time[moment]
        words = f"{device.id} {message.value} (sent {message.sent} times): stored as {found}, said {said} times"
        if message.value not in found or not said:
            findings.lost(TIMED, words)
        if len(found) > 1 or said > 1:
            findings.twice(TIMED, words)


def judge_untimed(
    findings: Findings, device: Device, key: int, stored: Counter[tuple[int, float]], changes: Changes
) -> None:
    """A reading without one, at QoS 1, counts as often as it was sent at most."""
    findings.tallies[UNTIMED].acknowledged += len(device.acknowledged)
    for message in device.acknowledged:
        place = key, message.value
        said = len(changes.by_value.get(place, ()))
        words = f"{device.id} {message.value} (sent {message.sent} times): stored {stored[place]}, said {said} times"
        if not said or not stored[place]:
            findings.lost(UNTIMED, words)
        if max(said, stored[place]) > message.sent:
            findings.twice(UNTIMED, words)


def judge_once(
    findings: Findings, ledger: Ledger, key: int, stored: Counter[tuple[int, float]], changes: Changes
) -> None:
    """What has an id counts once, however often it was sent."""
    findings.tallies[ledger.kind].acknowledged += len(ledger.acknowledged)
    must = set(ledger.acknowledged)
    for value in {*must, *ledger.sent}:
        place = key, value
        said = len(changes.by_value.get(place, ()))
        words = f"{ledger.device} {value}: stored {stored[place]}, said {said} times"
        if value in must and not (said and stored[place]):
            findings.lost(ledger.kind, words)
        if max(said, stored[place]) > 1:
            findings.twice(ledger.kind, words)


def judge_changes(findings: Findings, versions: dict[int, int], changes: Changes) -> None:
    """Each version of each attribute was said, with one thing, of one message once."""
    findings.tallies[CHANGES].acknowledged += sum(versions.values())
    for key, newest in versions.items():
        for version in range(1, newest + 1):
            if (key, version) not in changes.by_version:
                findings.lost(CHANGES, f"series {key}, version {version} of {newest}")
    for key, version in changes.by_version:
        if version > versions.get(key, 0):
            findings.twice(CHANGES, f"series {key}, version {version}, which the store has not")
    for key, version in changes.contradicted:
        findings.twice(CHANGES, f"series {key}, version {version}: two things")
    for (key, message), times in changes.by_message.items():
        if times > 1:
            findings.twice(CHANGES, f"series {key}, message {message}: said {times} times")


def judge_commands(findings: Findings, obedience: Obedience, rows: Sequence[dict[str, Any]]) -> None:
    """Each order that was answered is one command, executed once by its id and answered as it was executed."""
    findings.tallies[COMMANDS].acknowledged += len(obedience.orders)
    by_id = {row["id"]: row for row in rows}
    for number, times in Counter(row["body"]["n"] for row in rows).items():
        if times > 1:
            findings.twice(COMMANDS, f"order {number} is there {times} times")
    for number, (command, device) in obedience.orders.items():
        row, done = by_id.get(command), obedience.done[device].get(command)
        if row is None or row["state"] != "acknowledged" or done is None:
            findings.lost(COMMANDS, f"order {number} for {device}: {row}, done {done}")
        elif row["result"] != {"place": done[0]}:
            findings.twice(COMMANDS, f"order {number} for {device}: {row['result']}, done as the {done[0]}th")
    for device, done_there in obedience.done.items():
        for command, (_, number) in done_there.items():
            if command not in by_id or by_id[command]["device"] != device:
                findings.twice(COMMANDS, f"{device} was told {command}, order {number}, which nobody gave it")
