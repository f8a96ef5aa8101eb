"""Which MQTT topics a principal may publish to and subscribe to: one table, deny by default, as for routes.

The first rule whose filter matches a topic decides it. A topic filter is allowed where all that it can match is: so
somebody who may not see commands subscribes to `devices/+/readings`, and not to `devices/#`. A device has its own
topics, whatever the rules ask of people, but not those by which the house speaks to it. docs/reference/mqtt.md shows
the same table, and a test compares.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from broadstreet.access.policy import Permission
from broadstreet.access.principal import Principal


class TopicRule(NamedTuple):
    """What the topics of a filter ask of whoever subscribes, or publishes there; None: nobody may."""

    filter: str
    subscribe: Permission | None
    publish: Permission | None


TOPIC_RULES: Final = (
    TopicRule("devices/+/commands/+/result", "device:read", "reading:write"),
    TopicRule("devices/+/commands/+/#", "device:read", None),
    TopicRule("devices/+/readings", "entity:read", "reading:write"),
    TopicRule("devices/#", "entity:read", "reading:write"),
)


def may_connect(principal: Principal) -> bool:
    """Whether there is any topic for a principal."""
    asked = {permission for rule in TOPIC_RULES for permission in (rule.subscribe, rule.publish)}
    return any(permission is not None and principal.may(permission) for permission in asked)


def may_publish(principal: Principal, topic: str) -> bool:
    """Whether a principal may publish to a topic, in its tenant."""
    if principal.kind == "device" and not _is_below(topic, principal.name):
        return False
    for rule in TOPIC_RULES:
        if overlap(rule.filter, topic):
            return rule.publish is not None and _has_device(topic) and principal.may(rule.publish)
    return False


def may_subscribe(principal: Principal, topic_filter: str) -> bool:
    """Whether a principal may see all that a filter can match, in its tenant. Not one of a shared subscription's form.

    A credential that shows less than the whole tenant says nothing of topics, and sees none.
    """
    if principal.kind == "device":
        return _is_below(topic_filter, principal.name)
    if principal.reach is not None or not covers(TOPIC_RULES[-1].filter, topic_filter):
        return False
    for rule in TOPIC_RULES:
        if overlap(rule.filter, topic_filter):
            if rule.subscribe is None or not principal.may(rule.subscribe):
                return False
            if covers(rule.filter, topic_filter):
                return True
    return False


def overlap(one: str, other: str) -> bool:
    """Whether some topic matches both filters; either may be a topic."""
    left, right = one.split("/"), other.split("/")
    for at in range(max(len(left), len(right))):
        here, there = (levels[at] if at < len(levels) else None for levels in (left, right))
        if "#" in (here, there):
            return True  # which matches what is above it, too (MQTT 5, 4.7.1.2)
        if here is None or there is None:
            return False
        if here != there and "+" not in (here, there):
            return False
    return True


def covers(wide: str, narrow: str) -> bool:
    """Whether all that the second filter matches, the first one matches too."""
    left, right = wide.split("/"), narrow.split("/")
    for at, level in enumerate(left):
        if level == "#":
            return len(right) >= at
        if at >= len(right) or right[at] == "#" or level not in ("+", right[at]):
            return False
    return len(left) == len(right)


def _has_device(topic: str) -> bool:
    """Whether a topic is below a device's."""
    levels = topic.split("/", 2)
    return len(levels) == 3 and all(levels)


def _is_below(topic: str, device: str) -> bool:
    prefix = f"devices/{device}/"
    return topic.startswith(prefix) and len(topic) > len(prefix)
