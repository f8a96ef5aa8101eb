"""Every change leaves its trace: a walk of all writing routes finds, for each, who did it.

What concerns people, credentials, devices and rules leaves a line in the audit. What concerns entities leaves an
origin in the tenant's own schema, written with the values in one transaction, at which each of them points; the page
of an entity tells it under "Changes".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from litestar import Litestar

from broadstreet.access.route import SESSION_COOKIE
from broadstreet.apis import Services
from broadstreet.apis.guard import SAFE_METHODS, handlers_of
from tests.asgi import ask
from tests.contract.doors import ORIGIN
from tests.contract.house import portal_of, whole_app
from tests.contract.walk import POSTED, WRITES

PASSKEYS: Final = ("account/passkeys", "sign-in/passkey", "sign-in/code/passkey")
PLANNING: Final = (
    ("PATCH", "projects/{project}"),
    ("DELETE", "projects/{project}"),
    ("POST", "projects/{project}/scenarios"),
    ("PATCH", "scenarios/{scenario}"),
    ("DELETE", "scenarios/{scenario}"),
    *(("POST", f"scenarios/{{scenario}}/{does}") for does in ("begin", "stop", "cancel")),
    *((method, "projects/{project}/sources/{file}") for method in ("PUT", "DELETE")),
    ("POST", "projects/{project}/ground"),
    ("POST", "scenarios/{scenario}/investment"),
    ("DELETE", "scenarios/{scenario}/investment/{case}"),
    ("POST", "projects/{project}/sitings"),
    *(("POST", f"sitings/{{siting}}/{does}") for does in ("stop", "cancel")),
    ("DELETE", "sitings/{siting}"),
)
ELSEWHERE: Final = {
    "POST /v1/readings": "a reading's origin is its pack, written by the recorder",
    "POST /v1/hook": "likewise",
    "POST /v1/hook/{secret}": "likewise",
    "DELETE /v1/exports/{export}": "tests/contract/test_export_jobs.py",
    "POST /v1/provision": "tests/contract/test_provisioning.py: a device let in, by its key's name",
    "DELETE /v1/devices/{device}/certificates/{fingerprint}": "tests/contract/test_certificates.py",
    "POST /v1/claims": "tests/contract/test_prepared.py: a device installed, and by whom",
    "DELETE /ngsi-ld/v1/jsonldContexts/{context_id}": "tests/contract/test_contexts.py: whose id the house makes",
    **{f"{route} /v1/network/{path}": "tests/contract/test_planning.py" for route, path in PLANNING},
    "POST /portal/api/labels": "draws, and changes nothing",
    "POST /v1/claims/find": "asks, and changes nothing",
    "POST /v1/commands/{command}/cancel": "tests/contract/test_commands.py: a command taken back, and why",
    "POST /v1/devices/{device}/commands/{command}/result": "what a device says of its command, applied by the recorder",
    "POST /portal/api/sign-in": "tests/contract/test_access.py: a session made, or an attempt refused",
    "POST /portal/api/sign-out": "tests/contract/test_access.py: a session ended",
    "POST /portal/api/sign-in/code": "tests/contract/test_second_factor.py",
    **{f"POST /portal/api/{step}/begin": "asks for a passkey, and opens nothing" for step in PASSKEYS},
    **{f"POST /portal/api/{step}": "tests/contract/test_passkeys.py" for step in PASSKEYS},
    **{f"{does} /portal/api/account/passkeys/{{passkey}}": "likewise" for does in ("PATCH", "DELETE")},
    "POST /portal/api/account/identity/begin": "sends a browser to the provider",
    "DELETE /portal/api/account/identity": "tests/contract/test_provider.py",
    "POST /portal/api/account/second-factor": "asks for nothing until it is confirmed",
    "POST /portal/api/account/second-factor/confirm": "tests/contract/test_second_factor.py",
    "POST /portal/api/account/second-factor/remove": "tests/contract/test_second_factor.py",
    "POST /portal/api/account/password": "tests/contract/test_own_account.py",
    "POST /portal/api/account/sign-out-everywhere": "tests/contract/test_own_account.py",
    "DELETE /portal/api/account/tokens/{token}": "tests/contract/test_own_account.py",
    "POST /portal/api/public/preview": "asks, and changes nothing",
    "POST /v1/dead/replay": "tests/contract/test_dead.py: what was settled, and why",
    "POST /v1/dead/discard": "tests/contract/test_dead.py: what was settled, and why",
    **{f"POST {path}": "asks, and changes nothing" for path in POSTED},
}
"""Writing methods that are not walked here, and why."""


@pytest.fixture
async def app(services: Services, data_dir: Path) -> AsyncIterator[Litestar]:
    async with portal_of(services, data_dir) as portal:
        yield whole_app(services, portal)


async def test_every_writing_route_is_walked(app: Litestar) -> None:
    there = {f"{method} {path}" for path, handler in handlers_of(app) for method in handler.http_methods - SAFE_METHODS}
    assert {write.route for write in WRITES} | set(ELSEWHERE) == there, "say in WRITES how a new route is called"


async def test_every_change_says_who_made_it(app: Litestar, services: Services) -> None:
    await services.access.accounts.create("walker", "Walker", tenant="city", roles=["administrator"], by="test")
    secret = (await services.access.tokens.issue("walker", "session", "test", 3600, by="test")).secret
    headers = {"cookie": f"{SESSION_COOKIE}={secret}", **ORIGIN}
    city = await services.store.tenant("city")
    wrong = []

    async def traces() -> int:
        lines = await services.store.control.fetchval("SELECT count(*) FROM audit WHERE principal = 'walker'")
        origins = await city.fetchval("SELECT count(*) FROM origin WHERE principal = 'walker' AND kind = 'api'")
        return int(lines) + int(origins)

    for write in WRITES:
        before = await traces()
        method = write.route.split()[0]
        more = {**headers, "content-type": write.kind} if write.body else headers
        answer = await ask(app, method, write.path, headers=more, body=write.body)
        if answer.status >= 300 or await traces() == before:
            wrong.append((write.route, answer.status, answer.body))
    assert wrong == []
