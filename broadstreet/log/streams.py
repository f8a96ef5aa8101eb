"""The streams of the log and their rules.

RAW refuses what does not fit (`discard: new`): what was acknowledged never vanishes, and a full log is back-pressure.
DEAD likewise. CHANGES and OUT are windows: a reader that comes too late reads the store again. RETAINED and SESSIONS
keep the newest message of a subject. QUEUE refuses what a session's own queue has no room for.
"""

from __future__ import annotations

from typing import Final

import msgspec
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

RAW, CHANGES, OUT, DEAD, RETAINED = "RAW", "CHANGES", "OUT", "DEAD", "RETAINED"
SESSIONS, QUEUE = "SESSIONS", "QUEUE"
MAX_QUEUE_MESSAGES = 10_000
"""What waits in the log for one session."""
GIB = 1024**3
DUPLICATE_WINDOW_S = 120.0
"""How long JetStream remembers message ids. It only saves work: `origin.pack_id` is what rejects a repeated pack."""


class StreamLimits(msgspec.Struct, frozen=True):
    """How much of the disk each stream may take, in bytes, and how long the windows reach back, in seconds."""

    raw_bytes: int = 4 * GIB
    changes_bytes: int = 1 * GIB
    changes_age_s: float = 86_400.0
    out_bytes: int = 256 * 1024**2
    out_age_s: float = 86_400.0
    dead_bytes: int = 1 * GIB
    retained_bytes: int = 256 * 1024**2
    sessions_bytes: int = 256 * 1024**2
    queue_bytes: int = 1 * GIB
    queue_age_s: float = 7 * 86_400.0


def stream_configs(limits: StreamLimits) -> list[StreamConfig]:
    """The configuration of every stream."""

    def stream(name: str, subject: str, max_bytes: int, discard: DiscardPolicy, max_age_s: float = 0) -> StreamConfig:
        return StreamConfig(
            name=name,
            subjects=[subject],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=discard,
            max_bytes=max_bytes,
            max_age=max_age_s,
            num_replicas=1,
            duplicate_window=DUPLICATE_WINDOW_S,
        )

    retained = stream(RETAINED, "retained.*.*", limits.retained_bytes, DiscardPolicy.NEW)
    retained.max_msgs_per_subject = 1
    sessions = stream(SESSIONS, "session.*.*.*", limits.sessions_bytes, DiscardPolicy.NEW)
    sessions.max_msgs_per_subject = 1
    queue = stream(QUEUE, "queue.*.*", limits.queue_bytes, DiscardPolicy.NEW, limits.queue_age_s)
    queue.max_msgs_per_subject = MAX_QUEUE_MESSAGES
    queue.discard_new_per_subject = True
    return [
        stream(RAW, "raw.*.*", limits.raw_bytes, DiscardPolicy.NEW),
        stream(CHANGES, "changes.*", limits.changes_bytes, DiscardPolicy.OLD, limits.changes_age_s),
        stream(OUT, "out.*.*", limits.out_bytes, DiscardPolicy.OLD, limits.out_age_s),
        stream(DEAD, "dead.*", limits.dead_bytes, DiscardPolicy.NEW),
        retained,
        sessions,
        queue,
    ]


STREAMS: Final = tuple(str(config.name) for config in stream_configs(StreamLimits()))
"""Every stream's name."""
REFUSING: Final = tuple(
    str(config.name) for config in stream_configs(StreamLimits()) if config.discard is DiscardPolicy.NEW
)
"""The streams that refuse when they are full, within `log.<name>_bytes`; the others forget what is oldest."""
