"""Codes as RFC 6238 makes them, and for how long each is good."""

from __future__ import annotations

import pytest

from broadstreet.access.second_factor import code_at, enrolment_uri, step_at, step_of

SECRET = b"12345678901234567890"
S = 1_000_000


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    """RFC 6238, appendix B, the last six digits."""
    assert code_at(SECRET, step_at(at_s * S)) == code
    assert step_of(SECRET, code, at_s * S) == at_s // 30


def test_a_code_is_good_for_its_half_minute_and_one_on_either_side() -> None:
    code = code_at(SECRET, 100)
    good = [second for second in range(98 * 30, 103 * 30) if step_of(SECRET, code, second * S) == 100]
    assert (good[0], good[-1], len(good)) == (99 * 30, 102 * 30 - 1, 90)


def test_a_device_is_told_by_whom_and_for_whom() -> None:
    assert enrolment_uri(SECRET, "anna", "Broadstreet Bath").startswith(
        "otpauth://totp/Broadstreet%20Bath%3Aanna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Broadstreet"
    )
