"""The page on access shows the table that the code decides by."""

from __future__ import annotations

from broadstreet.access import POLICY, ROLES
from broadstreet.access.attempts import MAX_PER_ACCOUNT, MAX_PER_ADDRESS, MAX_PER_PAIR, WINDOW_US
from broadstreet.access.strength import MAX_LENGTH, MIN_LENGTH
from broadstreet.access.token import LINK_LIFETIME_S, SESSION_LIFETIME_S
from tests.docs.pages import reference


def test_the_page_shows_the_table_in_force() -> None:
    section = reference("access").section("Roles and permissions")
    assert section is not None
    shown = {name: [cell.strip() for cell in row.split("|")][: len(ROLES)] for name, row in section.rows().items()}
    assert shown == {name: ["yes" if role in may else "" for role in ROLES] for name, may in POLICY.items()}


def test_the_page_says_the_bounds_in_force() -> None:
    text = reference("access").text.replace("\n", " ")
    for said in (
        f"{SESSION_LIFETIME_S // 3600} hours; until signed out",
        f"within {LINK_LIFETIME_S // 60} minutes",
        f"{MIN_LENGTH} to {MAX_LENGTH} characters",
        f"over {WINDOW_US // 60_000_000} minutes: {MAX_PER_PAIR} for one account from one address, "
        f"{MAX_PER_ADDRESS} from one address (an IPv6 /64 counts as one), {MAX_PER_ACCOUNT} for one account",
    ):
        assert said in text, said
