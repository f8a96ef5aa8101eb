"""The gateway: where devices' messages come in, by MQTT 3.1.1 and 5 or by HTTP, and where messages to them go out.

A reading's way: bytes reach a `Connection`, its decoder cuts them into runs of packets, the `Conversation`'s intake
checks the topic and adds them to the `Packer`; the pack goes to the log with fsync; then, in the order in which the
messages came, PUBACKs go back, as many as can in one write. Beside that, subscribers get each message through their
`Session`, which may outlive its connection, retained ones are kept, and what became of each device's connection is
written down. Several gateways are one broker: what belongs to nobody's connection (sessions that stay, wills, retained
messages) is in the log, which each follows; what one has for subscribers at another it hands on (`Exchange`), and HTTP
ingest does likewise.

What must always hold: nothing is acknowledged that is not on disk; acknowledgements keep the order of their messages;
receive times are unique for each device; everything has a bound (bounds.py), and over it there is back-pressure or a
clear refusal; one client, however broken, slow or hostile, harms no other.
"""

from broadstreet.gateway.counters import Counters, CountersReport
from broadstreet.gateway.exchange import Exchange
from broadstreet.gateway.gateway import Gateway
from broadstreet.gateway.http import HttpIngest
from broadstreet.gateway.packer import Packer
from broadstreet.gateway.routes import readings_router

__all__ = ["Counters", "CountersReport", "Exchange", "Gateway", "HttpIngest", "Packer", "readings_router"]
