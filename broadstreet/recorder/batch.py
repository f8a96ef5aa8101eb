"""A batch: what one transaction will apply, decoded from the packs of one partition.

Decoding gathers readings in log order (`Gathered`); `Batch.of` turns them into columns in the order of (series, time,
n), which is the order in which they are locked and written. A reading that stands twice in the batch is kept once, the
later one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from broadstreet.devices import Answer, Fault, Reading, decode_answer
from broadstreet.log import DeadLetter, DeadReason, Pack, RawMessage, decode_pack
from broadstreet.model.errors import CorruptData
from broadstreet.recorder.once import NOBODY
from broadstreet.recorder.plan import Plan

READINGS_TOPIC = "readings"
_ENTRY_BITS = 32
_ENTRY = (1 << _ENTRY_BITS) - 1
_NAN = float("nan")

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Int16s = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


class Gathered:
    """Readings as they are decoded. The lists have one length, but for `values`, by row, and `dead`."""

    __slots__ = ("answers", "at_us", "dead", "message", "meta", "n", "number", "series", "values")

    def __init__(self) -> None:
        self.series: list[int] = []
        self.at_us: list[int] = []
        self.n: list[int] = []
        self.number: list[float] = []
        """NaN where `values` has the reading."""
        self.values: dict[int, Any] = {}
        self.meta: list[int] = []
        self.message: list[int] = []
        """The index of the reading's pack, and in its lower bits that of its message."""
        self.dead: list[DeadLetter] = []
        self.answers: list[Answer] = []
        """What devices said of their commands."""

    def bury(self, fault: Fault, detail: str, pack: Pack, entry: int, plan: Plan | None, now_us: int) -> None:
        """Make a message a dead letter."""
        self.dead.append(
            DeadLetter(
                at_us=now_us,
                tenant=pack.tenant,
                device=plan.device if plan else "",
                device_key=pack.device[entry],
                reason=fault.reason,
                detail=detail,
                topic=pack.topic[entry],
                payload=pack.payload[entry],
                received_us=pack.received_us[entry],
                pack=pack.id,
                entry=entry,
                profile=plan.profile if plan else "",
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Readings by (series, time, n), each key once; all columns have one length.

    number: NaN where `values` (by row) has the reading. meta: NO_META for none. pack and entry: its message.
    starts: the first row of each series. repeated: how many were said again within the batch.
    """

    series: Int32s
    at_us: Int64s
    n: Int16s
    number: Floats
    values: dict[int, Any]
    meta: Int32s
    pack: Int64s
    entry: Int64s
    starts: Int64s
    repeated: int

    def __len__(self) -> int:
        return len(self.series)

    @classmethod
    def of(cls, gathered: Gathered) -> Self:
        """The readings in order, a repeated one by what was said last."""
        series = np.array(gathered.series, np.int32)
        at_us = np.array(gathered.at_us, np.int64)
        n = np.array(gathered.n, np.int16)
        order = np.lexsort((n, at_us, series))  # stable: what was said last stands last
        series, at_us, n = series[order], at_us[order], n[order]
        is_last = np.ones(len(order), np.bool_)
        is_last[:-1] = (series[1:] != series[:-1]) | (at_us[1:] != at_us[:-1]) | (n[1:] != n[:-1])
        repeated = len(order) - int(is_last.sum())
        if repeated:
            order, series, at_us, n = order[is_last], series[is_last], at_us[is_last], n[is_last]
        message = np.array(gathered.message, np.int64)[order]
        values = gathered.values
        return cls(
            series=series,
            at_us=at_us,
            n=n,
            number=np.array(gathered.number, np.float64)[order],
            values={row: values[old] for row, old in enumerate(order.tolist()) if old in values} if values else {},
            meta=np.array(gathered.meta, np.int32)[order],
            pack=message >> _ENTRY_BITS,
            entry=message & _ENTRY,
            starts=np.flatnonzero(np.append(True, series[1:] != series[:-1])) if len(order) else np.empty(0, np.int64),
            repeated=repeated,
        )

    def value_list(self, rows: Int64s) -> list[Any]:
        """The values of these rows: floats, or JSON values."""
        found: list[Any] = self.number[rows].tolist()
        if self.values:
            for place, row in enumerate(rows.tolist()):
                if row in self.values:
                    found[place] = self.values[row]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Devices of the registry that were heard in some packs: first and last time, and how many messages they sent."""

    device: list[int]
    first_us: list[int]
    last_us: list[int]
    messages: list[int]

    @classmethod
    def of(cls, packs: list[Pack], plans: dict[int, Plan]) -> Self:
        """Count the messages of the packs, whatever they say; those that come back were counted before."""
        if not any(map(len, packs)):
            return cls([], [], [], [])
        devices = np.concatenate([np.array(pack.device, np.int64) for pack in packs])
        received_us = np.concatenate([np.array(pack.received_us, np.int64) for pack in packs])
        is_new = np.repeat([not pack.is_replay for pack in packs], [len(pack) for pack in packs])
        order = np.argsort(devices, kind="stable")
        devices, received_us = devices[order], received_us[order]
        starts = np.flatnonzero(np.append(True, devices[1:] != devices[:-1]))
        known = np.array([key in plans for key in devices[starts].tolist()], np.bool_)
        return cls(
            device=devices[starts][known].tolist(),
            first_us=np.minimum.reduceat(received_us, starts)[known].tolist(),
            last_us=np.maximum.reduceat(received_us, starts)[known].tolist(),
            messages=np.add.reduceat(is_new[order], starts, dtype=np.int64)[known].tolist(),
        )


def open_packs(tenant: str, messages: list[RawMessage], now_us: int) -> tuple[list[tuple[int, Pack]], list[DeadLetter]]:
    """(sequence, pack) of each message whose checksum holds, and a dead letter for each other."""
    packs: list[tuple[int, Pack]] = []
    dead: list[DeadLetter] = []
    for sequence, data, *_ in messages:
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


def gather(packs: list[Pack], plans: dict[int, Plan], *, now_us: int, future_limit_us: int) -> Gathered:
    """Decode the packs. What cannot be decoded, or lies too far ahead, becomes a dead letter."""
    gathered = Gathered()
    series, at_us, n, number = gathered.series, gathered.at_us, gathered.n, gathered.number
    values, meta, message = gathered.values, gathered.meta, gathered.message
    readings: list[Reading] = []
    faults: list[Fault] = []
    for index, pack in enumerate(packs):
        place = (index << _ENTRY_BITS) - 1
        for device_key, received_us, topic, payload in zip(
            pack.device, pack.received_us, pack.topic, pack.payload, strict=True
        ):
            place += 1
            plan = plans.get(device_key)
            if plan is None:
                if device_key == NOBODY:
                    continue
                fault = Fault(DeadReason.UNKNOWN_DEVICE, f"no device with key {device_key}")
                gathered.bury(fault, fault.detail, pack, place & _ENTRY, None, now_us)
                continue
            if topic != READINGS_TOPIC:
                said = decode_answer(topic, payload, device_key, received_us)
                if isinstance(said, Fault):
                    gathered.bury(said, said.detail, pack, place & _ENTRY, plan, now_us)
                elif said is not None:
                    gathered.answers.append(said)
                continue
            plan.decoder.decode(payload, received_us, readings, faults)
            latest_us = received_us + future_limit_us
            for attribute, moment_us, count, found, value in readings:
                if moment_us > latest_us:
                    ahead_s = (moment_us - received_us) / 1_000_000
                    faults.append(Fault(DeadReason.FUTURE, f"its time is {ahead_s:.0f} s ahead of its receipt"))
                    continue
                if found is None:
                    values[len(series)] = value
                series.append(plan.series[attribute])
                at_us.append(moment_us)
                n.append(count)
                number.append(_NAN if found is None else found)
                meta.append(plan.metas[attribute])
                message.append(place)
            readings.clear()
            if faults:
                detail = "; ".join(fault.detail for fault in faults[:8])[:1000]
                gathered.bury(faults[0], detail, pack, place & _ENTRY, plan, now_us)
                faults.clear()
    return gathered
