"""MQTT 3.1.1 and 5: a codec of our own, and a lean client.

Bytes go into a `Decoder` and come out as packets; `encode` makes bytes of a packet. Both sides of a connection, both
versions, every packet and property. What must always hold: `decode(encode(packet)) == packet`; however a stream is
split, the same packets come out; bytes that break the standard raise a `BadPacket` naming the clause (malformed and
protocol error told apart), and nothing else comes out of a decoder, whatever is fed to it. A busy connection may ask
for runs: consecutive plain PUBLISHes, or PUBACKs, as columns.

No socket is touched here but in `client`: the gateway and the client bring their own.
"""

from __future__ import annotations

from broadstreet.mqtt.decoder import Decoder
from broadstreet.mqtt.encoding import encode, encode_pubacks
from broadstreet.mqtt.packets import (
    Auth,
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    PubAckRun,
    PubComp,
    Publish,
    PublishRun,
    PubRec,
    PubRel,
    Run,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
    Version,
    Will,
)
from broadstreet.mqtt.properties import NO_PROPERTIES, Properties
from broadstreet.mqtt.reasons import Reason, reason_of

__all__ = [
    "NO_PROPERTIES",
    "Auth",
    "ConnAck",
    "Connect",
    "Decoder",
    "Disconnect",
    "Packet",
    "PingReq",
    "PingResp",
    "Properties",
    "PubAck",
    "PubAckRun",
    "PubComp",
    "PubRec",
    "PubRel",
    "Publish",
    "PublishRun",
    "Reason",
    "Run",
    "SubAck",
    "Subscribe",
    "Subscription",
    "UnsubAck",
    "Unsubscribe",
    "Version",
    "Will",
    "encode",
    "encode_pubacks",
    "reason_of",
]
