"""Certificates that the house asks for by itself: given, served, renewed in time, refused in words and not asked again
in a hurry. The authority is one of the tests' own; the real one's server for tests, Pebble, was tried by hand."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from broadstreet.app import http
from broadstreet.app.acme import (
    Answers,
    Renewal,
    Shelf,
    State,
    Wanted,
    check_certificate,
    prepare_certificate,
    standing,
    troubles,
    wanted,
)
from broadstreet.app.acme import renewal as renewing
from broadstreet.app.acme.renewal import due_us
from broadstreet.app.acme.shelf import new_key
from broadstreet.app.clock import now_us
from broadstreet.app.doctor.machine import certificates
from broadstreet.app.settings import AcmeSettings, Http, Settings
from broadstreet.app.tls import tls_files
from broadstreet.model.errors import CertificateRefused, InvalidInput
from tests.contract.authority import Authority, Refusal, open_authority
from tests.contract.conftest import Clock
from tests.contract.https_site import application, serial_at, served, until

NAMES = ("city.example", "www.city.example")
DAY_US = 86_400_000_000


@dataclass
class Asking:
    """A house that wants a certificate, and the authority that is to give it."""

    settings: Settings
    authority: Authority
    answers: Answers
    shelf: Shelf

    def renewal(self, clock: Callable[[], int] = now_us) -> Renewal:
        wish = wanted(self.settings)
        assert wish is not None
        return Renewal(wish, self.shelf, self.answers, clock, Random(1))

    def serial(self) -> int:
        certificate = self.shelf.certificate()
        assert certificate is not None
        return certificate.serial_number


@pytest.fixture
def asking(data_dir: Path, free_port: Callable[[], int]) -> Iterator[Asking]:
    http_port, plain = free_port(), free_port()
    with open_authority(data_dir / "authority", dict.fromkeys(NAMES, plain)) as (authority, trusted):
        settings = Settings(
            data_dir=str(data_dir / "data"),
            http=Http(port=http_port, redirect_port=plain),
            acme=AcmeSettings(
                names=", ".join(NAMES),
                directory=authority.directory,
                email="ops@city.example",
                agree_to_terms=True,
                directory_ca=str(trusted),
            ),
        )
        prepare_certificate(settings, now_us())
        yield Asking(settings, authority, {}, Shelf(settings.data_path))


def anyone() -> httpx.AsyncClient:
    """A client that takes any certificate."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return httpx.AsyncClient(verify=trusting, timeout=30.0)


