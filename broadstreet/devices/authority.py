"""The house's own authority: it makes certificates for devices, and its word on them counts at the MQTT port.

It is one file of the data folder, the private key and the authority's certificate, which nobody but the house may
read; it is made when it is asked for first. Whoever loses it, or lets it be read, removes it and makes every device's
certificate anew. A certificate that it did not write down (see certificate.py) opens nothing, though it signed it.
"""

from __future__ import annotations

import datetime
import os
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from broadstreet.model.errors import InvalidInput

FILE_NAME: Final = "device-authority.pem"
AUTHORITY_DAYS: Final = 20 * 366
MAX_DAYS: Final = 10 * 366
DEFAULT_DAYS: Final = 398
SLOW_CLOCK: Final = datetime.timedelta(hours=1)
"""A certificate holds from so long ago on: not every device's clock is right."""
MIN_RSA_BITS: Final = 2_048
MAX_NAME_LENGTH: Final = 64
"""Of a common name, by X.509."""
NAME_BYTES: Final = 4

DeviceKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey | rsa.RSAPublicKey
_PEM: Final = serialization.Encoding.PEM


class Made(NamedTuple):
    """A certificate just made. key: its private key as PEM, where it was made here; fingerprint: SHA-256."""

    fingerprint: bytes
    certificate: str
    key: str | None
    ends_us: int


class Authority:
    """The key and the certificate of a data folder. See `open_authority`."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate

    @property
    def pem(self) -> str:
        """The certificate, for whoever is to trust it."""
        return self.certificate.public_bytes(_PEM).decode()

    def has_signed(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate says that it is ours; that it is was looked at by TLS."""
        return certificate.issuer == self.certificate.subject

    def make(self, device: str, days: int, at_us: int, request: str | None = None) -> Made:
        """
        A certificate for a device.

        days: how long it holds. request: a certificate signing request as PEM, of which the key alone counts; left out,
        a key is made. Raises InvalidInput.
        """
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInput(f"a certificate holds 1 to {MAX_DAYS:,} days", where="days")
        key = ec.generate_private_key(ec.SECP256R1()) if request is None else None
        public = _key_of(request or "") if key is None else key.public_key()
        now = datetime.datetime.fromtimestamp(at_us / 1_000_000, datetime.UTC)
        end = min(now + datetime.timedelta(days=days), self.certificate.not_valid_after_utc)
        built = (
            x509.CertificateBuilder()
            .subject_name(_name(device[:MAX_NAME_LENGTH]))
            .issuer_name(self.certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SLOW_CLOCK)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Made(
            built.fingerprint(hashes.SHA256()),
            built.public_bytes(_PEM).decode(),
            None if key is None else _private(key).decode(),
            int(built.not_valid_after_utc.timestamp()) * 1_000_000,
        )


def open_authority(folder: Path, at_us: int) -> Authority:
    """The authority of a data folder; it is made where there is none. Raises InvalidInput for a file that is none."""
    path = folder / FILE_NAME
    if not path.exists():
        _found(path, at_us)
    try:
        written = path.read_bytes()
        key = serialization.load_pem_private_key(written, None)
        certificate = x509.load_pem_x509_certificate(written)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"the authority of devices' certificates cannot be read: {error}",
            where=str(path),
            remedy="Put it back from a backup; or remove it, and make every device's certificate anew.",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InvalidInput("the authority's key is of another kind than those we make", where=str(path))
    return Authority(key, certificate)


def _found(path: Path, at_us: int) -> None:
    """Make an authority, unless another process was first."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Broadstreet devices {os.urandom(NAME_BYTES).hex()}")
    now = datetime.datetime.fromtimestamp(at_us / 1_000_000, datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLOW_CLOCK)
        .not_valid_after(now + datetime.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # closed to others from the start
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_private(key) + certificate.public_bytes(_PEM))
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except FileExistsError:
        pass  # theirs counts
    finally:
        Path(part).unlink()


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _key_of(request: str) -> DeviceKey:
    """The key of a signing request, if it is whole and strong enough; else InvalidInput."""
    try:
        read = x509.load_pem_x509_csr(request.encode())
        public, is_whole = read.public_key(), read.is_signature_valid
    except ValueError as error:
        raise InvalidInput(f"the signing request cannot be read: {error}", where="request") from None
    if not is_whole:
        raise InvalidInput("the signing request is not signed with its own key", where="request")
    if isinstance(public, rsa.RSAPublicKey) and public.key_size < MIN_RSA_BITS:
        raise InvalidInput(f"an RSA key has {MIN_RSA_BITS:,} bits or more", where="request")
    if not isinstance(public, DeviceKey):
        raise InvalidInput("the key is of a kind that TLS does not take", where="request", remedy="Use EC or RSA.")
    return public
