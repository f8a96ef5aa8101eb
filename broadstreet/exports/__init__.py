"""Taking data away: history and entities, whole or summed up, as CSV, NDJSON, Parquet, Arrow or GeoJSON.

In comes a `Wish`: one description of what is wanted, which is a URL too, so that it can be handed on and runs with the
rights of whoever opens it. `Exports.stream` makes the file piece by piece as it is read; `Exports.begin` makes a job of
it (`jobs/`), whose file waits to be fetched.

What must always hold: a file is of one moment, over table and long past alike; memory is bounded by a piece, whatever
is asked for; every format says the same rows, and an empty answer is a whole file; who takes what away is in the audit
before the first byte leaves; the right is looked at when the wish is made, when it is carried out and when its file is
fetched.
"""

from broadstreet.exports.exports import KIND, Exported, Exports
from broadstreet.exports.forms import MEDIA_TYPES
from broadstreet.exports.wish import PERMISSION, Format, What, Wish, parse_wish

__all__ = ["KIND", "MEDIA_TYPES", "PERMISSION", "Exported", "Exports", "Format", "What", "Wish", "parse_wish"]
