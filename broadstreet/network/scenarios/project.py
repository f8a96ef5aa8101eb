"""Projects: a name, what plans are made from, and the files of that; kept in the tenant's own tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from broadstreet.model.errors import Conflict, InvalidInput, NotFound, TooLarge, TooMany
from broadstreet.model.misfit import misfit
from broadstreet.network.ground.sources import Inputs, check_places
from broadstreet.network.scenarios.task import FileName, StandingNetwork
from broadstreet.store import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store import Database

MAX_PROJECTS: Final = 100
"""Of a tenant."""
MAX_SOURCES: Final = 50
"""Files of a project."""
MAX_INPUTS_BYTES: Final = 1_000_000
"""What a project's inputs take as JSON: sites that are written down one by one are the most of it."""
ID_BYTES: Final = 10
BASE_EXTRACT: Final = "central-helsinki.osm.pbf"
"""The extract that comes with the house: a project may name it without having it."""

Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^\S(.*\S)?$")]
Networks = Annotated[tuple[FileName | StandingNetwork, ...], Meta(max_length=MAX_SOURCES)]
Words = Annotated[str, Meta(min_length=1, max_length=8_192)]
_SQL = load_queries("plan_project")


class RegistrySites(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entities that are sites to reach, where they stand now.

    type: entity types, as in NGSI-LD (`,` or `|` for any, `;` for all). q: an NGSI-LD query that they must fit.
    critical: a query that those fit to which two ways must lead. fibres: how many each takes.
    """

    type: Words
    q: Words | None = None
    critical: Words | None = None
    fibres: Annotated[int, Meta(ge=1, le=1_000)] = 1


class NewProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project to make. networks: names of its sources that are networks by the Open Fibre Data Standard, alone or
    with what is known beside them: what stands of them is plant. registry: which entities are sites beside those of
    the inputs."""

    name: Name
    inputs: Inputs = Inputs()
    networks: Networks = ()
    registry: RegistrySites | None = None


class ProjectChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays."""

    name: Name | UnsetType = UNSET
    inputs: Inputs | UnsetType = UNSET
    networks: Networks | UnsetType = UNSET
    registry: RegistrySites | UnsetType | None = UNSET


def files_of(networks: Sequence[str | StandingNetwork]) -> list[str]:
    """The files of networks."""
    return [StandingNetwork.of(network).file for network in networks]


def inputs_of(described: Mapping[str, Any]) -> Inputs:
    """Inputs from their parts. Raises InvalidInput."""
    try:
        inputs = msgspec.convert(described, Inputs)
    except msgspec.ValidationError as error:
        what, place = misfit(str(error))
        raise InvalidInput(
            f"the inputs are not right: {what}",
            where=f"inputs.{place}" if place else "inputs",
            remedy="docs/reference/network.md says what they may hold.",
        ) from None
    check_places(inputs)
    return inputs


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project as it stands. scenarios, sources: how many it has; times in microseconds since 1970."""

    key: int
    id: str
    name: str
    inputs: Inputs
    networks: tuple[str | StandingNetwork, ...]
    registry: RegistrySites | None
    owner: str
    created_us: int
    changed_us: int
    scenarios: int
    sources: int

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that its inputs speak of, each once."""
        inputs = self.inputs
        layers = (*inputs.demand, *inputs.site_layers, *inputs.plant, *inputs.chambers, *inputs.office_layers)
        names = [inputs.extract, inputs.catalogue, *files_of(self.networks), *(layer.file for layer in layers)]
        if inputs.streets is not None:
            names.append(inputs.streets.file)
        return tuple(dict.fromkeys(name for name in names if name is not None))


class Projects:
    """A tenant's projects. random_bytes: fit for ids."""

    def __init__(self, clock: Callable[[], int], random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes

    async def create(self, database: Database, wanted: NewProject, owner: str) -> Project:
        """Make one. Raises Conflict where another has its name, TooMany, TooLarge."""
        values = _values(wanted.inputs, wanted.networks, wanted.registry)
        identifier = self._random_bytes(ID_BYTES).hex()
        async with database.transaction() as connection:
            await connection.execute(_SQL["lock"])
            if await connection.fetchval(_SQL["count"]) >= MAX_PROJECTS:
                raise TooMany(f"there are {MAX_PROJECTS} projects already", remedy="Remove one first.")
            row = await connection.fetchrow(_SQL["insert"], identifier, wanted.name, *values, owner, self._clock())
        if row is None:
            raise _taken(wanted.name)
        return _project(row)

    async def list(self, database: Database) -> list[Project]:
        """All of them, by name."""
        return [_project(row) for row in await database.fetch(_SQL["list"])]

    async def find(self, database: Database, identifier: str) -> Project:
        """One of them. Raises NotFound."""
        row = await database.fetchrow(_SQL["find"], identifier)
        if row is None:
            raise NotFound(f"there is no project {identifier[:80]!r}", where="project")
        return _project(row)

    async def change(self, database: Database, project: Project, change: ProjectChange) -> Project:
        """Make something of it otherwise. Raises Conflict where another has the name, TooLarge."""
        name = project.name if change.name is UNSET else change.name
        inputs = project.inputs if change.inputs is UNSET else change.inputs
        networks = project.networks if change.networks is UNSET else change.networks
        registry = project.registry if change.registry is UNSET else change.registry
        async with database.transaction() as connection:
            await connection.execute(_SQL["lock"])
            holder = await connection.fetchval(_SQL["named"], name)
            if holder not in (None, project.key):
                raise _taken(name)
            values = _values(inputs, networks, registry)
            await connection.execute(_SQL["update"], project.key, name, *values, self._clock())
        return await self.find(database, project.id)

    async def remove(self, database: Database, project: Project) -> None:
        """It goes with its scenarios and sources; its files are the caller's to remove."""
        await database.execute(_SQL["remove"], project.key)

    async def ids(self, database: Database) -> set[str]:
        """The ids of all there are."""
        return {row["id"] for row in await database.fetch(_SQL["ids"])}


def _values(
    inputs: Inputs, networks: tuple[str | StandingNetwork, ...], registry: RegistrySites | None
) -> tuple[dict[str, Any], list[str], dict[str, Any] | None]:
    """What the table has of them. Raises InvalidInput, TooLarge."""
    kept = msgspec.to_builtins(inputs)
    if (size := len(msgspec.json.encode(kept))) > MAX_INPUTS_BYTES:
        raise TooLarge(
            f"inputs of {size:,} bytes are over the bound of {MAX_INPUTS_BYTES:,}",
            where="inputs",
            remedy="Put sites and areas into a layer, and give that as a source.",
        )
    if len(set(files_of(networks))) != len(networks):
        raise InvalidInput("a source is named twice", where="networks", remedy="Name each once.")
    return kept, msgspec.to_builtins(networks), None if registry is None else msgspec.to_builtins(registry)


def _taken(name: str) -> Conflict:
    return Conflict(f"there is a project {name!r} already", where="name", remedy="Choose another name.")


def _project(row: asyncpg.Record) -> Project:
    return Project(
        key=row["key"],
        id=row["id"],
        name=row["name"],
        inputs=msgspec.convert(row["inputs"], Inputs),
        networks=msgspec.convert(row["networks"], tuple[str | StandingNetwork, ...]),
        registry=None if row["registry"] is None else msgspec.convert(row["registry"], RegistrySites),
        owner=row["owner"],
        created_us=row["created_at"],
        changed_us=row["changed_at"],
        scenarios=row["scenarios"],
        sources=row["sources"],
    )
