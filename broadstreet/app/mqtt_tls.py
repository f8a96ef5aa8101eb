"""How MQTT is spoken over TLS: the certificate that is shown, taken anew when its files are replaced.

A new handshake uses the newest files that can be used; connections that stand go on under what they agreed on.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Final

from broadstreet.app.settings import Settings
from broadstreet.app.tls import Stamp, TlsFiles, tls_files
from broadstreet.model.errors import InvalidInput

LOOK_EVERY_S: Final = 5.0
"""How often it is looked whether a file was replaced."""
logger = logging.getLogger(__name__)


def mqtt_tls_files(settings: Settings) -> TlsFiles | None:
    """What the MQTT port shows: a certificate of its own, else HTTPS's; None where there is none, or no such port.

    Raises InvalidInput for half of one.
    """
    if not settings.mqtt.tls_port:
        return None
    certificate, key = settings.mqtt.tls_certificate, settings.mqtt.tls_key
    if bool(certificate) != bool(key):
        raise InvalidInput(
            "a certificate needs its key, and a key its certificate",
            where="mqtt.tls_certificate, mqtt.tls_key",
            remedy="Set both, or neither.",
        )
    return TlsFiles(Path(certificate).expanduser(), Path(key).expanduser()) if certificate else tls_files(settings)


class MqttTls:
    """
    files:    the certificate and its key.
    ours:     our own authority's certificate as PEM, whose word on a device's counts; empty: no device shows one.
    operator: the file of the operator's authority, whose word counts as well; empty: none.
    Raises InvalidInput where they cannot be used.
    """

    def __init__(self, files: TlsFiles, ours: str = "", operator: str = "") -> None:
        self._files = files
        self._ours = ours
        self._operator = Path(operator).expanduser() if operator else None
        self._stamp = self._look()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """What a handshake uses that begins now."""
        return self._context

    async def run(self) -> None:
        """Take replaced files until cancelled; those that cannot be used are told of, and the old ones stay."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            stamp = self._look()
            if stamp in ((), self._stamp):
                continue
            self._stamp = stamp
            try:
                self._context = self._load()
            except InvalidInput as error:
                logger.error("the new certificate of MQTT is not used: %s", error)
            else:
                logger.info("MQTT over TLS is spoken with the new certificate")

    def _look(self) -> Stamp:
        """What differs once a file has been replaced; empty while one is missing."""
        try:
            files = self._files.certificate, self._files.key, self._operator
            found = [file.stat() for file in files if file is not None]
        except OSError:
            return ()
        return tuple((one.st_mtime_ns, one.st_ino) for one in found)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._files.load(context)
        if self._ours:
            context.load_verify_locations(cadata=self._ours)
            context.verify_mode = ssl.CERT_OPTIONAL
        if self._operator is not None:
            try:
                context.load_verify_locations(self._operator)
            except (OSError, ssl.SSLError) as error:
                raise InvalidInput(
                    f"the authority of devices' certificates cannot be used: {error}",
                    where=f"mqtt.client_authority, {self._operator}",
                    remedy="Give a PEM file with the certificates of the authority.",
                ) from error
        return context
