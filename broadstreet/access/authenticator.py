"""The conversation with an authenticator (WebAuthn Level 3): what it is asked, and whether its answer holds.

Pure: challenge, site and key come in, facts go out. Checked are the challenge, the origin, that no other site's frame
asked, the relying party, the signature, that somebody was there and, where it is demanded, that it was its owner.
Attestation is not asked for: which make of authenticator a person uses is none of the house's business.

The library that knows the standard is loaded when the first passkey is asked for: every process of the house comes by
here at its start, and most never meet one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.access.site import Site
from broadstreet.model.errors import InvalidInput

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

Answer = dict[str, Any]
"""What the browser's `PublicKeyCredential.toJSON()` gives."""
Options = dict[str, Any]
"""What the browser's `PublicKeyCredential.parse…OptionsFromJSON()` takes."""
TIMEOUT_MS: Final = 120_000
MULTI_DEVICE: Final = "multi_device"
"""The library's word for a credential that may be kept on several devices."""
MAX_CREDENTIAL_BYTES: Final = 1_023
"""The standard's bound for an authenticator's id of a credential."""


@dataclass(frozen=True, slots=True)
class KnownCredential:
    """A credential that an authenticator may find by its id."""

    id: bytes
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddedCredential:
    """A credential just made."""

    id: bytes
    public_key: bytes
    sign_count: int
    is_syncable: bool
    is_synced: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presented:
    """Which credential an answer says it is of, before anything of it is believed."""

    id: bytes
    user_handle: bytes | None
    answer: Answer


@dataclass(frozen=True, slots=True)
class Proof:
    """What an answer that holds says."""

    sign_count: int
    is_syncable: bool
    is_synced: bool


def adding_options(
    site: Site, house: str, name: str, title: str, handle: bytes, challenge: bytes, present: Iterable[KnownCredential]
) -> Options:
    """Ask for a new credential that can be found without a name, of somebody who is verified. present: not these."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    return _as_json(
        webauthn.generate_registration_options(
            rp_id=site.domain,
            rp_name=house,
            user_id=handle,
            user_name=name,
            user_display_name=title,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[_descriptor(one) for one in present],
        )
    )


def asking_options(
    site: Site, challenge: bytes, allowed: Iterable[KnownCredential] = (), *, must_verify: bool
) -> Options:
    """Ask for an answer by one of these, or by whichever the authenticator finds."""
    import webauthn

    return _as_json(
        webauthn.generate_authentication_options(
            rp_id=site.domain,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=[_descriptor(one) for one in allowed],
            user_verification=_verification(must_verify),
        )
    )


def added(answer: Answer, site: Site, challenge: bytes) -> AddedCredential:
    """The credential that was made for a challenge. Raises InvalidInput."""
    import webauthn
    from webauthn.helpers import parse_registration_credential_json

    try:
        credential = parse_registration_credential_json(answer)
        _refuse_frames(credential.response.client_data_json)
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _broken() as error:
        raise _refused(error) from None
    if len(verified.credential_id) > MAX_CREDENTIAL_BYTES:
        raise InvalidInput("the authenticator's id of this passkey is too long", where="credential")
    return AddedCredential(
        verified.credential_id,
        verified.credential_public_key,
        verified.sign_count,
        verified.credential_device_type == MULTI_DEVICE,
        verified.credential_backed_up,
        tuple(one.value for one in credential.response.transports or ()),
    )


def presented(answer: Answer) -> Presented:
    """Which credential answers. Raises InvalidInput for what is no answer."""
    from webauthn.helpers import parse_authentication_credential_json

    try:
        credential = parse_authentication_credential_json(answer)
    except _broken() as error:
        raise _refused(error) from None
    return Presented(credential.raw_id, credential.response.user_handle, answer)


def proof_of(given: Presented, site: Site, challenge: bytes, public_key: bytes, *, must_verify: bool) -> Proof:
    """What an answer says, if it holds. Raises InvalidInput. What its count means, the caller judges."""
    import webauthn
    from webauthn.helpers import parse_authentication_credential_json

    try:
        credential = parse_authentication_credential_json(given.answer)
        _refuse_frames(credential.response.client_data_json)
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=must_verify,
        )
    except _broken() as error:
        raise _refused(error) from None
    is_syncable = verified.credential_device_type == MULTI_DEVICE
    return Proof(verified.new_sign_count, is_syncable, verified.credential_backed_up)


def _broken() -> tuple[type[Exception], ...]:
    """What the library meets bytes with that are no answer at all."""
    from webauthn.helpers.exceptions import WebAuthnException

    return WebAuthnException, ValueError, TypeError, KeyError, IndexError


def _as_json(options: Any) -> Options:
    import webauthn

    decoded: Options = msgspec.json.decode(webauthn.options_to_json(options))
    return decoded


def _descriptor(known: KnownCredential) -> PublicKeyCredentialDescriptor:
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return PublicKeyCredentialDescriptor(
        id=known.id, transports=[AuthenticatorTransport(one) for one in known.transports] or None
    )


def _verification(must_verify: bool) -> UserVerificationRequirement:
    from webauthn.helpers.structs import UserVerificationRequirement

    return UserVerificationRequirement.REQUIRED if must_verify else UserVerificationRequirement.PREFERRED


def _refuse_frames(client_data: bytes) -> None:
    from webauthn.helpers import parse_client_data_json

    if parse_client_data_json(client_data).cross_origin:
        raise ValueError("a frame of another site asked")


def _refused(error: Exception) -> InvalidInput:
    return InvalidInput(f"the passkey's answer does not hold: {error}", where="credential", remedy="Try again.")
