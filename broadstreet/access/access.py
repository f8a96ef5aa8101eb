"""The room's one object: accounts, tokens, signing in and the audit, over one control schema and one clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from broadstreet.access.account import Accounts
from broadstreet.access.audit import Audit
from broadstreet.access.ceremony import Ceremonies
from broadstreet.access.passkey import Passkeys
from broadstreet.access.passkey_sign_in import PasskeySignIn
from broadstreet.access.password import Passwords
from broadstreet.access.provider import ProviderSettings
from broadstreet.access.provider_sign_in import ProviderSignIn
from broadstreet.access.publication import Publications
from broadstreet.access.second_factor import SecondFactor
from broadstreet.access.sign_in import SignIn
from broadstreet.access.token import Tokens
from broadstreet.access.visits import DEFAULT_PER_MINUTE, Visits
from broadstreet.store import Database


class Access:
    """Make one a process."""

    def __init__(
        self,
        control: Database,
        clock: Callable[[], int],
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        passwords: Passwords | None = None,
        guarded_roles: frozenset[str] = frozenset(),
        public_per_minute: int = DEFAULT_PER_MINUTE,
        provider: ProviderSettings | None = None,
    ) -> None:
        """control: `Store.control`; clock: answers now, in microseconds since 1970; passwords: how they are hashed.

        guarded_roles: whoever has one of them may do nothing but add a second factor, until that is done.
        public_per_minute: how often one address may ask without signing in.
        provider: the city's OpenID Connect, where it has one.
        """
        passwords = passwords or Passwords()
        self.clock = clock
        self.tokens = Tokens(control, clock, random_bytes)
        self.accounts = Accounts(control, clock, passwords, self.tokens)
        self.second_factor = SecondFactor(control, clock, random_bytes)
        self.sign_in = SignIn(control, clock, passwords, self.tokens, self.second_factor, guarded_roles)
        self.ceremonies = Ceremonies(control, clock, random_bytes)
        self.passkeys = Passkeys(control, clock, random_bytes, self.ceremonies, self.second_factor)
        self.passkey_sign_in = PasskeySignIn(control, clock, self.passkeys, self.ceremonies, self.sign_in)
        self.publications = Publications(control, clock)
        self.visits = Visits(clock, public_per_minute)
        self.provider_sign_in = (
            ProviderSignIn(control, clock, provider, self.ceremonies, self.sign_in, self.tokens) if provider else None
        )
        self.audit = Audit(control)
