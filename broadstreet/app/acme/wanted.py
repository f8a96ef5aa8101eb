"""What the settings want of an authority, looked at before anybody is asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from broadstreet.app.settings import Settings
from broadstreet.model.errors import InvalidInput

MAX_NAMES: Final = 100
"""Authorities put no more into one certificate."""
NAME: Final = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class Wanted(msgspec.Struct, frozen=True):
    """
    names:     of the certificate, the first one first. directory: the authority's address.
    email:     whom the authority may write to; empty: nobody.
    authority: a PEM file with what the authority's own address is signed by; None: what everybody trusts.
    """

    names: tuple[str, ...]
    directory: str
    email: str
    authority: Path | None

    @property
    def mark(self) -> str:
        """What tells this wish from another one."""
        return " ".join((self.directory, *sorted(self.names)))


def wanted(settings: Settings) -> Wanted | None:
    """What is wanted, None where it is nothing. Raises InvalidInput for what no authority could be asked for."""
    acme, http = settings.acme, settings.http
    names = tuple(dict.fromkeys(acme.names.lower().replace(",", " ").split()))
    if not names:
        return None
    if http.tls_certificate or http.tls_key:
        raise InvalidInput(
            "a certificate is given and another one is to be asked for",
            where="http.tls_certificate, acme.names",
            remedy="Leave one of them out.",
        )
    for name in names:
        if NAME.fullmatch(name) is None:
            raise InvalidInput(
                f"{name[:80]!r} is no name that an authority certifies",
                where="acme.names",
                remedy="Give names such as city.example: no addresses, no `*`, no port.",
            )
    if len(names) > MAX_NAMES:
        raise InvalidInput(f"a certificate has at most {MAX_NAMES} names", where="acme.names")
    if not acme.agree_to_terms:
        raise InvalidInput(
            "an authority gives certificates only to who agrees to its terms",
            where="acme.agree_to_terms",
            remedy=f"Read the terms that {acme.directory} names, and set it to true.",
        )
    if not http.redirect_port:
        raise InvalidInput(
            "the authority looks for its answer at port 80, and nothing listens there",
            where="http.redirect_port",
            remedy="Set it to 80, or to the port that 80 of these names is handed on to.",
        )
    if urlsplit(acme.directory).scheme != "https":
        raise InvalidInput(
            "an authority is asked by HTTPS", where="acme.directory", remedy="Give its https:// address."
        )
    authority = Path(acme.directory_ca).expanduser() if acme.directory_ca else None
    return Wanted(names, acme.directory, acme.email, authority)
