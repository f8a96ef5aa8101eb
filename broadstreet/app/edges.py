"""Where a running house can be reached: its ports as they are, whoever chose them, settings or command line."""

from __future__ import annotations

import msgspec

from broadstreet.app.settings import Settings
from broadstreet.engines import DataFolder

FILE_NAME = "edges.json"
EVERYWHERE = ("0.0.0.0", "::", "")
HERE = "127.0.0.1"


class Edges(msgspec.Struct, frozen=True):
    """Addresses that work on this machine."""

    mqtt_host: str
    mqtt_port: int
    http_host: str
    http_port: int
    origin: str = ""
    """The portal's own address, where it has one."""
    has_tls: bool = False
    mqtt_tls_host: str = ""
    mqtt_tls_port: int = 0
    """Where MQTT is spoken over TLS; 0: nowhere."""

    @property
    def portal_url(self) -> str:
        """The portal's address, without a slash at its end."""
        return self.origin.rstrip("/") or f"{'https' if self.has_tls else 'http'}://{self.http_host}:{self.http_port}"


def edges_of(settings: Settings) -> Edges:
    """The addresses that these settings ask for; a host that means every address is this machine."""
    mqtt, http = settings.mqtt, settings.http
    return Edges(
        _reached_at(mqtt.host),
        mqtt.port,
        _reached_at(http.host),
        http.port,
        http.origin,
        settings.has_certificate,
        _reached_at(mqtt.tls_host or mqtt.host),
        mqtt.tls_port if mqtt.tls_certificate or settings.has_certificate else 0,
    )


def _reached_at(host: str) -> str:
    return HERE if host in EVERYWHERE else host


def write_edges(folder: DataFolder, settings: Settings) -> None:
    """Leave the addresses for the other commands; nothing in them is secret."""
    (folder.run / FILE_NAME).write_bytes(msgspec.json.encode(edges_of(settings)))


def running_edges(settings: Settings) -> Edges:
    """The addresses of the house that runs in the settings' data folder; if none does, what the settings ask for."""
    folder = DataFolder(settings.data_path)
    if folder.in_use():
        try:
            return msgspec.json.decode((folder.run / FILE_NAME).read_bytes(), type=Edges)
        except (FileNotFoundError, msgspec.DecodeError):
            pass  # it is still starting, or is one role on a machine of its own
    return edges_of(settings)
