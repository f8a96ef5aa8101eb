"""A sensor as the portal knows it: what stands at a place of the map, its newest values, and when it was heard.

Most are devices. What another system wrote into the city, with a place and observed numbers, is drawn too; it has no
device, and nobody expects to hear it every few minutes. What is known from imported tables alone is a state of its own:
nobody ever heard it, and nobody misses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from broadstreet.devices import SILENT_AFTER_INTERVALS
from broadstreet.model.clock import US_PER_S

State = Literal["live", "silent", "never", "imported"]
WRITTEN_FRESH_US: Final = 24 * 3600 * US_PER_S
"""How long what another system wrote counts as live; there is no interval to go by."""


@dataclass(slots=True)
class Value:
    """The current value of one attribute. series_key: its series; limit: the city's own, from the profile."""

    name: str
    term_key: int
    series_key: int
    unit: str | None
    limit: float | None
    value: Any = None
    observed_us: int | None = None
    modified_us: int | None = None

    @property
    def beyond(self) -> bool:
        """Whether the value is over its limit."""
        return self.limit is not None and isinstance(self.value, int | float) and self.value > self.limit


@dataclass(frozen=True, slots=True)
class Connection:
    """What the gateways saw. Times are microseconds since 1970."""

    connected_us: int | None
    disconnected_us: int | None
    reason: str | None
    refused_us: int | None
    refused_reason: str | None

    @property
    def is_open(self) -> bool:
        """Whether the device is connected now."""
        return self.connected_us is not None and self.disconnected_us is None


@dataclass(frozen=True, slots=True)
class Undecodable:
    """The newest message of a device that could not be decoded."""

    received_us: int
    reason: str
    detail: str
    profile: str


@dataclass(slots=True)
class Device:
    """The device that feeds a sensor, and what was heard of it."""

    key: int
    id: str
    profile: str
    profile_version: int
    interval_s: float
    registered_us: int
    patience_us: int = field(init=False)
    """How long it may say nothing before it is silent."""
    disabled_us: int | None = None
    first_heard_us: int | None = None
    last_heard_us: int | None = None
    messages: int = 0
    connection: Connection | None = None
    undecodable: Undecodable | None = None

    def __post_init__(self) -> None:
        self.patience_us = round(SILENT_AFTER_INTERVALS * self.interval_s * US_PER_S)


@dataclass(slots=True)
class Sensor:
    """One sensor. values: by attribute name, in the profile's order; the first number among them is the main one."""

    entity_key: int
    id: str
    title: str
    type: str
    lon: float
    lat: float
    street: str | None
    bearing_deg: float | None
    simulated: bool
    device: Device | None
    main: str | None
    values: dict[str, Value] = field(default_factory=dict)
    name_key: int | None = None
    """The series that holds the title; None where nobody named it."""
    imported_from_us: int | None = None
    """When the oldest of its observations was made, where all its values came by imports; else None."""

    @property
    def is_imported(self) -> bool:
        """Whether all that is known of it was imported: its device, if it has one, was never seen by a gateway."""
        if self.imported_from_us is None:
            return False
        return self.device is None or (self.device.last_heard_us is None and self.device.connection is None)

    @property
    def disabled_us(self) -> int | None:
        """Since when its device is disabled; None where it is not, or it has none."""
        return None if self.device is None else self.device.disabled_us

    @property
    def beyond(self) -> bool:
        """Whether any value is over its limit."""
        return any(value.beyond for value in self.values.values())

    @property
    def newest_us(self) -> int | None:
        """When its newest value was observed."""
        return max((value.observed_us for value in self.values.values() if value.observed_us is not None), default=None)

    @property
    def heard_us(self) -> int | None:
        """When it was last heard: its device's last message, or where it has none its newest value.

        What was imported was never heard.
        """
        if self.is_imported:
            return None
        return self.newest_us if self.device is None else self.device.last_heard_us

    def state(self, now_us: int) -> State:
        """Live, silent for too long, never heard, or imported. What sends nothing that can be decoded says nothing."""
        if self.is_imported:
            return "imported"
        heard_us = self.heard_us
        if heard_us is None:
            return "never"
        if self.device is None:
            return "live" if now_us - heard_us <= WRITTEN_FRESH_US else "silent"
        if self.device.disabled_us is not None or now_us - heard_us > self.device.patience_us:
            return "silent"
        return "silent" if self.sends_nonsense else "live"

    @property
    def sends_nonsense(self) -> bool:
        """Whether nothing could be decoded of what the device sent lately."""
        nonsense = None if self.device is None else self.device.undecodable
        if self.device is None or nonsense is None:
            return False
        decoded_us = max((value.modified_us or 0 for value in self.values.values()), default=0)
        return nonsense.received_us > decoded_us + self.device.patience_us // SILENT_AFTER_INTERVALS
