"""The gateway's routes: `POST /v1/readings`, `/v1/hook` where services leave readings, and devices' commands."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from broadstreet.access import Principal, public, requires
from broadstreet.gateway.http import HttpIngest, Sent
from broadstreet.gateway.orders import MAX_WAIT_S
from broadstreet.gateway.parcel import Receipt

KEY_HEADER: Final = "idempotency-key"
SECRET_HEADER: Final = "x-webhook-secret"
SIGNATURE_HEADERS: Final = ("x-hub-signature-256", "x-signature")

WaitSeconds = Annotated[float, QueryParameter(ge=0, le=MAX_WAIT_S, description="How long the answer may wait.")]
AnyRequest = Request[Principal, Any, State]


async def _sent(request: AnyRequest) -> Sent:
    headers = request.headers
    return Sent(
        body=await request.body(),
        content_type=headers.get("content-type", ""),
        encoding=headers.get("content-encoding", ""),
        key=headers.get(KEY_HEADER),
        signature=next((headers[name] for name in SIGNATURE_HEADERS if name in headers), ""),
    )


async def _hung_up(request: AnyRequest) -> None:
    """Return when who asked has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass  # its body, which nobody reads


def readings_router(ingest: HttpIngest) -> Router:
    """The routes, to be composed into the HTTP application."""

    @post("/v1/readings", opt=requires("reading:write"), status_code=HTTP_200_OK)
    async def send_readings(request: AnyRequest) -> Receipt:
        """Send readings: JSON (an object or an array), an object a line (`application/x-ndjson`), or `text/csv`.

        A device's own credential sends its own readings; with a token, each item names its device in `device`. The body
        may be packed (`Content-Encoding: gzip`). Under an `Idempotency-Key` the same request counts once for 24 hours.
        The answer says how many items are kept, on disk, and which were rejected and why, by their index from 0. 429
        and 503 ask to send the same again in a moment; 507 says that the disk is full.
        """
        return await ingest.take(request.user, await _sent(request))

    @post("/v1/hook/{secret:str}", opt=public("the secret in the path is the credential"), status_code=HTTP_200_OK)
    async def call_webhook(request: AnyRequest, secret: FromPath[str]) -> Receipt:
        """Leave readings at a webhook, by its secret address; for services that can only call a URL.

        Where the webhook asks for a signature, `X-Hub-Signature-256` or `X-Signature` has the HMAC-SHA256 of the body.
        """
        return await ingest.take_hook(secret, await _sent(request))

    @post("/v1/hook", opt=public("the secret in the header is the credential"), status_code=HTTP_200_OK)
    async def call_webhook_by_header(request: AnyRequest) -> Receipt:
        """The same, with the secret in the header `X-Webhook-Secret`, so that no log of addresses has it."""
        return await ingest.take_hook(request.headers.get(SECRET_HEADER, ""), await _sent(request))

    @get("/v1/devices/{device:str}/commands/next", opt=requires("reading:write"))
    async def next_command(request: AnyRequest, device: FromPath[str], wait_s: WaitSeconds = 0.0) -> Response[Any]:
        """A device's next command: fetched by the device itself, or by a token that sends in its name.

        The answer waits up to `wait_s` seconds for one; 204 where none came. A command that is not answered is handed
        out again, under the same id: execute it once.
        """
        gone = asyncio.create_task(_hung_up(request))
        try:
            offer = await ingest.orders.next(request.user, device, wait_s, gone)
        finally:
            gone.cancel()
        return Response(offer, status_code=HTTP_204_NO_CONTENT if offer is None else HTTP_200_OK)

    @post(
        "/v1/devices/{device:str}/commands/{command:str}/result",
        opt=requires("reading:write"),
        status_code=HTTP_202_ACCEPTED,
    )
    async def answer_command(request: AnyRequest, device: FromPath[str], command: FromPath[str]) -> None:
        """Say what came of a command: `{"state": "acknowledged", "result": …}`, or `"rejected"`, or only `"received"`.

        The first answer counts; 202 says that it is on disk.
        """
        await ingest.orders.answer(request.user, device, command, await request.body())

    return Router(
        "/",
        route_handlers=[send_readings, call_webhook, call_webhook_by_header, next_command, answer_command],
        tags=["Readings"],
    )
