"""Which hosts the house may ask."""

from __future__ import annotations

import pytest

from broadstreet.delivery import LOOPBACK, NOBODY, Hosts
from broadstreet.model.errors import InvalidInput

RULES = "example.org, *.fiware.org 10.0.0.5:8080 [fd00::1]"


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://example.org/a.jsonld", True),
        ("http://EXAMPLE.org:8443/a", True),
        ("https://example.org./a", True),
        ("https://www.example.org/", False),
        ("https://example.org.evil.net/", False),
        ("https://evilexample.org/", False),
        ("https://example.org@evil.net/", False),
        ("https://user@example.org/", False),
        ("https://a.b.fiware.org/", True),
        ("https://fiware.org/", False),
        ("http://10.0.0.5:8080/", True),
        ("http://10.0.0.5/", False),
        ("http://[fd00::1]/", True),
        ("http://127.0.0.1/", False),
        ("http://localhost/", False),
        ("file:///etc/passwd", False),
        ("ftp://example.org/", False),
        ("//example.org/", False),
        ("http://[broken/", False),
        ("http://example.org:port/", False),
        ("", False),
    ],
)
def test_a_rule_names_whom_it_means(url: str, is_allowed: bool) -> None:
    assert Hosts.parse(RULES, "here").allows(url) is is_allowed
    assert not NOBODY.allows(url)


def test_a_star_is_everybody_and_this_machine_is_asked_for_by_itself() -> None:
    assert Hosts.parse("*", "here").allows("https://anyone.example/")
    assert Hosts.parse("*:443", "here").allows("https://anyone.example/")
    assert not Hosts.parse("*:443", "here").allows("http://anyone.example/")
    for url in ("http://localhost:8087/a", "http://127.0.0.1/", "http://127.9.9.9:1/", "http://[::1]:8087/"):
        assert LOOPBACK.allows(url)
    assert not LOOPBACK.allows("http://localhost.evil.net/")


@pytest.mark.parametrize("text", ["https://example.org", "exa mple..org", "a:0", "a:70000", "*a", "a/b", "-?"])
def test_what_names_no_host_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="names no host"):
        Hosts.parse(text, "here")
