"""What one client, address or device may take of a gateway; an operator may set each. The bounds of the house itself
stand in bounds.py, and these keep within them.
"""

from __future__ import annotations

import msgspec

from broadstreet.gateway.bounds import MAX_CONNECTIONS, MAX_PACKET_BYTES, MAX_SUBSCRIPTIONS, RECEIVE_MAXIMUM


class Limits(msgspec.Struct, frozen=True):
    """
    connections, connections_per_address, connections_per_device: at the same time, at one gateway.
    sign_in_failures: of one address in a quarter of an hour, that are answered at once.
    packet_bytes:     the largest packet that is taken.
    messages_per_s, bytes_per_s: of one device over all its connections; 0: as many as there is room for.
    in_flight:        QoS 1 and 2 messages of one connection that await their acknowledgement.
    subscriptions:    of one session.
    """

    connections: int = MAX_CONNECTIONS
    connections_per_address: int = 25_000
    connections_per_device: int = 100
    sign_in_failures: int = 20
    packet_bytes: int = MAX_PACKET_BYTES
    messages_per_s: float = 10_000.0
    bytes_per_s: float = 10_000_000.0
    in_flight: int = RECEIVE_MAXIMUM
    subscriptions: int = MAX_SUBSCRIPTIONS


DEFAULT_LIMITS = Limits()
