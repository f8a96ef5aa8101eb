"""The demonstration's plan: a project of central Helsinki with one small scenario, begun once the house is ready.

It is planned by the house as any other, in a process of its own that is nicer than it: a few seconds of one core, and
twenty more where nothing was compiled yet. Who removes it is not given it again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from broadstreet.access import Principal
from broadstreet.app.clock import now_us
from broadstreet.jobs import Jobs
from broadstreet.network.ground import Office
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.scenarios import BASE_EXTRACT, NewProject, NewScenario, Plans, PlanWish

if TYPE_CHECKING:
    from broadstreet.app.settings import Settings
    from broadstreet.store import Database, Store

EXAMPLE_FILE: Final = "example-plan"
"""In the data folder once it was begun."""
PROJECT: Final = "Central Helsinki"
SCENARIO: Final = "Every address, from the station"
OFFICE: Final = Office("station", "Central railway station", 24.9443, 60.1712)
SECONDS: Final = 3.0


async def begin_example(settings: Settings, store: Store, database: Database, owner: str) -> None:
    """Make the project and have its scenario planned, once in a data folder. Raises what making and beginning raise."""
    mark = settings.data_path / EXAMPLE_FILE
    if mark.exists():
        return
    jobs = Jobs(store, settings.exports_path, now_us, os.urandom)
    plans = Plans(store, settings.data_path, now_us, jobs)
    mark.touch()
    wanted = NewProject(name=PROJECT, inputs=Inputs(extract=BASE_EXTRACT, offices=(OFFICE,)))
    project = await plans.projects.create(database, wanted, owner)
    asked = NewScenario(name=SCENARIO, wish=PlanWish(seconds=SECONDS))
    scenario = await plans.scenarios.create(database, project, asked, owner)
    principal = Principal.account(owner, owner, database.name, ["administrator"])
    await plans.begin(database, principal, project, scenario)
