"""Every bound of the gateway, and how they hang together."""

from __future__ import annotations

from typing import Final

from broadstreet.log import MAX_PACK_BYTES, MAX_PACK_MESSAGES, SESSION_BYTES
from broadstreet.mqtt.decoder import MAX_RUN

MIB: Final = 1024 * 1024

# Packets and connections
MAX_PACKET_BYTES: Final = MIB
"""The largest MQTT packet taken."""
READ_BYTES: Final = 256 * 1024
"""What the event loop hands over at most in one piece."""
MAX_CONNECTIONS: Final = 50_000
MAX_CLIENT_ID_BYTES: Final = 256
CONNECT_WITHIN_S: Final = 10.0
"""How long a connection may be open before its CONNECT is complete."""
LONGEST_KEEP_ALIVE_S: Final = 3_600
"""What a version 5 client is told to keep to if it asks for more, or for none."""
SWEEP_EVERY_S: Final = 0.5
SIGN_IN_WITHIN_S: Final = 30.0
BACKLOG: Final = 4096
"""Connections the system may hold before they are accepted."""
HANDSHAKE_WITHIN_S: Final = 8.0
"""How long agreeing on TLS may take."""
MAX_HANDSHAKES: Final = 1_000
"""Under way at once."""
MAX_HANDSHAKES_PER_ADDRESS: Final = 250
HANDSHAKES_AT_A_TURN: Final = 8
HANDSHAKES_EVERY_S: Final = 0.01
"""So many begin so far apart: a crowd that comes back takes no more than the better half of a processor."""
STOP_WITHIN_S: Final = 5.0
"""What each step of a stop may take."""
TURN_PACKETS: Final = 512
"""Packets of one connection that are handled before the others have their turn."""
RUN_DISCOUNT: Final = 16
"""How many messages of a run count as one packet there."""
HEAR_OUT_S: Final = 3.0
"""How long a client that was sent away may go on sending, unheard, so that it reads why."""
LINGER_CLOSED_S: Final = 5.0
"""How long a closing connection may take to send what was written to it."""

# Publishing
RECEIVE_MAXIMUM: Final = 4096
"""QoS 1 and 2 messages of one connection that may await their acknowledgement; then its socket is read no further."""
TOPIC_ALIAS_MAXIMUM: Final = 16
MAX_ROUTES: Final = 64
"""Topics whose meaning a connection remembers."""
REFUSED_LINGER_S: Final = 5.0
"""After a refusal that 3.1.1 cannot tell, how long the connection stays before it is closed."""

# Packs
TARGET_PACK_BYTES: Final = 512 * 1024
TARGET_PACK_MESSAGES: Final = 4096
"""A pack of this size goes out at once."""
PACK_EVERY_S: Final = 0.005
"""A partition's packs go out this far apart under load; after a longer silence, at once."""
PACKS_IN_FLIGHT: Final = 4
"""Packs of one partition that await the log."""
HELD_BYTES_HIGH: Final = 64 * MIB
HELD_BYTES_LOW: Final = 16 * MIB
"""Above the first, sockets are read no further; below the second, they are read again."""
MESSAGE_OVERHEAD_BYTES: Final = 40
"""What a message costs in a pack beside its payload, at most, and roughly in memory."""
RETRY_FIRST_S: Final = 0.05
RETRY_LONGEST_S: Final = 1.0
FULL_FOR_S: Final = 0.5
"""After the log said it is full, packs are refused this long without asking it again."""

# Subscribing
MAX_SUBSCRIPTIONS: Final = 100
"""Of one session."""
SEND_MAXIMUM: Final = 256
"""QoS 1 and 2 messages to one client that may await its answers, if it does not ask for fewer."""
SEND_ALIASES_MAXIMUM: Final = 16
"""Topic aliases used towards one client, if it takes so many."""
MAX_QUEUED_MESSAGES: Final = 1_000
MAX_QUEUED_BYTES: Final = 8 * MIB
"""What waits for one slow subscriber before it is disconnected."""
WRITE_HIGH_BYTES: Final = 256 * 1024
"""Above this the socket of a subscriber is taken for slow: QoS 0 messages to it are dropped."""
SLOW_FOR_S: Final = 30.0
"""A subscriber that takes nothing for this long is disconnected."""
MAX_RETAINED: Final = 100_000
"""Retained messages of one tenant."""
MAX_RETAINED_WAITING: Final = 10_000
RETAINED_AT_ONCE: Final = 16
"""Retained messages written to the log at the same time."""

