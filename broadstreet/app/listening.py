"""Whether the gateway that runs here answers at its MQTT ports: a part of `/ready`."""

from __future__ import annotations

import asyncio
import ssl

from broadstreet.app.edges import running_edges
from broadstreet.app.settings import Settings
from broadstreet.engines import read_status
from broadstreet.model.errors import EngineFailed

GATEWAY = "gateway"


async def check_mqtt(settings: Settings) -> None:
    """Raise EngineFailed where a gateway of this house does not answer; one on another machine is not asked."""
    status = read_status(settings.data_path)
    if status is None or all(role.name != GATEWAY for role in status.roles):
        return
    edges = running_edges(settings)
    await _knock(edges.mqtt_host, edges.mqtt_port, None)
    if edges.mqtt_tls_port:
        await _knock(edges.mqtt_tls_host, edges.mqtt_tls_port, _trusting())


def _trusting() -> ssl.SSLContext:
    """Whether TLS is spoken is asked, not by whom: the certificate is for other names than this machine's address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _knock(host: str, port: int, tls: ssl.SSLContext | None) -> None:
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=tls)
    except OSError as error:
        raise EngineFailed(f"MQTT does not answer at port {port}: {error}") from error
    writer.close()
