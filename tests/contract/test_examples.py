"""The calls that the docs show, made: each line that a reader pastes is answered, given a token, as it should be."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import shapely
from litestar import Litestar
from pyogrio.raw import write

from broadstreet.apis import Services
from broadstreet.devices import DeviceSpec, KeySpec, PreparedSpec, WebhookSpec
from simulator import profiles
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.house import portal_of, whole_app
from tests.docs.curl import FORM, read_curl
from tests.docs.pages import ROOT, Page, pages

DEFAULT_HOST = "127.0.0.1:8080"
SHOWN = {
    page.path.relative_to(ROOT).as_posix(): lines
    for page in pages()
    if (lines := [line for line in page.commands() if line.startswith("curl ")])
}
MADE = re.compile(r"\b(PROJECT|SCENARIO)\b")
"""What stands for the id of what an earlier line of the page made."""
SECRET = re.compile(r"\b(TOKEN|HOOK|PROVISIONING_KEY|CLAIM_CODE)\b")
NAMED = re.compile(r"urn:ngsi-ld:AirQualityObserved:([\w-]+)")
READINGS = {
    "readings.ndjson": b'{"device": "aq-017", "no2": 31.2}\n{"device": "aq-018", "no2": 28.4}\n',
    "readings.csv": b"device,no2\naq-017,31.2\naq-018,28.4\n",
    "devices.csv": b"id,title,lon,lat\naq-301,North,24.95,60.17\n",
    "readings.csv.gz": gzip.compress(b"device,no2\naq-017,31.2\naq-018,28.4\n"),
}
"""The files that a reader of the page on readings has."""
SENDERS = ("aq-017", "aq-018")
HOOK = WebhookSpec(name="docs", device_field="end_device_ids.device_id")
KEY = KeySpec(name="docs", profile="air-quality", max_devices=1, lon=24.95, lat=60.17)


@dataclass
class Reader:
    """Somebody who pastes what the docs show, with a token of an administrator."""

    app: Litestar
    token: str
    hook: str
    key: str
    code: str
    files: Path
    made: dict[str, str] = field(default_factory=dict)

    async def paste(self, line: str, secret: str | None = None) -> Answer:
        """What a line answers with the reader's token and webhook, or with a secret that holds nowhere."""
        line = re.sub(r"\$HOOK\b", secret or self.hook, line)
        line = re.sub(r"\bPROVISIONING_KEY\b", secret or self.key, line)
        line = re.sub(r"\bCLAIM_CODE\b", self.code, line)
        line = MADE.sub(lambda found: self.made[found.group()], line)
        call = read_curl(re.sub(r"\$?TOKEN\b", secret or self.token, line), self.files)
        assert call.host == DEFAULT_HOST, line
        answer = await ask(self.app, call.method, call.target, headers=call.headers, body=call.body)
        what = call.target.rsplit("/", 1)[-1].removesuffix("s").upper()
        if call.method == "POST" and MADE.fullmatch(what) and answer.status == 201:
            self.made[what] = answer.json["id"]
        return answer

    async def ask(self, method: str, target: str, body: object = b"") -> Answer:
        return await ask(self.app, method, target, headers={"authorization": f"Bearer {self.token}"}, body=body)


@pytest.fixture
async def reader(services: Services, data_dir: Path) -> AsyncIterator[Reader]:
    """A city with the profiles of the simulator, and the stations that the docs speak of, heard once."""
    shutil.copytree(ROOT / "simulator" / "profiles", data_dir, dirs_exist_ok=True)
    for name, content in READINGS.items():
        (data_dir / name).write_bytes(content)
    ducts = shapely.to_wkb(np.array([shapely.LineString([(24.944, 60.171), (24.946, 60.171)])]))
    write(data_dir / "ducts.gpkg", ducts, [np.array([2])], ["room"], geometry_type="LineString", crs="EPSG:4326")
    city = await services.store.tenant("city")
    for text in profiles().values():
        await services.registry.register_profile(city, text, principal="test", at_us=services.clock())
    shown = {name for lines in SHOWN.values() for line in lines for name in NAMED.findall(line)}
    named = sorted(shown | set(SENDERS))
    specs = [DeviceSpec(id=name, title=name, profile="air-quality", lon=24.95, lat=60.17) for name in named]
    stations = await services.registry.register_many(city, specs, principal="test", at_us=services.clock())
    await services.access.accounts.create("root", "Root", tenant="city", roles=["administrator"], by="test")
    token = (await services.access.tokens.issue("root", "api", "docs", 3600, by="test")).secret
    async with portal_of(services, data_dir) as portal:
        hook = await services.webhooks.create(city, HOOK, by="test", at_us=services.clock())
        key = await services.provisioning.create(city, KEY, by="test", at_us=services.clock())
        waiting = [PreparedSpec(id="aq-0400", profile="air-quality")]
        (label,) = await services.preparation.prepare(city, waiting, by="test", at_us=services.clock())
        secrets = hook.secret, key.secret, label.code or ""
        opened = Reader(whole_app(services, portal), token, *secrets, data_dir)
        heard = {"NO2": {"type": "Property", "value": 31.2, "observedAt": "2026-03-01T10:00:00Z"}}
        for station in stations:
            answer = await opened.ask("POST", f"/ngsi-ld/v1/entities/{station.entity_id}/attrs", heard)
            assert answer.status == 204, answer.body
        yield opened


@pytest.mark.parametrize("page", SHOWN)
async def test_what_a_page_shows_is_answered(page: str, reader: Reader) -> None:
    for line in SHOWN[page]:
        answer = await reader.paste(line)
        assert 200 <= answer.status < 300, (line, answer.body)
        if "/v1/readings" in line or "/v1/hook" in line:
            assert answer.json["accepted"] and not answer.json["rejected"], (line, answer.body)
        if SECRET.search(line) is None:
            continue  # what everyone may see needs none
        refused = 404 if "HOOK" in line else 401
        assert (await reader.paste(line, "bst_wrong")).status == refused, f"{line} needs its secret"


async def test_the_example_of_a_rename_renames(reader: Reader, clock: Clock) -> None:
    renames = [line for lines in SHOWN.values() for line in lines if "-X PATCH" in line]
    assert renames
    for line in renames:
        clock.forward(1)
        await reader.paste(line)
        (device,) = NAMED.findall(line)
        found = await reader.ask("GET", f"/v1/devices/{device}")
        assert found.json["title"] == json.loads(line.split(" -d ")[1].split("'")[1])["name"]["value"]


def test_a_line_is_taken_apart_as_curl_does(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"x = 1\n")
    get = read_curl("curl -G http://h:1/p -d a=1 --data-urlencode 'q=NO2>40' -H 'Accept: text/csv'", tmp_path)
    assert (get.method, get.host, get.target, get.body) == ("GET", "h:1", "/p?a=1&q=NO2%3E40", b"")
    assert get.headers == {"accept": "text/csv"}
    post = read_curl("curl http://h:1/p --data-binary @a.toml", tmp_path)
    assert (post.method, post.headers, post.body) == ("POST", {"content-type": FORM}, b"x = 1\n")
    with pytest.raises(SystemExit):
        read_curl("curl --insecure http://h:1/p", tmp_path)


def test_every_page_with_a_call_is_read() -> None:
    assert {Page(ROOT / name).path.name for name in SHOWN} >= {"ngsi-ld.md", "http-api.md", "first-ten-minutes.md"}
