"""Topic names and topic filters: MQTT 3.1.1 and 5, section 4.7. Both versions have the same rules.

A name is published to; a filter is subscribed with, and may hold `+` for one level and `#` for all that follow.
"""

from __future__ import annotations

MAX_LEVELS = 64
"""The most levels a topic has here. The standard sets no bound; a tree of topics needs one."""
SHARED_PREFIX = "$share/"


def has_wildcard(topic: str) -> bool:
    """Whether a topic holds a wildcard, which a topic name must not (MQTT-3.3.2-2)."""
    return "+" in topic or "#" in topic


def filter_fault(topic_filter: str) -> str | None:
    """What is wrong with a topic filter, in words; None if nothing is."""
    if not topic_filter:
        return "a topic filter is empty [MQTT-4.7.3-1]"
    if topic_filter.startswith(SHARED_PREFIX):
        share, slash, topic_filter = topic_filter[len(SHARED_PREFIX) :].partition("/")
        if not share or has_wildcard(share) or not slash or not topic_filter:
            return "a shared subscription is written $share/name/filter [MQTT-4.8.2-1]"
    levels = topic_filter.split("/")
    if len(levels) > MAX_LEVELS:
        return f"a topic filter has more than {MAX_LEVELS} levels"
    for at, level in enumerate(levels):
        if "#" in level and (level != "#" or at != len(levels) - 1):
            return "# stands alone in the last level of a topic filter [MQTT-4.7.1-1]"
        if "+" in level and level != "+":
            return "+ fills a whole level of a topic filter [MQTT-4.7.1-2]"
    return None


def split_share(topic_filter: str) -> tuple[str, str]:
    """The name of a shared subscription, empty for one that is not shared, and its filter (MQTT 5, section 4.8.2)."""
    if not topic_filter.startswith(SHARED_PREFIX):
        return "", topic_filter
    name, _, rest = topic_filter[len(SHARED_PREFIX) :].partition("/")
    return name, rest
