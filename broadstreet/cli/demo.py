"""`broadstreet demo`: a whole city on this machine, made the first time, living until Ctrl-C."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import Annotated

import typer

from broadstreet.app.settings import Http, Mqtt
from broadstreet.app.wish import HISTORY_DAYS, Wish
from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile, as_typed, house_settings, wait_for
from broadstreet.cli.step import done, step


def demo(
    data_dir: DataDir = None,
    settings: SettingsFile = None,
    mqtt_port: Annotated[int | None, typer.Option(help="Where devices connect.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Where the portal and the APIs are.")] = None,
    history_days: Annotated[int, typer.Option(min=0, max=366, help="Days of simulated past.")] = HISTORY_DAYS,
    browser: Annotated[bool, typer.Option(help="Open the portal in a browser, where there is one.")] = True,
) -> None:
    """A simulated city to look at: engines, 520 devices, thirty days of history, the portal. Ctrl-C stops it all."""
    from broadstreet.app.demo import ACCOUNT, Demo, Telling

    chosen = house_settings(data_dir, settings, mqtt__port=mqtt_port, http__port=http_port)
    chosen = house_settings(
        mqtt__port=None if mqtt_port else evaded("MQTT", chosen.mqtt, Mqtt().port),
        http__port=None if http_port else evaded("HTTP", chosen.http, Http().port),
    )

    def ready(link: str, took_s: float) -> None:
        console.print(f"\nReady after {took_s:.1f} s. The portal, signed in once:")
        console.print(f"  {link}", style="bold", soft_wrap=True)
        again = as_typed("account", "link", ACCOUNT, settings_file=settings, data_dir=chosen.data_path)
        console.print(f"Another one: {again}", soft_wrap=True)
        console.print("Ctrl-C stops everything; what was collected stays.")
        has_display = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
        if browser and has_display:
            webbrowser.open(link)

    def deserted(code: int, words: str) -> None:
        console.print(f"The simulator has ended ({code}); the house serves on. Its words: {words}")

    console.print(f"Starting the house in {chosen.data_path}", soft_wrap=True)
    wait_for(Demo(chosen, Wish(history_days=history_days), Telling(step, done, ready, deserted)).run())


def evaded(what: str, edge: Mqtt | Http, default: int) -> int:
    """The edge's port; where nobody chose it and somebody else has it, the next one that is free, and says so."""
    from broadstreet.app.demo import free_port

    port = free_port(edge.host, edge.port) if edge.port == default else edge.port
    if port != edge.port:
        console.print(f"Port {edge.port} is taken, so {what} is spoken on {port}.")
    return port
