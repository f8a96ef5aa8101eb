"""The settings: one `broadstreet.toml`, each setting overridable by the environment.

`mqtt.port` in the file is `BROADSTREET_MQTT_PORT` in the environment, which has the last word. A key that nobody knows
is refused, in the file and in the environment: a setting misspelt is a setting ignored. Every setting is described in
docs/reference/settings.md, and a test says so.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from broadstreet.access import check_roles
from broadstreet.access.visits import DEFAULT_PER_MINUTE
from broadstreet.app.oidc import OidcSettings
from broadstreet.context.bounds import DEFAULT_INSTANCES, MAX_LAST_N
from broadstreet.delivery import Hosts
from broadstreet.log import StreamLimits
from broadstreet.model.addresses import is_loopback
from broadstreet.model.errors import InvalidInput

_LIMITS = StreamLimits()
MAX_PARTITIONS = 256
FILE_NAME = "broadstreet.toml"
PREFIX = "BROADSTREET_"
FILE_VARIABLE = PREFIX + "SETTINGS"
"""Names the settings file for every process of the house; `--settings` sets it."""

Port = Annotated[int, Meta(ge=0, le=65_535)]
Bytes = Annotated[int, Meta(ge=1_000_000)]
Seconds = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class Mqtt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The MQTT listener."""

    host: str = "127.0.0.1"
    port: Port = 1883
    public_host: str = ""
    name: Annotated[str, Meta(pattern="^[A-Za-z0-9-]{1,60}$")] = "gateway"
    open_port: Port = 0
    tls_host: str = ""
    tls_port: Port = 8883
    tls_certificate: str = ""
    tls_key: str = ""
    client_authority: str = ""


class MqttLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client, an address or a device may take of a gateway. The defaults are `gateway.limits`'s."""

    connections: Count = 50_000
    connections_per_address: Count = 25_000
    connections_per_device: Count = 100
    sign_in_failures: Annotated[int, Meta(ge=0)] = 20
    packet_bytes: Annotated[int, Meta(ge=256, le=1_048_576)] = 1_048_576
    messages_per_s: Annotated[float, Meta(ge=0)] = 10_000.0
    bytes_per_s: Annotated[float, Meta(ge=0)] = 10_000_000.0
    in_flight: Annotated[int, Meta(ge=1, le=65_535)] = 4_096
    subscriptions: Count = 100


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The HTTP server: portal, APIs, HTTP ingest."""

    host: str = "127.0.0.1"
    port: Port = 8080
    origin: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    redirect_port: Port = 0
    anonymous_writes: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError where the house would be open to more than its machine."""
        if self.anonymous_writes and not is_loopback(self.host):
            raise ValueError(
                "http.anonymous_writes opens the house to whoever reaches it, so that http.host has to be an address "
                "of this machine alone, such as 127.0.0.1"
            )


class AcmeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate of HTTPS, asked for by itself."""

    names: str = ""
    directory: str = "https://acme-v02.api.letsencrypt.org/directory"
    email: str = ""
    agree_to_terms: bool = False
    directory_ca: str = ""


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The city's own engines; empty: those of the data folder."""

    postgres_url: str = ""
    nats_url: str = ""


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many partitions the log has, and the bounds of its streams."""

    partitions: Annotated[int, Meta(ge=1, le=MAX_PARTITIONS)] = 2
    raw_bytes: Bytes = _LIMITS.raw_bytes
    changes_bytes: Bytes = _LIMITS.changes_bytes
    changes_age_s: Seconds = _LIMITS.changes_age_s
    out_bytes: Bytes = _LIMITS.out_bytes
    out_age_s: Seconds = _LIMITS.out_age_s
    dead_bytes: Bytes = _LIMITS.dead_bytes
    retained_bytes: Bytes = _LIMITS.retained_bytes
    sessions_bytes: Bytes = _LIMITS.sessions_bytes
    queue_bytes: Bytes = _LIMITS.queue_bytes
    queue_age_s: Seconds = _LIMITS.queue_age_s

    @property
    def limits(self) -> StreamLimits:
        """The bounds as the log takes them."""
        return StreamLimits(**{name: getattr(self, name) for name in StreamLimits.__struct_fields__})


class RecorderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How readings are applied."""

    future_limit_s: Annotated[float, Meta(ge=0)] = 300.0
    keep_bytes: Annotated[int, Meta(ge=0)] = 1024**3


class PastSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the past is kept."""

    table_days: Annotated[int, Meta(ge=0)] = 35
    pack_days: Annotated[int, Meta(ge=0)] = 400


class ExportSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files of exports that wait to be fetched."""

    keep_hours: Annotated[float, Meta(gt=0)] = 48.0
    max_bytes: Bytes = 20_000_000_000


class PlanningSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Plans of the network: their files, and how many are made side by side."""

    max_bytes: Bytes = 20_000_000_000
    max_source_bytes: Bytes = 500_000_000
    workers: Annotated[int, Meta(ge=0, le=64)] = 1


class DiskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the disk is taken for full."""

    watermark_bytes: Bytes = 2_000_000_000


class LoggingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the processes write down what happens."""

    format: Literal["text", "json"] = "text"


class AccessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes in, and how."""

    second_factor: str = ""
    keys: str = ""
    public_per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] = DEFAULT_PER_MINUTE

    @property
    def guarded_roles(self) -> frozenset[str]:
        """The roles that a second factor is asked of. Raises InvalidInput for one that does not exist."""
        return frozenset(check_roles(self.second_factor.replace(",", " ").split()))


class NgsiLdSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom NGSI-LD's operations let the house ask and deliver to, and how much one answer holds."""

    context_hosts: str = ""
    receiver_hosts: str = ""
    temporal_instances: Annotated[int, Meta(ge=1, le=MAX_LAST_N)] = DEFAULT_INSTANCES


class CitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The city itself."""

    title: str = ""
    time_zone: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting of a house. The classes' defaults are the settings' defaults."""

    data_dir: str = "data"
    city: CitySettings = CitySettings()
    mqtt: Mqtt = Mqtt()
    mqtt_limits: MqttLimits = MqttLimits()
    http: Http = Http()
    acme: AcmeSettings = AcmeSettings()
    engines: EngineSettings = EngineSettings()
    log: LogSettings = LogSettings()
    recorder: RecorderSettings = RecorderSettings()
    past: PastSettings = PastSettings()
    exports: ExportSettings = ExportSettings()
    planning: PlanningSettings = PlanningSettings()
    disk: DiskSettings = DiskSettings()
    access: AccessSettings = AccessSettings()
    ngsi_ld: NgsiLdSettings = NgsiLdSettings()
    oidc: OidcSettings = OidcSettings()
    logging: LoggingSettings = LoggingSettings()

    @property
    def data_path(self) -> Path:
        """The data folder."""
        return Path(self.data_dir).expanduser().resolve()

    @property
    def has_certificate(self) -> bool:
        """Whether HTTPS is spoken."""
        return bool(self.http.tls_certificate or self.acme.names)

    @property
    def is_behind_proxy(self) -> bool:
        """Whether a proxy speaks HTTPS for the house, and says where callers are."""
        return bool(self.http.origin) and not self.has_certificate

    @property
    def keys_path(self) -> Path:
        """The file of the keys that secrets in the database are sealed by."""
        return Path(self.access.keys).expanduser() if self.access.keys else self.data_path / "keys" / "secrets"

    @property
    def context_hosts(self) -> Hosts:
        """Whom the house may ask for an @context. Raises InvalidInput."""
        return Hosts.parse(
            self.ngsi_ld.context_hosts, "ngsi_ld.context_hosts", with_loopback=self.http.anonymous_writes
        )

    @property
    def receiver_hosts(self) -> Hosts:
        """Whom notifications may be delivered to though no public address leads there. Raises InvalidInput."""
        return Hosts.parse(
            self.ngsi_ld.receiver_hosts, "ngsi_ld.receiver_hosts", with_loopback=self.http.anonymous_writes
        )

    @property
    def past_path(self) -> Path:
        """Where the files of the long past are, a folder a tenant."""
        return self.data_path / "past"

    @property
    def exports_path(self) -> Path:
        """Where the files of exports are, a folder a tenant."""
        return self.data_path / "exports"


def names() -> dict[str, msgspec.structs.FieldInfo]:
    """Every setting by its dotted name, such as `mqtt.port`."""
    found: dict[str, msgspec.structs.FieldInfo] = {}
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found.update({f"{field.name}.{inner.name}": inner for inner in msgspec.structs.fields(field.type)})
        else:
            found[field.name] = field
    return found


def variable(name: str) -> str:
    """The environment variable that overrides a setting."""
    return PREFIX + name.replace(".", "_").upper()


def load(environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """
    The settings in force.

    environment: as `os.environ`.
    file:        the settings file; left out, the one the environment names, else `./broadstreet.toml` if it is there.
    Raises InvalidInput, naming file or variable, for what is unknown or not what its setting asks for.
    """
    chosen = file or (Path(environment[FILE_VARIABLE]) if environment.get(FILE_VARIABLE) else None)
    written = _read(chosen or Path(FILE_NAME), must_exist=chosen is not None)
    return _settings(written, environment, str(chosen or FILE_NAME))


def to_environment(settings: Settings) -> dict[str, str]:
    """Every setting as the environment variable that gives it: how a supervisor hands them to its processes."""
    return {variable(name): str(attrgetter(name)(settings)) for name in names()}


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings a supervisor handed over; no file is read. Raises InvalidInput."""
    return _settings({}, environment, "the environment")


def _settings(written: dict[str, Any], environment: Mapping[str, str], where: str) -> Settings:
    for name, text in _overrides(environment).items():
        section, _, key = name.rpartition(".")
        place = written.setdefault(section, {}) if section else written
        place[key] = _value(name, text)
    try:
        return msgspec.convert(written, Settings)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"a setting is not right: {error}",
            where=where,
            remedy="docs/reference/settings.md lists every setting.",
        ) from None


def _read(file: Path, must_exist: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise InvalidInput("the settings file is not there", where=str(file)) from None
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the settings file is not TOML: {error}", where=str(file)) from None
    except OSError as error:
        raise InvalidInput(f"the settings file cannot be read: {error.strerror}", where=str(file)) from None


def _overrides(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings the environment gives. A variable of one of our sections that names no setting is refused."""
    known = {variable(name): name for name in names()}
    sections = tuple(f"{PREFIX}{name.split('.')[0].upper()}_" for name in names() if "." in name)
    for key in environment:
        if key not in known and key.startswith(sections):
            near = difflib.get_close_matches(key, known, n=1)
            raise InvalidInput(
                "this environment variable names no setting",
                where=key,
                remedy=f"Did you mean {near[0]}?" if near else "docs/reference/settings.md lists every setting.",
            )
    return {known[key]: text for key, text in environment.items() if key in known}


def _value(name: str, text: str) -> object:
    try:
        return msgspec.convert(text, names()[name].type, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"a setting is not right: {error}", where=variable(name)) from None