# Sessions
LONGEST_SESSION_S: Final = 7 * 86_400
"""How long a session outlives its connection at most, whatever the client asks for."""
MAX_SESSIONS: Final = 20_000
"""Sessions that outlive their connections, of all tenants and gateways."""
SESSIONS_EVERY_S: Final = 1.0
"""How often it is looked which of them are over."""
LOAD_WITHIN_S: Final = 10.0
"""How long a client waits for a gateway that has just started to know the sessions, and what is retained."""
RECORDS_AT_ONCE: Final = 1_000
QUEUED_AT_ONCE: Final = 64
"""Messages for one session written to the log at the same time."""
MAX_QUEUING_BYTES: Final = 64 * MIB
"""Of messages on their way to sessions' queues; beyond it, sessions miss messages."""
MAIL_AT_ONCE: Final = 64
MAIL_WAIT_S: Final = 30.0
PLACE_EVERY_S: Final = 1.0
"""How long it may take until how far a client has come is written."""
INCARNATION_BYTES: Final = SESSION_BYTES
"""Tell one session under a client id from the next."""

# Between gateways
SAID_FOR_S: Final = 60.0
"""How long the log says of what is over that it is, for every gateway to hear."""
FORGET_EVERY_S: Final = 10.0
HERE_EVERY_S: Final = 1.0
"""How often a process says that it is there."""
GONE_AFTER_S: Final = 5.0
"""Unheard for this long, it is taken for gone."""
TELL_EVERY_S: Final = 0.02
"""How far apart changes of what its sessions want are told."""
MAX_WISHES: Final = 500
"""Filters of a tenant's that a process tells the others; more are told in a coarser form."""
MAX_SHARES: Final = 500
"""Shared subscriptions of one tenant at one gateway, of sessions that end with their connection."""
LINK_BATCH_ITEMS: Final = 512
LINK_BATCH_BYTES: Final = 256 * 1024
LINK_EVERY_S: Final = 0.002
"""Batches from one process to another: their size, and how far apart they go out under load."""
LINK_WINDOW: Final = 32
"""Batches on their way to one process that are not known to be taken."""
MAX_LINK_BYTES: Final = 16 * MIB
"""What waits for one process; more is dropped."""
RESEND_AFTER_S: Final = 1.0
OUT_FOR_S: Final = 300
"""How long a message of the house to a device waits for a gateway."""
MAX_EARS: Final = 1_000
"""Lives of other processes whose batches are counted."""

# Signing in
MAX_SIGN_INS: Final = 16
"""Asked of the database at the same time."""
MAX_SIGN_INS_WAITING: Final = 5_000
SHUT_OUT_EVERY_S: Final = 2.0
SHUT_OUT_FIRST_S: Final = 0.1
MAX_SHUT_OUT_ASKED: Final = 5_000
"""How often it is asked who of those who are connected may stay, at least and at most, and of how many at a time."""

FAILURES_WITHIN_S: Final = 900.0
"""How long a refused sign-in counts against its address."""
LONGEST_PAUSE_S: Final = 20.0
"""What an address waits at most for the answer to another."""
MAX_PLACES: Final = 10_000
"""Addresses of which it is known how often they were refused."""

# Whoever goes over a limit
SAY_EVERY_S: Final = 60.0
"""How far apart the log says so of one limit."""
SPARE_S: Final = 1.0
"""What a device that was quiet may send at once: so much time's worth."""
LONGEST_REST_S: Final = 30.0
"""Whoever sends so far ahead of its rate is disconnected; before, it is read more slowly."""

# HTTP ingest
MAX_ITEMS: Final = 100_000
MAX_ITEM_BYTES: Final = 256 * 1024
MAX_REQUESTS: Final = 64
"""Requests at once; each may hold a body as large as the application takes."""
SETTLED_WITHIN_S: Final = 30.0
"""How long an answer waits for the log."""

SIGHTINGS_EVERY_S: Final = 1.0
REPORT_EVERY_S: Final = 1.0
DISK_EVERY_S: Final = 1.0

assert MAX_PACKET_BYTES + READ_BYTES + MAX_RUN * MESSAGE_OVERHEAD_BYTES + TARGET_PACK_BYTES <= MAX_PACK_BYTES
assert MAX_RUN <= TARGET_PACK_MESSAGES <= MAX_PACK_MESSAGES // 2
assert MAX_ITEM_BYTES <= MAX_PACKET_BYTES
assert HELD_BYTES_LOW < HELD_BYTES_HIGH
assert RECEIVE_MAXIMUM < 65_536
assert HANDSHAKE_WITHIN_S < CONNECT_WITHIN_S
assert LONGEST_PAUSE_S < SIGN_IN_WITHIN_S
