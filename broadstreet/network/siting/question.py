"""A question about sensors' sites as a sheet (TOML), for whoever asks without a house.

    aim = "people"
    count = 10
    today = { file = "sensors.geojson" }
    [inputs]
    extract = "helsinki.osm.pbf"

Files are named within the folder of the sheet. A sheet is read whole, and whatever is wrong in it is refused with its
place; what it names is read then, and the case put together.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.model.geometry import Box
from broadstreet.network.ground.courses import Plane
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.inputs import read_ground
from broadstreet.network.ground.layer import Layer, read_layer
from broadstreet.network.ground.sheet import MAX_SHEET_BYTES
from broadstreet.network.ground.sources import Inputs, Source
from broadstreet.network.siting.case import Audience, Map, Measurement, Objective, SitingCase
from broadstreet.network.siting.covariance import Covariance
from broadstreet.network.siting.fitting import fit
from broadstreet.network.siting.hanging import spread
from broadstreet.network.siting.mapping import grid
from broadstreet.network.siting.place import MAX_PLACES, Gateway, Place, columns
from broadstreet.network.siting.prices import default_sensor_prices, read_sensor_prices
from broadstreet.network.siting.reading import gateways_of, places_of, readings_of

Metres = Annotated[float, Meta(gt=0, le=100_000)]
DEFAULT_RANGE_M: Final = 300.0


class Aim(StrEnum):
    """What sites are chosen for: to cover most people, customers or streets, or to leave a map least uncertain."""

    PEOPLE = "people"
    CUSTOMERS = "customers"
    STREETS = "streets"
    MAP = "map"


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """candidates: a layer of places; without one, `spread` lamp posts along the streets. readings: a table of what
    today's sensors read, by which the covariance is fitted; without one it is `covariance`. prices: a sheet."""

    inputs: Inputs
    aim: Aim = Aim.PEOPLE
    count: Annotated[int, Meta(ge=1)] | None = None
    budget: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    radius_m: Metres = 150.0
    is_on_foot: bool = True
    candidates: Source | None = None
    spread: Annotated[int, Meta(ge=1, le=MAX_PLACES)] = 500
    kind: str = "lamp_post"
    today: Source | None = None
    gateways: tuple[Gateway, ...] = ()
    gateway_layer: Source | None = None
    has_mobile: bool = True
    message_bytes: Annotated[int, Meta(ge=1, le=100_000_000)] = 20
    messages_per_hour: Annotated[float, Meta(gt=0, le=1e6)] = 6.0
    map_step_m: Metres = 50.0
    covariance: Covariance = Covariance(range_m=DEFAULT_RANGE_M)
    readings: str | None = None
    prices: str | None = None


def read_question(path: Path) -> Question:
    """The question that a TOML file holds. Raises NotFound, TooLarge, or InvalidInput with the place."""
    if not path.is_file():
        raise NotFound("there is no such file", where=str(path), remedy="Give the path of a TOML file.")
    if path.stat().st_size > MAX_SHEET_BYTES:
        raise TooLarge("this is too long for a question", where=str(path), remedy="Places belong into a layer.")
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Question)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"this is not TOML: {error}", where=str(path), remedy="Mend that line.") from error
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"the question is not right: {error}",
            where=str(path),
            remedy="docs/howto/choose-sensor-sites.md says what it may hold.",
        ) from None


def read_case(question: Question, folder: Path) -> SitingCase:
    """The case of a question: its files read, its ground put together. Raises what these raise."""
    return case_of(question, folder, read_ground(question.inputs, folder))


def case_of(question: Question, folder: Path, ground: Ground, known: tuple[Place, ...] = ()) -> SitingCase:
    """The case of a question on a ground that is there. Fibre comes from the ground's offices. known: sensors of today
    that somebody else knows, beside those of a layer."""
    files = _Files(folder, Box(*(float(edge(axis)) for edge in (np.min, np.max) for axis in (ground.lon, ground.lat))))
    candidates = spread(ground, question.spread, question.kind)
    if question.candidates is not None:
        candidates = places_of(files.layer(question.candidates), question.kind)
    today = known
    if question.today is not None:
        today += places_of(files.layer(question.today), question.kind)
    gateways = question.gateways
    if question.gateway_layer is not None:
        gateways += gateways_of(files.layer(question.gateway_layer))
    prices = default_sensor_prices()
    if question.prices is not None:
        prices = read_sensor_prices(files.path(question.prices))
    is_map = question.aim is Aim.MAP
    return SitingCase(
        ground=ground,
        candidates=candidates,
        prices=prices,
        objective=Objective.VARIANCE if is_map else Objective.COVERAGE,
        audience=Audience.PEOPLE if is_map else Audience(question.aim.value),
        radius_m=question.radius_m,
        is_on_foot=question.is_on_foot,
        measurement=Measurement(question.message_bytes, question.messages_per_hour),
        map=Map(*grid(ground, question.map_step_m), _covariance(question, files, ground, today)),
        today=today,
        gateways=gateways,
        fibre_nodes=tuple(ground.offices.node.tolist()),
        has_mobile=question.has_mobile,
        count=question.count,
        budget_cents=None if question.budget is None else round(question.budget * 100),
    )


class _Files:
    """Where files are read from, and where layers are expected."""

    def __init__(self, folder: Path, expected: Box) -> None:
        self.folder, self.expected = folder.resolve(), expected

    def path(self, name: str) -> Path:
        """A file within the folder. Raises InvalidInput for one that is not."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder):
            raise InvalidInput(f"{name!r} lies outside the folder", where="question", remedy="Name a file within it.")
        return path

    def layer(self, source: Source) -> Layer:
        return read_layer(self.path(source.file), layer=source.layer, crs=source.crs, expected=self.expected)


def _covariance(question: Question, files: _Files, ground: Ground, today: tuple[Place, ...]) -> Covariance:
    if question.readings is None:
        return question.covariance
    by_id = {place.id: place for place in today}
    sensors, readings = readings_of(files.path(question.readings), by_id)
    plane = Plane.about(ground.lon, ground.lat)
    return fit(plane.points(*columns([by_id[id] for id in sensors])), readings)
