"""`python -m broadstreet.network.scenarios FOLDER ground|plan|papers|sensors`: work of a folder, in its own process.

In come `task.json`, the sources in `files/`, and `ground` where it was read before; for papers `order.json`, for
sensors `question.json`, and `statement` where their fibre comes from a plan. Out go `out/` with what was made, a line
of `progress` for each stage and each better plan, and at last `result.json`: figures, or what was wrong. SIGINT ends
the search with the best there is; SIGTERM ends the process. It is nicer than whoever serves people, and the first to go
where memory runs out.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from broadstreet.city.stated import stated_bounds
from broadstreet.model.errors import BroadstreetError
from broadstreet.network.ground import Fault, Ground, offices_geojson, premises_geojson, ways_geojson
from broadstreet.network.ground.drawing import faults_geojson
from broadstreet.network.scenarios.choosing import choose
from broadstreet.network.scenarios.drawing import layers_of
from broadstreet.network.scenarios.handing import Order, carry_out_order
from broadstreet.network.scenarios.look import look_at
from broadstreet.network.scenarios.making import Stopping, plan, warm
from broadstreet.network.scenarios.packed import pack_ground, pack_statement, unpack_ground, unpack_statement
from broadstreet.network.scenarios.planner import Line, Result
from broadstreet.network.scenarios.reading import read
from broadstreet.network.scenarios.scenario import Better
from broadstreet.network.scenarios.siting import SitingTask
from broadstreet.network.scenarios.standing import standing_layers
from broadstreet.network.scenarios.task import Task
from broadstreet.network.scenarios.trouble import around, trouble_of

NICENESS: Final = 10
OOM_SCORE: Final = "500"


class _Work:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.stopping = Stopping()
        signal.signal(signal.SIGINT, lambda *_: self.stopping.stop())

    @cached_property
    def task(self) -> Task:
        return msgspec.json.decode((self.folder / "task.json").read_bytes(), type=Task)

    def about(self) -> list[Fault]:
        """Where what is planned lies, for a refusal without a place of its own."""
        if not (self.folder / "task.json").is_file():
            return []
        inputs = self.task.inputs
        return around(
            msgspec.to_builtins(inputs),
            stated_bounds(self.folder / "files" / inputs.extract) if inputs.extract else None,
        )

    def tell(self, line: Line) -> None:
        with (self.folder / "progress").open("ab") as progress:
            progress.write(msgspec.json.encode(line) + b"\n")

    def better(self, better: Better) -> None:
        self.tell(Line(better=better))

    def ground(self) -> Ground:
        kept = self.folder / "ground"
        if kept.is_file():
            return unpack_ground(kept.read_bytes())
        self.tell(Line(stage="reading"))
        return read(self.task, self.folder / "files")

    def write(self, name: str, data: bytes) -> None:
        path = self.out / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(data)

    def look(self) -> Result:
        """The ground by itself, and its layers."""
        ground = self.ground()
        self.write("ground", pack_ground(ground))
        for name, drawn in (
            ("ways", ways_geojson(ground)),
            ("premises", premises_geojson(ground)),
            ("offices", offices_geojson(ground)),
            ("faults", faults_geojson(ground.faults)),
            *standing_layers(self.task, self.folder / "files").items(),
        ):
            self.write(f"layers/{name}.geojson", drawn)
        self.write("look.json", msgspec.json.encode(look_at(ground)))
        return Result()

    def plan(self) -> Result:
        """A plan, checked, and its layers."""
        ground = self.ground()
        self.tell(Line(stage="preparing"))
        warm()
        self.tell(Line(stage="planning"))
        planned = plan(
            self.task, ground, self.stopping, self.better, checking=lambda: self.tell(Line(stage="checking"))
        )
        if not planned.findings:
            self.write("ground", pack_ground(planned.ground))
            self.write("statement", pack_statement(planned.statement))
            self.write("sheets", msgspec.msgpack.encode(planned.sheets))
            for name, drawn in layers_of(planned.statement, planned.ground, planned.sheets, planned.faults).items():
                self.write(f"layers/{name}.geojson", drawn)
        return Result(outcome=planned.outcome, findings=planned.findings)

    def sensors(self) -> Result:
        """Where sensors go, checked, and its layers."""
        ground, kept = self.ground(), self.folder / "statement"
        self.tell(Line(stage="planning"))
        chosen = choose(
            msgspec.json.decode((self.folder / "question.json").read_bytes(), type=SitingTask),
            ground,
            unpack_statement(kept.read_bytes()) if kept.is_file() else None,
            self.folder / "files",
            self.stopping,
            checking=lambda: self.tell(Line(stage="checking")),
        )
        for name, data in chosen.files.items():
            self.write(name, data)
        return Result(figures=chosen.figures)

    def papers(self) -> Result:
        """Papers of a design, as one file."""
        order = msgspec.json.decode((self.folder / "order.json").read_bytes(), type=Order)
        self.out.mkdir(mode=0o700, exist_ok=True)
        carry_out_order(order, self.out / "papers")
        return Result()


def main(arguments: list[str]) -> None:
    """Do the task. What the house can say of its failure is its result."""
    folder, what = Path(arguments[0]), arguments[1]
    os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")
    work = _Work(folder)
    does: dict[str, Any] = {"ground": work.look, "plan": work.plan, "papers": work.papers, "sensors": work.sensors}
    try:
        result = does[what]()
    except BroadstreetError as error:
        result = Result(trouble=trouble_of(error, folder / "files", work.about()))
    part = folder / "result.part"
    part.write_bytes(msgspec.json.encode(result))
    part.replace(folder / "result.json")


if __name__ == "__main__":
    main(sys.argv[1:])
