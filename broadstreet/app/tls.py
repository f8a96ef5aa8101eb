"""A certificate with its key, in two files that somebody else renews: looked at before use, and when they change."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from broadstreet.app.acme.shelf import Shelf
from broadstreet.app.settings import Settings
from broadstreet.model.errors import InvalidInput

US_PER_S = 1_000_000
Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A chain of certificates, the server's own first, and its private key, both as PEM."""

    certificate: Path
    key: Path

    def check(self) -> None:
        """Raise InvalidInput, saying what to change, unless a server could use them."""
        self.load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def load(self, context: ssl.SSLContext) -> None:
        """Let a server show them. Raises InvalidInput, saying what to change."""
        where = f"{self.certificate}, {self.key}"
        remedy = "Check tls_certificate and tls_key: PEM files that we may read, and that belong together."
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput(f"the certificate cannot be used: {error}", where=where, remedy=remedy) from error

    def stamp(self) -> Stamp:
        """What differs once a file has been replaced; empty while one is missing."""
        try:
            return tuple((file.stat().st_mtime_ns, file.stat().st_ino) for file in (self.certificate, self.key))
        except OSError:
            return ()

    def ends_us(self) -> int:
        """When the first of the chain's certificates ends, in microseconds since 1970. Raises InvalidInput."""
        try:
            chain = x509.load_pem_x509_certificates(self.certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise InvalidInput(f"the certificate cannot be read: {error}", where=str(self.certificate)) from error
        end: datetime.datetime = min(certificate.not_valid_after_utc for certificate in chain)
        return int(end.timestamp()) * US_PER_S


def tls_files(settings: Settings) -> TlsFiles | None:
    """The HTTP server's certificate, if it has one. Raises InvalidInput for half of one."""
    if settings.acme.names:
        pem = Shelf(settings.data_path).pem
        return TlsFiles(pem, pem)
    certificate, key = settings.http.tls_certificate, settings.http.tls_key
    if bool(certificate) != bool(key):
        raise InvalidInput(
            "a certificate needs its key, and a key its certificate",
            where="http.tls_certificate, http.tls_key",
            remedy="Set both, or neither.",
        )
    return TlsFiles(Path(certificate).expanduser(), Path(key).expanduser()) if certificate else None


def _no_password() -> str:
    """A key that asks for one cannot be used: nobody sits here to type it."""
    return ""
