"""One conversation with an authority: an account, an order, its answers, the certificate.

The library speaks by blocking calls, each in a thread and each bounded; between them we wait in our own loop, so that
the end of the house waits for one call at most.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import acme.challenges
import acme.client
import acme.crypto_util
import acme.errors
import acme.messages
import josepy.errors
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from broadstreet.app.acme.refusal import refusal
from broadstreet.app.acme.shelf import Account, Shelf, key_pem, new_key
from broadstreet.app.acme.wanted import Wanted
from broadstreet.model.errors import CertificateRefused

CALL_S: Final = 10
"""How long one call may take."""
LOOK_S: Final = 2.0
"""How long one look at whether the authority has come to an end may take."""
WITHIN_S: Final = 120.0
"""How long the whole conversation may take."""
BEGINNINGS: Final = 4
MAX_RETRY_AFTER_S: Final = 7 * 86_400.0
AGENT: Final = "broadstreet"
Answers = dict[str, str]
"""What is said to the authority at the port without TLS, by path."""
T = TypeVar("T")


async def obtain(wish: Wanted, shelf: Shelf, answers: Answers) -> None:
    """
    Ask for a certificate and put it in place. answers: what is said to the authority meanwhile.

    Raises CertificateRefused, or InvalidInput for a certificate that cannot be used; then the old one stays.
    """
    conversation = _Conversation(wish, shelf, answers)
    try:
        async with asyncio.timeout(WITHIN_S):
            await conversation.run_through()
    except TimeoutError:
        raise CertificateRefused(f"the authority has not come to an end within {WITHIN_S:.0f} s") from None
    except (acme.errors.Error, josepy.errors.Error, requests.RequestException, ValueError) as error:
        refused = refusal(error, conversation.retry_after_s)
        if refused.code == "accountDoesNotExist":
            shelf.forget_account()
        raise refused from error
    finally:
        for path in conversation.said:
            answers.pop(path, None)


class _Conversation:
    def __init__(self, wish: Wanted, shelf: Shelf, answers: Answers) -> None:
        self.said: list[str] = []
        self.retry_after_s = 0.0
        self._wish = wish
        self._shelf = shelf
        self._answers = answers

    async def run_through(self) -> None:
        """Begin again where the authority has forgotten what it gave us to sign with: the library tries that once."""
        for left in reversed(range(BEGINNINGS)):
            try:
                await self._run()
            except acme.messages.Error as error:
                if error.code != "badNonce" or not left:
                    raise
            else:
                return

    async def _run(self) -> None:
        known = self._shelf.account(self._wish.directory)
        secret = _read_key(known.key) if known is not None else new_key()
        client = await self._client(JWKEC(key=secret))
        await self._sign_in(client, secret, known)
        key = new_key()
        csr = acme.crypto_util.make_csr(key_pem(key), list(self._wish.names))
        order = await asyncio.to_thread(client.new_order, csr)
        for authorization in order.authorizations:
            if authorization.body.status != acme.messages.STATUS_VALID:
                await self._answer(client, authorization)
        order = await _until_done(lambda: client.poll_authorizations(order, _soon()))
        order = await _until_done(lambda: client.poll_finalization(order, _soon()))
        self._shelf.keep(key, order.fullchain_pem.encode())

    async def _client(self, key: JWKEC) -> acme.client.ClientV2:
        # The library hands this on to requests, which takes a file of authorities in place of yes or no.
        verify = True if self._wish.authority is None else cast(bool, str(self._wish.authority))
        network = acme.client.ClientNetwork(key, None, ES256, verify, AGENT, CALL_S)
        network.session.hooks["response"].append(self._heard)
        directory = await asyncio.to_thread(acme.client.ClientV2.get_directory, self._wish.directory, network)
        return acme.client.ClientV2(directory, network)

    def _heard(self, response: requests.Response, **_: Any) -> None:
        """Note how long a refusal asks us to wait."""
        if not response.ok and (said := response.headers.get("Retry-After")):
            self.retry_after_s = _retry_after(said, datetime.datetime.now(datetime.UTC))

    async def _sign_in(
        self, client: acme.client.ClientV2, secret: ec.EllipticCurvePrivateKey, known: Account | None
    ) -> None:
        if known is not None:
            client.net.account = acme.messages.RegistrationResource(uri=known.uri, body=acme.messages.Registration())
            return
        asked = acme.messages.NewRegistration.from_data(email=self._wish.email or None, terms_of_service_agreed=True)
        made = await asyncio.to_thread(client.new_account, asked)
        self._shelf.keep_account(Account(self._wish.directory, key_pem(secret).decode(), made.uri))

    async def _answer(self, client: acme.client.ClientV2, authorization: acme.messages.AuthorizationResource) -> None:
        offered = [one for one in authorization.body.challenges if isinstance(one.chall, acme.challenges.HTTP01)]
        if not offered:
            raise CertificateRefused(
                f"the authority does not take an answer over HTTP for {authorization.body.identifier.value}",
                remedy="Choose another authority with acme.directory, or bring certificates as files.",
            )
        response, validation = offered[0].response_and_validation(client.net.key)
        self._answers[offered[0].chall.path] = validation
        self.said.append(offered[0].chall.path)
        await asyncio.to_thread(client.answer_challenge, offered[0], response)


async def _until_done(look: Callable[[], T]) -> T:
    """Look until the authority has come to an end."""
    while True:
        try:
            return await asyncio.to_thread(look)
        except acme.errors.TimeoutError:
            continue


def _soon() -> datetime.datetime:
    """When a look ends: the library compares with the machine's own time, without a zone."""
    now = datetime.datetime.now(datetime.UTC).astimezone().replace(tzinfo=None)
    return now + datetime.timedelta(seconds=LOOK_S)


def _retry_after(said: str, now: datetime.datetime) -> float:
    """Retry-After in seconds: it is a number of them, or a date. 0 for what is neither."""
    if said.isascii() and said.isdigit():
        return min(float(said[:12]), MAX_RETRY_AFTER_S)
    try:
        until = datetime.datetime.strptime(said, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=datetime.UTC)
    except ValueError:
        return 0.0
    return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def _read_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the account's key is of another kind")
    return key
