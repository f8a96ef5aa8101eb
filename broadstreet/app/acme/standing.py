"""How it stands with the certificate that is asked for: one answer for doctor, figures, portal and `/ready`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from broadstreet.app.acme.renewal import due_us
from broadstreet.app.acme.shelf import Shelf
from broadstreet.app.acme.wanted import wanted
from broadstreet.app.settings import Settings
from broadstreet.model.clock import US_PER_S, format_rfc3339

DAY_US: Final = 86_400 * US_PER_S
NOT_GIVEN: Final = "the authority gives no certificate"
NOT_RENEWED: Final = "it could not be renewed"


class Standing(NamedTuple):
    """words: how it is; remedy: what to do; brief: the same to a stranger and for a headline. failures: in a row."""

    grade: Literal["ok", "warn", "wrong"]
    words: str
    remedy: str = ""
    brief: str = ""
    failures: int = 0


def standing(settings: Settings, now_us: int) -> Standing | None:
    """How it stands, None where no certificate is asked for. Raises InvalidInput for settings that are not right."""
    wish = wanted(settings)
    if wish is None:
        return None
    shelf = Shelf(settings.data_path)
    state, certificate = shelf.state(), shelf.certificate()
    if certificate is None:
        return Standing("warn", "no certificate was asked for yet", "Start the house: it asks by itself.")
    failures = state.failures if state.asked == wish.mark else 0
    why = f"{state.words}; asked {failures} times, and again after {format_rfc3339(state.next_us)}"
    if state.obtained != wish.mark:
        if not failures:
            return Standing("warn", "the first certificate is being asked for", "Until it is there browsers warn.")
        return Standing("wrong", why, state.remedy, NOT_GIVEN, failures)
    days = (certificate.not_valid_after_utc.timestamp() * US_PER_S - now_us) / DAY_US
    if days <= 0:
        return Standing("wrong", f"it has ended: {why}", state.remedy, NOT_RENEWED, failures)
    if failures:
        words = f"it holds {days:.0f} days more, and could not be renewed: {why}"
        return Standing("warn", words, state.remedy, NOT_RENEWED, failures)
    return Standing("ok", f"it holds {days:.0f} days more, and is renewed after {format_rfc3339(due_us(certificate))}")


async def check_certificate(settings: Settings, clock: Callable[[], int]) -> str:
    """What `/ready` says of it, which is ready all the same: an authority that is to be asked finds the house then."""
    found = standing(settings, clock())
    return found.brief if found is not None else ""


def troubles(settings: Settings, clock: Callable[[], int]) -> list[str]:
    """What is wrong with it, as part of the portal's sentence on the house."""
    found = standing(settings, clock())
    if found is None or not found.failures:
        return []
    return [f"the certificate of HTTPS: {found.brief}, which `broadstreet doctor` explains"]
