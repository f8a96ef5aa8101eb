"""Access: who is calling, and what they may do.

A credential comes in (an API token, a session's cookie, a one-time link, a password, a passkey, the word of the city's
OpenID provider) and a `Principal` goes out: a name, a tenant, its roles and the permissions they give there.
`policy.py` is the whole table of roles and permissions; `route.py` is how a route declares what it asks for.
Everything above asks `principal.may(…)` or `principal.require(…)`, and decides nothing by role. What a limited token,
or whoever has not signed in (`publication.py`), sees of a tenant is its `reach` (`reach.py`), which the store keeps to.

What must always hold: what no line of the table allows is denied; secrets are kept as hashes alone, and seen once;
every change of accounts, roles and tokens leaves a line in the audit, in the same transaction; a one-time link gives
a plain session of its account, and no more. Devices' own credentials are kept by `devices/`.
"""

from broadstreet.access.access import Access
from broadstreet.access.account import Account, check_account, check_roles
from broadstreet.access.audit import AuditEntry
from broadstreet.access.policy import PERMISSIONS, POLICY, ROLES, Permission, Role
from broadstreet.access.principal import Principal
from broadstreet.access.provider import ProviderSettings
from broadstreet.access.route import Demand, demand_of, in_person, public, requires, signed_in
from broadstreet.access.tenancy import Tenancy
from broadstreet.access.token import IssuedToken, TokenEntry

__all__ = [
    "PERMISSIONS",
    "POLICY",
    "ROLES",
    "Access",
    "Account",
    "AuditEntry",
    "Demand",
    "IssuedToken",
    "Permission",
    "Principal",
    "ProviderSettings",
    "Role",
    "Tenancy",
    "TokenEntry",
    "check_account",
    "check_roles",
    "demand_of",
    "in_person",
    "public",
    "requires",
    "signed_in",
]
