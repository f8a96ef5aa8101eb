"""A device's own side of the house: what a good device does, to run beside a house and to read as an example.

    a source ──▶ Memory (on disk) ──▶ MqttLink or HttpLink ──▶ the house
                    Memory ◀── commands ── the same link;  Actuator executes each once, and its answer goes back

`Outpost` puts the parts together: it takes readings from a source (`Sensor`, or `Lines` of a file or of standard
input), each with its own time, and sends them when it can. It speaks through the public edges alone, and of the house
it knows nothing but the codec of MQTT.

What must always hold: a reading is on disk before it is sent, and stays until it is acknowledged, so that an outage and
a kill lose none; it carries its time, so that sending it twice counts once; a command's effect and its being done are
one transaction, so that it is executed once however often it is offered. Everything has a bound, and says so.
"""

from broadstreet.outpost.actuator import Actuator, Rejected
from broadstreet.outpost.clock import DeviceClock
from broadstreet.outpost.credential import Credential, read_credential, write_credential
from broadstreet.outpost.enrolment import enrol_by_http, enrol_by_mqtt
from broadstreet.outpost.http_link import HttpLink
from broadstreet.outpost.link import Link, Refused, Retry
from broadstreet.outpost.memory import Memory
from broadstreet.outpost.mqtt_link import MqttAddress, MqttLink
from broadstreet.outpost.outpost import Outpost
from broadstreet.outpost.source import Lines, Sensor, Source

__all__ = [
    "Actuator",
    "Credential",
    "DeviceClock",
    "HttpLink",
    "Lines",
    "Link",
    "Memory",
    "MqttAddress",
    "MqttLink",
    "Outpost",
    "Refused",
    "Rejected",
    "Retry",
    "Sensor",
    "Source",
    "enrol_by_http",
    "enrol_by_mqtt",
    "read_credential",
    "write_credential",
]