async def test_a_certificate_is_asked_for_and_served(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(http, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(http, "STOP_S", 60)
    settings, own = asking.settings, asking.serial()
    tls, port = tls_files(settings), settings.http.port
    assert tls is not None
    assert "being asked for" in next(one.words for one in certificates(settings, now_us()))
    began, may_end = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        """An answer to `/slow` waits until it may end."""
        if scope.get("path") == "/slow":
            began.set()
            await may_end.wait()
        await application(scope, receive, send)

    plain = settings.http.redirect_port
    async with served(settings.data_path, tls, port, plain, answers=asking.answers, app=slow), anyone() as client:
        assert await serial_at(port) == own, "until there is one, the house's own"
        under_way = asyncio.create_task(client.get(f"https://127.0.0.1:{port}/slow"))
        await began.wait()
        await asking.renewal().renew()
        given = asking.serial()
        while await serial_at(port) != given:  # noqa: ASYNC110  # asked over the network
            await asyncio.sleep(0.02)
        may_end.set()
        assert (await under_way).text == "https", "what is under way ends under the old one"
        await until(lambda: "serving with the new certificate" in caplog.text)
        assert await serial_at(port) == given != own
    certificate = asking.shelf.certificate()
    assert certificate is not None
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert named.get_values_for_type(x509.DNSName) == list(NAMES)
    assert asking.authority.contacts == [["mailto:ops@city.example"]]
    assert asking.answers == {}, "nothing is said any longer than it is asked"
    assert {stat.S_IMODE(path.stat().st_mode) for path in asking.shelf.folder.iterdir()} == {0o600}
    found = standing(settings, now_us())
    assert found is not None and (found.grade, found.brief) == ("ok", "")
    assert await check_certificate(settings, now_us) == "" and troubles(settings, now_us) == []


async def test_it_is_renewed_in_time_by_the_same_account(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "LOOK_EVERY_S", 0.02)
    settings = asking.settings
    tls = tls_files(settings)
    assert tls is not None
    asking.authority.age = datetime.timedelta(days=80)  # of 90: due as soon as it is there
    asking.authority.forgets = 3
    async with served(settings.data_path, tls, settings.http.port, settings.http.redirect_port, answers=asking.answers):
        own = asking.serial()
        running = asyncio.create_task(asking.renewal().run())
        await until(lambda: asking.serial() != own)
        asking.authority.age, old = datetime.timedelta(0), asking.serial()
        await until(lambda: asking.serial() != old)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert asking.authority.asked.count("account") == 1
    certificate = asking.shelf.certificate()
    assert certificate is not None
    life_us = 90 * DAY_US
    began_us = round(certificate.not_valid_before_utc.timestamp() * 1_000_000)
    assert life_us * (2 / 3 - 1 / 30) <= due_us(certificate) - began_us <= life_us * 2 / 3
    assert asking.renewal().next_us() == due_us(certificate)


@pytest.mark.parametrize(
    ("resource", "refusal", "word"),
    [
        ("order", Refusal("rateLimited", "too many", 429, Retry_After="7200"), "when it says so"),
        ("finalize", Refusal("caa", "forbidden by CAA"), "CAA records"),
        ("account", Refusal("externalAccountRequired", "who pays?"), "own customers"),
        ("order", Refusal("novel", "something new"), "asked again"),
    ],
)
async def test_a_refusal_is_explained_and_the_old_one_stays(
    asking: Asking, clock: Clock, resource: str, refusal: Refusal, word: str
) -> None:
    asking.authority.refusals[resource] = refusal
    settings, own = asking.settings, asking.serial()
    tls = tls_files(settings)
    assert tls is not None
    async with served(settings.data_path, tls, settings.http.port, settings.http.redirect_port, answers=asking.answers):
        await asking.renewal(clock).renew()
    assert asking.serial() == own
    state = asking.shelf.state()
    assert refusal.detail in state.words and word in state.remedy and state.failures == 1
    pause_s = (state.next_us - clock()) / 1_000_000
    assert pause_s == 7_200 if refusal.code == "rateLimited" else 900 <= pause_s <= 1_125
    found = standing(settings, clock())
    assert found is not None and found.grade == "wrong" and refusal.detail in found.words
    (finding,) = certificates(settings, clock())
    assert finding.state == "wrong" and finding.remedy == state.remedy
    assert "no certificate" in await check_certificate(settings, clock)
    assert len(troubles(settings, clock)) == 1


async def test_what_answers_at_a_name_is_told(asking: Asking, free_port: Callable[[], int]) -> None:
    """Nobody, and, in the other's place, somebody else: said of each name."""
    asking.authority.places[NAMES[0]] = free_port()
    del asking.authority.places[NAMES[1]]
    await asking.renewal().renew()
    state = asking.shelf.state()
    assert f"{NAMES[0]}: " in state.words and f"{NAMES[1]}: no address" in state.words
    assert "http.redirect_port" in state.remedy
    assert asking.answers == {}


async def test_an_authority_that_is_away_is_asked_ever_more_seldom(asking: Asking, clock: Clock) -> None:
    async def away(*_: object) -> None:
        raise CertificateRefused("away")

    pauses = []
    for _ in range(9):
        # Another one each time: a house that is started again goes on waiting.
        renewal = Renewal(wish_of(asking), asking.shelf, {}, clock, Random(2), away)
        await renewal.renew()
        pauses.append((renewal.next_us() - clock()) / 1_000_000)
        clock.now_us = renewal.next_us()
    assert pauses == sorted(pauses[:7]) + pauses[7:]
    assert 900 <= pauses[0] <= 1_125 and all(86_400 <= pause <= 108_000 for pause in pauses[7:])
    assert asking.shelf.state().failures == 9
    other = Renewal(Wanted(("else.example",), "https://x.example", "", None), asking.shelf, {}, clock, Random(2), away)
    assert other.next_us() == 0, "another wish is another question"


def wish_of(asking: Asking) -> Wanted:
    wish = wanted(asking.settings)
    assert wish is not None
    return wish


async def test_a_certificate_that_could_not_be_renewed_is_told_while_it_holds(asking: Asking, clock: Clock) -> None:
    """The old one stays in use; portal, doctor and `/ready` say so, and then that it has ended."""
    mark = wish_of(asking).mark
    clock.now_us = now_us()
    asking.shelf.keep_state(State(mark, mark, 3, clock(), clock() + 60_000_000, "the authority is away", "Wait."))
    found = standing(asking.settings, clock())
    assert found is not None and (found.grade, found.failures) == ("warn", 3)
    assert "holds 90 days more" in found.words and "the authority is away" in found.words
    assert await check_certificate(asking.settings, clock) == "it could not be renewed"
    assert "could not be renewed" in troubles(asking.settings, clock)[0]
    clock.forward(91 * 86_400)
    found = standing(asking.settings, clock())
    assert found is not None and found.grade == "wrong" and "has ended" in found.words


async def test_an_authority_that_forgets_everything_is_left_alone(asking: Asking) -> None:
    asking.authority.forgets = 1_000
    await asking.renewal().renew()
    assert "forgotten" in asking.shelf.state().words
    assert asking.authority.forgets >= 1_000 - 16


async def test_an_account_that_is_forgotten_is_made_anew(asking: Asking) -> None:
    await asking.renewal().renew()  # nobody listens at the names: an account, and no certificate
    assert asking.authority.asked.count("account") == 1
    asking.authority.refusals["order"] = Refusal("accountDoesNotExist", "who?", 400)
    await asking.renewal().renew()
    assert asking.shelf.account(asking.authority.directory) is None
    await asking.renewal().renew()
    assert asking.authority.asked.count("account") == 2


async def test_an_authority_that_nobody_vouches_for_is_not_spoken_to(asking: Asking) -> None:
    wish = wish_of(asking)
    stranger = Wanted(wish.names, wish.directory, wish.email, None)
    await Renewal(stranger, asking.shelf, {}, now_us, Random(1)).renew()
    assert "cannot be reached" in asking.shelf.state().words and asking.authority.asked == []


@pytest.mark.parametrize(
    ("acme", "http_settings", "word"),
    [
        ({"names": "192.0.2.1"}, {}, "no name"),
        ({"names": "*.city.example"}, {}, "no name"),
        ({"names": "city.example:443"}, {}, "no name"),
        ({"agree_to_terms": False}, {}, "terms"),
        ({"directory": "http://x.example/directory"}, {}, "by HTTPS"),
        ({}, {"redirect_port": 0}, "port 80"),
        ({}, {"tls_certificate": "a.pem"}, "another one"),
        ({"names": " ".join(f"n{n}.example" for n in range(101))}, {}, "at most 100"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_said_at_once(
    acme: dict[str, object], http_settings: dict[str, object], word: str
) -> None:
    asked = {"names": "city.example", "agree_to_terms": True, **acme}
    settings = msgspec.convert({"acme": asked, "http": {"redirect_port": 80, **http_settings}}, Settings)
    with pytest.raises(InvalidInput, match=word):
        wanted(settings)
    assert [one.state for one in certificates(settings, now_us())] == ["wrong"]


def test_a_certificate_for_another_key_is_not_kept(asking: Asking, data_dir: Path) -> None:
    before = asking.shelf.pem.read_bytes()
    other = Shelf(data_dir / "other")
    other.open()
    other.keep_own(NAMES, now_us())
    certificate, own = other.certificate(), asking.shelf.certificate()
    assert certificate is not None and own is not None
    for chain in (certificate.public_bytes(Encoding.PEM), b"", b"no certificate"):
        with pytest.raises(InvalidInput):
            asking.shelf.keep(new_key(), chain)
    assert asking.shelf.pem.read_bytes() == before
