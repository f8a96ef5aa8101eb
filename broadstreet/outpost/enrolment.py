"""How a new device comes to a credential of its own: it shows its fleet's key and its hardware id, once.

The answer is to be kept before anything else is done. Where it was lost, the same question is answered again, as long
as the device has not been heard.
"""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from typing import Any, Final

import httpx
import msgspec

from broadstreet.model.errors import NotAllowed, NotSignedIn, Unavailable
from broadstreet.mqtt import Publish, Subscription
from broadstreet.mqtt.client import Client
from broadstreet.outpost.credential import Credential
from broadstreet.outpost.mqtt_link import MqttAddress

USER_NAME: Final = "provision"
REQUEST: Final = "provision"
ANSWER: Final = "provision/answer"
ANSWER_WITHIN_S: Final = 10.0
_NOT_NOW: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


async def enrol_by_mqtt(address: MqttAddress, key: str, hardware_id: str) -> Credential:
    """Ask over MQTT. Raises NotSignedIn for a key that does not hold, NotAllowed for what is refused, Unavailable."""
    answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def heard(message: Publish) -> None:
        if not answered.done():
            answered.set_result(message.payload)

    host, port, version, tls = address
    async with Client(
        host, port, client_id=hardware_id, username=USER_NAME, password=key, version=version, on_message=heard, tls=tls
    ) as client:
        await client.subscribe(Subscription(ANSWER, 0))
        await client.publish(REQUEST, msgspec.json.encode({"hardware_id": hardware_id}))
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                said = msgspec.json.decode(await answered)
        except TimeoutError:
            raise Unavailable("the house does not answer who asks for a credential") from None
    if said["state"] != "admitted":
        raise _refusal(said["status"], said["why"], said["remedy"])
    return Credential(said["id"], said["secret"])


async def enrol_by_http(base_url: str, key: str, hardware_id: str, tls: ssl.SSLContext | None) -> Credential:
    """Ask over HTTP. Raises as `enrol_by_mqtt`."""
    try:
        async with httpx.AsyncClient(verify=True if tls is None else tls, timeout=ANSWER_WITHIN_S) as house:
            answer = await house.post(f"{base_url}/v1/provision", json={"key": key, "hardware_id": hardware_id})
            said = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"{base_url} does not answer: {error!r}") from error
    if not answer.is_success:
        raise _refusal(answer.status_code, said.get("detail", ""), said.get("remedy"))
    return Credential(said["id"], said["secret"])


def _refusal(status: int, words: Any, remedy: Any) -> NotSignedIn | NotAllowed | Unavailable:
    if status == HTTPStatus.UNAUTHORIZED:
        return NotSignedIn(words, where="--key", remedy=remedy)
    if status in _NOT_NOW:
        return Unavailable(words, remedy=remedy)
    return NotAllowed(words, remedy=remedy)
