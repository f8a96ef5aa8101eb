"""How many MQTT messages a second are taken in, QoS 1, one reading each: acknowledged and queryable in PostgreSQL.

    python -m benchmarks.ingest_mqtt --seconds 60 [--connections 200] [--series 10000] [--window 100] [--backlog 50000]

The gateway takes in several times what can be written to PostgreSQL, and would keep the recorder from its work; so the
load holds back while more than `--backlog` acknowledged messages are not yet queryable (0: it never does).
`messages_per_s` counts what was queryable at the moment the load ended; `lag_s` is how long the rest then took.
"""

from __future__ import annotations

from benchmarks.ingest import Ingest

MQTT = Ingest(
    role="gateway",
    load="benchmarks.mqtt_load",
    unit="messages",
    task=lambda subject, options: {"port": subject.mqtt_port, "window": options.window},
    shown=("latency_ms_p50", "latency_ms_p99", "connections"),
)


def main() -> None:
    parser = MQTT.options(seconds=60.0)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--window", type=int, default=100, help="messages of one connection on their way at once")
    options = parser.parse_args()
    MQTT.run(options, options.connections)


if __name__ == "__main__":
    main()
