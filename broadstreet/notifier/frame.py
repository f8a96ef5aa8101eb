"""A notification around its entities, and what goes with it (5.3.1 and 6.3.8 of the standard)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from broadstreet.model.clock import format_rfc3339
from broadstreet.notifier.look import GEO_JSON, JSON, LD_JSON

CONTEXT_RELATION: Final = "http://www.w3.org/ns/json-ld#context"
_NOT_THEIRS: Final = frozenset(
    ("content-length", "transfer-encoding", "connection", "host", "expect", "upgrade", "te", "trailer")
)
"""Headers that frame a message, and would break it if somebody else wrote them."""
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Frame:
    """What stands around bodies, and goes with them. headers: what the receiver asked to be sent."""

    subscription_id: str
    media_type: str
    context: str
    headers: Mapping[str, str]

    def message(self, notification_id: str, at_us: int, bodies: Sequence[str]) -> bytes:
        """A notification."""
        head: dict[str, Any] = {
            "id": notification_id,
            "type": "Notification",
            "subscriptionId": self.subscription_id,
            "notifiedAt": format_rfc3339(at_us),
        }
        if self.media_type != JSON and not self.puts_context_in_link:
            head["@context"] = self.context
        data = f"[{','.join(bodies)}]"
        if self.media_type == GEO_JSON:
            data = f'{{"type":"FeatureCollection","features":{data}}}'
        return b'%s,"data":%s}' % (_encode(head)[:-1], data.encode())

    @property
    def puts_context_in_link(self) -> bool:
        """Whether the @context comes in the Link header: with plain JSON, and with GeoJSON where it is asked for."""
        wish = next((text for name, text in self.headers.items() if name.lower() == "prefer"), "")
        return self.media_type == JSON or (self.media_type == GEO_JSON and wish.replace('"', "") == "body=json")

    def all_headers(self, tenant: str | None) -> dict[str, str]:
        """Everything that goes with a notification. What the house has to say itself, nobody else says."""
        own = {"Content-Type": self.media_type}
        if self.puts_context_in_link:
            own["Link"] = f'<{self.context}>; rel="{CONTEXT_RELATION}"; type="{LD_JSON}"'
        if tenant is not None:
            own["NGSILD-Tenant"] = tenant
        taken = {name.lower() for name in own} | _NOT_THEIRS
        return {name: text for name, text in self.headers.items() if name.lower() not in taken} | own
