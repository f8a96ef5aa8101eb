"""Series over time: what entities' attributes were, and what that amounts to.

In come batches of observations as columns (`Observations`), appended inside a caller's transaction under its origin;
out go ranges as columns (`read_range`), whole observations (`read`), aggregates per period (`aggregate`), a whole
city's (`overall`), rankings, hourly bars, charts that keep their shape (`downsample`), and all there is in `pieces`.
What is new lies in a table, what is old in files of Parquet (`past`), whereto `moving` takes it; every read spans both,
and nobody outside knows where a row lies.

What must always hold: (series, time) has one value, and saying it again changes nothing; another value is a
correction that says when it was made; the newest applied observation is the current value unless something newer, or
a newer deletion, stands there; only finite numbers are numbers; a range is half-open, [from, to). Every read goes by
the index (series, time) or by the files' order, and has a bound.
"""

from broadstreet.history.aggregates import Aggregate, Method, Rank, Stat, aggregate, hourly_bars, ranking
from broadstreet.history.appending import Appended, CurrentChange, append, is_free
from broadstreet.history.downsampling import Chart, chart, downsample
from broadstreet.history.erasing import Span, erase_filed, erase_told, filed_of
from broadstreet.history.exporting import held, origins_of, pieces, summed
from broadstreet.history.mover import Moved, Mover, moving, still
from broadstreet.history.observations import NO_META, Observations
from broadstreet.history.origins import forget_origins
from broadstreet.history.overall import Overall, overall
from broadstreet.history.pace import Pace, paces
from broadstreet.history.past import Sight, is_filed
from broadstreet.history.periods import Period, time_zone
from broadstreet.history.reading import (
    Existing,
    Extent,
    Observation,
    Points,
    existing,
    extents,
    firsts,
    nearest_before,
    read,
    read_range,
    written_by,
)
from broadstreet.history.stretch import By, FiledRows, Stretch, filed_rows, filed_series, is_in_files

__all__ = [
    "NO_META",
    "Aggregate",
    "Appended",
    "By",
    "Chart",
    "CurrentChange",
    "Existing",
    "Extent",
    "FiledRows",
    "Method",
    "Moved",
    "Mover",
    "Observation",
    "Observations",
    "Overall",
    "Pace",
    "Period",
    "Points",
    "Rank",
    "Sight",
    "Span",
    "Stat",
    "Stretch",
    "aggregate",
    "append",
    "chart",
    "downsample",
    "erase_filed",
    "erase_told",
    "existing",
    "extents",
    "filed_of",
    "filed_rows",
    "filed_series",
    "firsts",
    "forget_origins",
    "held",
    "hourly_bars",
    "is_filed",
    "is_free",
    "is_in_files",
    "moving",
    "nearest_before",
    "origins_of",
    "overall",
    "paces",
    "pieces",
    "ranking",
    "read",
    "read_range",
    "still",
    "summed",
    "time_zone",
    "written_by",
]
