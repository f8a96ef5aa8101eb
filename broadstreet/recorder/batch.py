"""A batch: what one transaction will apply, decoded from the packs of one partition.

Columns of readings, in log order. A reading that stands twice in the batch (same series, time, n) is kept once, the
later one.
"""

from __future__ import annotations

import hashlib
from typing import Any

from broadstreet.devices import Fault, Reading
from broadstreet.log import DeadLetter, DeadReason, Pack, RawMessage, decode_pack
from broadstreet.model.errors import CorruptData
from broadstreet.recorder.plan import Plan

READINGS_TOPIC = "readings"


class Heard:
    """How often, when first and when last a device was heard in a batch."""

    __slots__ = ("first_us", "last_us", "messages")

    def __init__(self, at_us: int) -> None:
        self.first_us = self.last_us = at_us
        self.messages = 0

    def add(self, at_us: int) -> None:
        """Another message."""
        self.messages += 1
        self.first_us = min(self.first_us, at_us)
        self.last_us = max(self.last_us, at_us)


class Batch:
    """Decoded readings of some packs. The columns have one length; `rows` finds a reading by its key."""

    def __init__(self) -> None:
        self.series: list[int] = []
        self.at_us: list[int] = []
        self.n: list[int] = []
        self.number: list[float | None] = []
        self.value: list[Any] = []
        self.meta: list[int | None] = []
        self.pack: list[int] = []
        self.entry: list[int] = []
        self.rows: dict[tuple[int, int, int], int] = {}
        self.heard: dict[int, Heard] = {}
        self.entities: dict[int, int] = {}
        """Entity key by series key."""
        self.dead: list[DeadLetter] = []
        self.repeated = 0

    def __len__(self) -> int:
        return len(self.series)

    def add(self, plan: Plan, reading: Reading, pack: int, entry: int) -> None:
        """Add a reading, in place of one of the same series and time."""
        series = plan.series[reading.attribute]
        key = (series, reading.at_us, reading.n)
        row = self.rows.get(key)
        if row is not None:
            self.repeated += 1
            self.number[row], self.value[row] = reading.number, reading.value
            self.pack[row], self.entry[row] = pack, entry
            return
        self.rows[key] = len(self.series)
        self.series.append(series)
        self.at_us.append(reading.at_us)
        self.n.append(reading.n)
        self.number.append(reading.number)
        self.value.append(reading.value)
        self.meta.append(plan.metas[reading.attribute])
        self.pack.append(pack)
        self.entry.append(entry)
        self.entities[series] = plan.entity_key


def open_packs(tenant: str, messages: list[RawMessage], now_us: int) -> tuple[list[tuple[int, Pack]], list[DeadLetter]]:
    """(sequence, pack) of each message whose checksum holds, and a dead letter for each other."""
    packs: list[tuple[int, Pack]] = []
    dead: list[DeadLetter] = []
    for sequence, data in messages:
        try:
            packs.append((sequence, decode_pack(data)))
        except CorruptData as error:
            digest = hashlib.sha256(data).digest()[:16]
            dead.append(
                DeadLetter(
                    now_us, tenant, "", 0, DeadReason.CORRUPT_PACK, str(error), "", data, now_us, digest, sequence
                )
            )
    return packs, dead


def fill(batch: Batch, packs: list[Pack], plans: dict[int, Plan], *, now_us: int, future_limit_us: int) -> None:
    """Decode the packs into the batch. What cannot be decoded, or lies too far ahead, becomes a dead letter of it."""
    readings: list[Reading] = []
    faults: list[Fault] = []
    for index, pack in enumerate(packs):
        for entry, (device_key, received_us, topic, payload) in enumerate(
            zip(pack.device, pack.received_us, pack.topic, pack.payload, strict=True)
        ):
            plan = plans.get(device_key)
            if plan is not None:
                if device_key not in batch.heard:
                    batch.heard[device_key] = Heard(received_us)
                batch.heard[device_key].add(received_us)
                if topic != READINGS_TOPIC:
                    continue
                readings.clear()
                faults.clear()
                plan.decoder.decode(payload, received_us, readings, faults)
                latest_us = received_us + future_limit_us
                for reading in readings:
                    if reading.at_us <= latest_us:
                        batch.add(plan, reading, index, entry)
                    else:
                        ahead_s = (reading.at_us - received_us) / 1_000_000
                        faults.append(Fault(DeadReason.FUTURE, f"its time is {ahead_s:.0f} s ahead of its receipt"))
                if not faults:
                    continue
            else:
                faults = [Fault(DeadReason.UNKNOWN_DEVICE, f"no device with key {device_key}")]
            batch.dead.append(
                DeadLetter(
                    at_us=now_us,
                    tenant=pack.tenant,
                    device=plan.device if plan else "",
                    device_key=device_key,
                    reason=faults[0].reason,
                    detail="; ".join(fault.detail for fault in faults[:8])[:1000],
                    topic=topic,
                    payload=payload,
                    received_us=received_us,
                    pack=pack.id,
                    entry=entry,
                    profile=plan.profile if plan else "",
                )
            )
