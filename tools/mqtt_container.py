"""Stands in for `docker` where the NGSI-LD suite starts an MQTT server: Mosquitto of this machine, on its loopback.

    python tools/mqtt_container.py FOLDER PORTS run -d … -e CONF=mosquitto.conf --name NAME …
    python tools/mqtt_container.py FOLDER PORTS rm -f NAME          (or: container rm -f NAME)

FOLDER holds the suite's configurations of Mosquitto, PORTS the ports to listen on, with commas. It starts what the
suite's image would have run, returns when that listens, and ends it when it is told to.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

HERE = "127.0.0.1"
READY_S = 10.0
POLL_S = 0.02
SETTING = "CONF="


def start(folder: Path, ports: list[int], words: list[str]) -> None:
    """Start the server as `docker run` would."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        sys.exit("there is no mosquitto on this machine; on Debian it is the package mosquitto")
    wanted = next((word.removeprefix(SETTING) for word in words if word.startswith(SETTING)), "mosquitto.conf")
    lines = [f"user {getpass.getuser()}", *(f"listener {port} {HERE}" for port in ports)]
    for line in (folder / wanted).read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(" ")
        if name != "listener":
            lines.append(f"password_file {folder / Path(value).name}" if name == "password_file" else line)
    made = folder / "running.conf"
    made.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "mosquitto_pwd").chmod(0o600)
    with (folder / "mosquitto.log").open("ab") as log:
        server = subprocess.Popen(
            [program, "-c", str(made)], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    _place(folder, words[words.index("--name") + 1]).write_text(str(server.pid), encoding="utf-8")
    until = time.monotonic() + READY_S
    for port in ports:
        while time.monotonic() < until:
            try:
                socket.create_connection((HERE, port), timeout=READY_S).close()
                break
            except OSError:
                time.sleep(POLL_S)


def stop(folder: Path, name: str) -> None:
    """End it as `docker rm -f` would."""
    place = _place(folder, name)
    if not place.exists():
        return
    pid = int(place.read_text(encoding="utf-8"))
    place.unlink()
    until = time.monotonic() + READY_S
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(POLL_S)
        os.kill(pid, signal.SIGKILL)


def _place(folder: Path, name: str) -> Path:
    return folder / f"{name}.pid"


def main() -> None:
    """One command of docker's."""
    folder, ports, *words = sys.argv[1:]
    if words[:1] == ["container"]:
        del words[0]
    if words[:1] == ["run"]:
        start(Path(folder), [int(port) for port in ports.split(",")], words)
    elif words[:1] == ["rm"]:
        stop(Path(folder), words[-1])
    else:
        sys.exit(f"this is no docker: {' '.join(words)}")


if __name__ == "__main__":
    main()
