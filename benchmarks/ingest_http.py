"""How many readings a second are taken in over HTTP, in batches of 1,000: acknowledged and queryable in PostgreSQL.

    python -m benchmarks.ingest_http --seconds 30 [--batch 1000] [--connections 8] [--devices 200] [--series 10000]

The load holds back while more than `--backlog` readings are not yet queryable. `readings_per_s` counts what was
queryable when the load ended; `lag_s` is how long the rest then took.
"""

from __future__ import annotations

from benchmarks.ingest import Ingest

HTTP = Ingest(
    role="api",
    load="benchmarks.http_load",
    unit="readings",
    task=lambda subject, options: {
        "port": subject.http_port,
        "batch": options.batch,
        "connections": options.connections,
    },
    shown=("batch", "connections"),
)


def main() -> None:
    parser = HTTP.options(seconds=30.0)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--connections", type=int, default=8, help="requests at once")
    parser.add_argument("--devices", type=int, default=200)
    options = parser.parse_args()
    HTTP.run(options, options.devices)


if __name__ == "__main__":
    main()
