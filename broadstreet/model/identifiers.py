"""Names of things: tenants, devices, entities, attributes.

Public identifiers are URIs (RFC 3986). A device's short id is what is typed into a device and printed on its label; its
entity's URI is made from it unless one is given.
"""

from __future__ import annotations

import re

from broadstreet.model.errors import InvalidInput

TENANT_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,30}")
DEVICE_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,126}")
# The characters of RFC 3986; what is not ASCII stands percent-encoded.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+")
MAX_URI_LENGTH = 2048
DEFAULT_TENANT = "city"


def check_tenant(name: str) -> str:
    """A tenant's name, or InvalidInput: lower-case letters, digits and _, at most 31, a letter first."""
    if TENANT_PATTERN.fullmatch(name) is None:
        raise InvalidInput(
            f"{name[:80]!r} cannot name a tenant",
            where="tenant",
            remedy="Use lower-case letters, digits and _, a letter first, at most 31 characters.",
        )
    return name


def check_device(name: str) -> str:
    """A device's short id, or InvalidInput: letters, digits and . _ : -, at most 127, so that it fits an MQTT topic."""
    if DEVICE_PATTERN.fullmatch(name) is None:
        raise InvalidInput(
            f"{name[:80]!r} cannot name a device",
            where="device",
            remedy="Use letters, digits and . _ : -, beginning with a letter or digit, at most 127 characters.",
        )
    return name


def check_uri(text: str, where: str | None = None) -> str:
    """An absolute URI as NGSI-LD asks of entity ids, or InvalidInput."""
    if len(text) > MAX_URI_LENGTH or _URI.fullmatch(text) is None:
        raise InvalidInput(
            f"{text[:80]!r} is not a URI", where=where, remedy="An id looks like urn:ngsi-ld:AirQualityObserved:a-17."
        )
    return text


def check_iri(text: str, where: str | None = None) -> str:
    """An absolute IRI (RFC 3987), which may hold letters that are not ASCII, or InvalidInput."""
    if len(text) > MAX_URI_LENGTH or _IRI.fullmatch(text) is None:
        raise InvalidInput(f"{text[:80]!r} is not an IRI", where=where, remedy="It looks like urn:ngsi-ld:Street:a-17.")
    return text


def entity_urn(short_type: str, name: str) -> str:
    """The URN of an entity of a type (its short name) called `name`."""
    return f"urn:ngsi-ld:{short_type}:{name}"
