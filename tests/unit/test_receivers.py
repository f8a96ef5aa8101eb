"""Whom the house may deliver to, however a receiver's address is written, and wherever its name leads."""

from __future__ import annotations

import socket

import pytest

from broadstreet.delivery import LOOPBACK, PORTS, Hosts, Receivers
from broadstreet.delivery.receivers import NoSuchHost, is_public
from broadstreet.model.errors import NotAllowed

INSIDE = (
    *("127.0.0.1", "127.255.0.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "100::1"),
    # An address of IPv4 within one of IPv6: mapped, compatible, translated, behind NAT64, 6to4, Teredo.
    *("::ffff:127.0.0.1", "::ffff:a00:1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "5f00::1"),
)
OUTSIDE = ("8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8")


@pytest.mark.parametrize("address", INSIDE)
def test_what_stands_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_stands_outside_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "10.0.0.5", "::1", "::ffff:127.0.0.1", "fe80::1%eth0", "169.254.169.254"),
        *("127.1", "127.0.0.1.", "0x7f000001", "0x7f.0.0.1", "017700000001", "2130706433", "10.1", "1.2.3.0x4", "0"),
    ],
)
def test_an_address_inside_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        Receivers().check_literal(host, 80)
    assert refused.value.remedy


@pytest.mark.parametrize("host", ["8.8.8.8", "2606:4700::1111", "city.example", "a1.example", "4chan.example"])
def test_a_name_or_an_address_outside_is_not(host: str) -> None:
    Receivers().check_literal(host, 80)


def test_a_setting_opens_the_inside_by_name_and_port() -> None:
    receivers = Receivers(Hosts.parse("10.0.0.5:8080 *.inner.example", "here"))
    receivers.check_literal("10.0.0.5", 8080)
    for host, port in (("10.0.0.5", 80), ("10.0.0.6", 8080), ("127.0.0.1", 8080)):
        with pytest.raises(NotAllowed, match="stands inside a network"):
            receivers.check_literal(host, port)
    Receivers(LOOPBACK).check_literal("localhost", PORTS["http"])


def stands_for(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name leads to these addresses."""
    family = {address: socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses}
    found = [(family[to], socket.SOCK_STREAM, 6, "", (to, 80)) for to in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1%2"])
async def test_no_name_leads_inside(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stands_for(monkeypatch, address)
    with pytest.raises(NotAllowed, match=r"evil\.example stands inside"):
        await Receivers().addresses("evil.example", 80)


async def test_of_several_addresses_only_those_outside_are_gone_to(monkeypatch: pytest.MonkeyPatch) -> None:
    stands_for(monkeypatch, "10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111")
    found = await Receivers().addresses("both.example", 80)
    assert found == [("8.8.8.8", socket.AF_INET), ("2606:4700::1111", socket.AF_INET6)]
    opened = Receivers(Hosts.parse("both.example", "here"))
    assert len(await opened.addresses("both.example", 80)) == 4


@pytest.mark.parametrize("host", ["a..example", ".example", f"{'a' * 64}.example", "no-such-name.invalid"])
async def test_a_name_that_is_none_leads_nowhere(host: str) -> None:
    with pytest.raises(NoSuchHost, match=r"leads to no address|is no name"):
        await Receivers().addresses(host, 80)
