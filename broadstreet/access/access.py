"""The room's one object: accounts, tokens, signing in and the audit, over one control schema and one clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from broadstreet.access.account import Accounts
from broadstreet.access.audit import Audit
from broadstreet.access.password import Passwords
from broadstreet.access.sign_in import SignIn
from broadstreet.access.token import Tokens
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
    ) -> None:
        """control: `Store.control`; clock: answers now, in microseconds since 1970; passwords: how they are hashed."""
        passwords = passwords or Passwords()
        self.clock = clock
        self.tokens = Tokens(control, clock, random_bytes)
        self.accounts = Accounts(control, clock, passwords, self.tokens)
        self.sign_in = SignIn(control, clock, passwords, self.tokens)
        self.audit = Audit(control)
