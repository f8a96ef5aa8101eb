"""Delivery: what leaves the house by itself, and whom it may ask.

A `Hosts` is a rule made from a setting: nobody is asked whom no rule names, so that no request of a stranger's makes
the house reach into the network it stands in. `fetch_json` asks for a document under such a rule, within bounds.
`HttpPost` and `MqttPublish` hand messages to receivers, which `Receivers` looks at by the address that a connection is
made to.
"""

from broadstreet.delivery.fetch import fetch_json
from broadstreet.delivery.hosts import LOOPBACK, NOBODY, Hosts
from broadstreet.delivery.post import DeliveryFailed, HttpPost, HttpRoute
from broadstreet.delivery.publish import MqttPlace, MqttPublish
from broadstreet.delivery.receivers import PORTS, Receivers

__all__ = [
    "LOOPBACK",
    "NOBODY",
    "PORTS",
    "DeliveryFailed",
    "Hosts",
    "HttpPost",
    "HttpRoute",
    "MqttPlace",
    "MqttPublish",
    "Receivers",
    "fetch_json",
]
