"""`python -m simulator`: lets the city of a credentials file live, as MQTT clients, until it is stopped."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import uvloop

from simulator.fleet import FleetFileWrong, read_fleet
from simulator.live import CityTime, LiveCity, run_until_signalled


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    try:
        fleet = read_fleet(options.credentials)
    except FleetFileWrong as wrong:
        logging.getLogger("simulator").error("%s", wrong)
        return 1
    if options.seed is not None:
        fleet = msgspec.structs.replace(fleet, scene=msgspec.structs.replace(fleet.scene, seed=options.seed))

    def clock() -> int:
        return time.time_ns() // 1000

    start_us = clock() if options.start is None else round(options.start.timestamp() * 1_000_000)

    async def live() -> None:
        city_time = CityTime(clock, start_us, options.speed)
        await run_until_signalled(
            LiveCity(fleet, options.host, options.port, interval_s=options.interval_s, time=city_time)
        )

    uvloop.run(live())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--credentials", type=Path, required=True, help="the fleet's file, as `city new` wrote it")
    parser.add_argument("--host", default="127.0.0.1", help="where MQTT is spoken")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--interval-s", type=_positive, default=10.0, help="how often each device speaks, in city time")
    parser.add_argument(
        "--speed", type=_positive, default=1.0, help="how fast a city that starts in the past catches up"
    )
    parser.add_argument("--start", type=_moment, help="when city time starts, RFC 3339; left out: now")
    parser.add_argument("--seed", type=int, help="another chance than the file's")
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone; end it with Z")
    return moment


if __name__ == "__main__":
    sys.exit(main())
