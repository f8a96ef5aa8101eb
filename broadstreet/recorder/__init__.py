"""The recorder: from the log to store and history, exactly once.

In come packs, partition by partition; out go observations, current values, changes, dead letters, and commands to
devices, whose answers come back in packs. `Recorder(log, store, partitions).run()` does it until cancelled. One
transaction applies a batch of packs and advances the partition's cursor, so that a crash at any moment neither loses
nor doubles anything.

What must always hold: a pack's id is applied once, and so is a message of QoS 2 under its packet identifier; a reading
becomes current only if its time is not older than what is current; older readings do not cross a tombstone; what cannot
be decoded is kept as a dead letter with its reason; RAW is trimmed only below the cursor.
"""

from broadstreet.recorder.meter import Meter, MeterReport
from broadstreet.recorder.recorder import Recorder

__all__ = ["Meter", "MeterReport", "Recorder"]
