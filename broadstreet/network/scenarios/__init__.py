"""Plans that are kept: projects with what they are made from, scenarios of each, and what came of them.

In comes a `NewProject`: its `Inputs` name files that are its sources. A `NewScenario` says what is wished of it, a
`NewSiting` asks where sensors go. `Plans` keeps them in the tenant's own tables and the files in the data folder; it
has a ground looked at, a scenario planned, a question answered, each as a job, in a process of its own (`python -m
broadstreet.network.scenarios`, of which `making` and `choosing` are what it does and `planner` how it is followed).
What came of it is read back by a `Shelf`, drawn, followed fibre by fibre, and compared.

What must always hold: a tenant sees its own alone; a plan that is shown has been checked by `network/proof`; a wish
stays as it was planned; what was made is there whole, or not at all.
"""

from broadstreet.network.scenarios.cases import Cases, Figures, KeptCase, NamedCase, Study
from broadstreet.network.scenarios.comparison import (
    ComparedItem,
    ComparedTerm,
    check_count,
    compare_bills,
    compare_terms,
    draw_differences,
)
from broadstreet.network.scenarios.design import Kept, Shelf, layer_file
from broadstreet.network.scenarios.drawing import LAYERS
from broadstreet.network.scenarios.following import CableView, Follower, PathView, PremisesView
from broadstreet.network.scenarios.handing import format_of
from broadstreet.network.scenarios.look import Look
from broadstreet.network.scenarios.looks import GROUND_LAYERS, LookedAt, find_look, ground_layer
from broadstreet.network.scenarios.plans import KIND, LOOK, SENSORS, PlanLimits, Plans, base_extract
from broadstreet.network.scenarios.project import (
    BASE_EXTRACT,
    NewProject,
    Project,
    ProjectChange,
    Projects,
    RegistrySites,
    inputs_of,
)
from broadstreet.network.scenarios.scenario import (
    Better,
    NewScenario,
    Outcome,
    Scenario,
    ScenarioChange,
    Scenarios,
    ScenarioState,
)
from broadstreet.network.scenarios.sheet import SHEETS
from broadstreet.network.scenarios.siting import NewSiting, Siting, SitingFigures, SitingState, SitingWish
from broadstreet.network.scenarios.sitings import SitingWork
from broadstreet.network.scenarios.source import Source
from broadstreet.network.scenarios.trouble import Refused, Trouble, around, error_of, places_of, trouble_of
from broadstreet.network.scenarios.wish import PlanWish, Sheets

__all__ = [
    "BASE_EXTRACT",
    "GROUND_LAYERS",
    "KIND",
    "LAYERS",
    "LOOK",
    "SENSORS",
    "SHEETS",
    "Better",
    "CableView",
    "Cases",
    "ComparedItem",
    "ComparedTerm",
    "Figures",
    "Follower",
    "Kept",
    "KeptCase",
    "Look",
    "LookedAt",
    "NamedCase",
    "NewProject",
    "NewScenario",
    "NewSiting",
    "Outcome",
    "PathView",
    "PlanLimits",
    "PlanWish",
    "Plans",
    "PremisesView",
    "Project",
    "ProjectChange",
    "Projects",
    "Refused",
    "RegistrySites",
    "Scenario",
    "ScenarioChange",
    "ScenarioState",
    "Scenarios",
    "Sheets",
    "Shelf",
    "Siting",
    "SitingFigures",
    "SitingState",
    "SitingWish",
    "SitingWork",
    "Source",
    "Study",
    "Trouble",
    "around",
    "base_extract",
    "check_count",
    "compare_bills",
    "compare_terms",
    "draw_differences",
    "error_of",
    "find_look",
    "format_of",
    "ground_layer",
    "inputs_of",
    "layer_file",
    "places_of",
    "trouble_of",
]
