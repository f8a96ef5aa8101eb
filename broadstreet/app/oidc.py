"""The settings of the city's OpenID Connect, and what they come to for `access/`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from broadstreet.access import ProviderSettings, Role, check_roles
from broadstreet.model.errors import InvalidInput
from broadstreet.model.identifiers import DEFAULT_TENANT


class OidcSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The city's own sign-in, by OpenID Connect."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_secret_file: str = ""
    title: str = "the city’s account"
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"
    roles_claim: str = "groups"
    roles: str = ""
    makes_accounts: bool = False
    trusts_second_factor: bool = False

    @property
    def provider(self) -> ProviderSettings | None:
        """The provider, or None where there is none. Raises InvalidInput for what cannot be one."""
        if not self.issuer:
            return None
        if not self.client_id:
            raise InvalidInput("a provider is named, and not by what it knows this house", where="oidc.client_id")
        if "openid" not in self.scopes.split():
            raise InvalidInput("the scope openid is asked for in any case", where="oidc.scopes")
        return ProviderSettings(
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=self._secret,
            title=self.title,
            scopes=self.scopes,
            name_claim=self.name_claim,
            roles_claim=self.roles_claim,
            roles=roles_of_groups(self.roles),
            makes_accounts=self.makes_accounts,
            trusts_second_factor=self.trusts_second_factor,
        )

    @property
    def _secret(self) -> str:
        if not self.client_secret_file:
            return self.client_secret
        try:
            return Path(self.client_secret_file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"the file cannot be read: {error}", where="oidc.client_secret_file") from None


def roles_of_groups(text: str) -> dict[str, frozenset[tuple[str, Role]]]:
    """`city-admins=administrator; cn=fire,ou=city=dispatcher@harbour`: what each group gives. Raises InvalidInput."""
    found: dict[str, frozenset[tuple[str, Role]]] = {}
    for line in filter(None, map(str.strip, text.split(";"))):
        group, _, given = line.rpartition("=")
        name, _, tenant = given.strip().partition("@")
        if not group.strip():
            raise InvalidInput(f"{line[:80]!r} is not group=role or group=role@tenant", where="oidc.roles")
        (role,) = check_roles((name,))
        found[group.strip()] = found.get(group.strip(), frozenset()) | {(tenant or DEFAULT_TENANT, role)}
    return found
