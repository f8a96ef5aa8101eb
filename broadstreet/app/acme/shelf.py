"""What the data folder keeps: account, certificate with its key, and how the asking goes.

    https/account.json  who we are to an authority: its address, our key, the account's own address
    https/served.pem    the key, then the certificate and what it is signed by, replaced in one moment
    https/state.json    what was asked last, and when it may be asked again

Nobody else may read them.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from broadstreet.engines import write_private
from broadstreet.model.errors import InvalidInput

FOLDER: Final = "https"
CLOSED: Final = 0o700
T = TypeVar("T")
OWN_DAYS: Final = 90
"""How long the house's own certificate holds, which is there until the first one is given."""


class Account(msgspec.Struct, frozen=True):
    """Who we are to an authority. directory: its address; key: our private one as PEM; uri: the account's."""

    directory: str
    key: str
    uri: str


class State(msgspec.Struct, frozen=True):
    """
    How the asking goes. obtained: the mark of the wish whose certificate is there; empty for the house's own.

    asked: the mark of the wish that failed. failures: how often in a row. tried_us: when it was tried last, and
    next_us: when it may be again, in microseconds since 1970. words, remedy: what was wrong, and what to do.
    """

    obtained: str = ""
    asked: str = ""
    failures: int = 0
    tried_us: int = 0
    next_us: int = 0
    words: str = ""
    remedy: str = ""


class Shelf:
    """The folder in a data folder."""

    def __init__(self, data_path: Path) -> None:
        self.folder = data_path / FOLDER
        self.pem = self.folder / "served.pem"

    def open(self) -> None:
        """Make the folder, if it is missing."""
        self.folder.mkdir(mode=CLOSED, parents=True, exist_ok=True)

    def certificate(self) -> x509.Certificate | None:
        """The server's certificate; None where there is none that can be read."""
        try:
            return x509.load_pem_x509_certificates(self.pem.read_bytes())[0]
        except (OSError, ValueError):
            return None

    def keep(self, key: ec.EllipticCurvePrivateKey, chain: bytes) -> None:
        """Put a key and its chain (PEM, the server's own first) in place. Raises InvalidInput if they differ."""
        try:
            certificate = x509.load_pem_x509_certificates(chain)[0]
        except (ValueError, IndexError) as error:
            raise InvalidInput(f"what was given is no certificate: {error}") from error
        if certificate.public_key() != key.public_key():
            raise InvalidInput("the certificate that was given is for another key")
        write_private(self.pem, key_pem(key) + chain)

    def keep_own(self, names: tuple[str, ...], now_us: int) -> None:
        """Put a certificate in place that the house signs for itself."""
        key = new_key()
        who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0][:64])])
        begin = datetime.datetime.fromtimestamp(now_us // 1_000_000, datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(who)
            .issuer_name(who)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=OWN_DAYS))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.keep(key, certificate.public_bytes(serialization.Encoding.PEM))

    def account(self, directory: str) -> Account | None:
        """Who we are to an authority, if it knows us."""
        account = self._read("account.json", Account)
        return account if account is not None and account.directory == directory else None

    def keep_account(self, account: Account) -> None:
        """Remember who we are."""
        self._write("account.json", account)

    def forget_account(self) -> None:
        """The authority does not know us any more."""
        (self.folder / "account.json").unlink(missing_ok=True)

    def state(self) -> State:
        """How the asking goes."""
        return self._read("state.json", State) or State()

    def keep_state(self, state: State) -> None:
        """Remember it, over a restart too."""
        self._write("state.json", state)

    def _read(self, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode((self.folder / name).read_bytes(), type=kind)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _write(self, name: str, value: msgspec.Struct) -> None:
        write_private(self.folder / name, msgspec.json.encode(value))


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key for an account or a certificate."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as PEM, without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
