"""The settings of the city's OpenID Connect: what groups give, where the secret is, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadstreet.app.oidc import OidcSettings, roles_of_groups
from broadstreet.model.errors import InvalidInput


def test_a_group_gives_roles_in_tenants_and_may_be_a_name_of_a_directory() -> None:
    told = " city-admins = administrator ; cn=fire,ou=city=dispatcher@harbour; city-admins=viewer@harbour;"
    assert roles_of_groups(told) == {
        "city-admins": {("city", "administrator"), ("harbour", "viewer")},
        "cn=fire,ou=city": {("harbour", "dispatcher")},
    }
    assert roles_of_groups("") == {}


@pytest.mark.parametrize("told", ["administrator", "=viewer", "fire=chief", "fire=@city"])
def test_what_is_no_group_and_role_is_refused(told: str) -> None:
    with pytest.raises(InvalidInput):
        roles_of_groups(told)


def test_without_an_issuer_there_is_no_provider() -> None:
    assert OidcSettings().provider is None


def test_the_secret_may_lie_in_a_file_and_is_shown_by_nothing(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hush\n", encoding="utf-8")
    settings = OidcSettings(issuer="https://a.example", client_id="us", client_secret_file=str(file))
    provider = settings.provider
    assert provider is not None and provider.client_secret == "hush"
    assert "hush" not in repr(provider)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"client_id": ""}, "oidc.client_id"),
        ({"scopes": "profile"}, "oidc.scopes"),
        ({"client_secret_file": "/no/such/file"}, "oidc.client_secret_file"),
        ({"roles": "fire=chief"}, "roles"),
    ],
)
def test_what_is_wrong_is_said_with_its_setting(wrong: dict[str, str], where: str) -> None:
    settings = OidcSettings(**{"issuer": "https://a.example", "client_id": "us", **wrong})  # type: ignore[arg-type]  # text alone
    with pytest.raises(InvalidInput) as refused:
        assert settings.provider
    assert refused.value.where == where
