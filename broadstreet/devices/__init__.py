"""Devices: which there are, how they prove who they are, and how their payloads are read.

`Registry` writes profiles and devices down and authenticates a device by id and secret; `lend_secrets` lets a piece of
work sign in as devices. `Provisioning` lets new ones in by their fleet's key, `Preparation` those that were labelled
before, `register_table` whole tables of them. `parse_profile` checks a profile's TOML; `Decoder` turns payloads into
readings by it, on the recorder's hot path. What cannot be decoded is settled by people through `Letters`. `Commands`
gives orders, a `Dispatcher` offers them, and what devices answer comes by the log to `apply_answers`.

What must always hold: a device's entity exists from its registration, with name and place, so that one never heard is
seen; of a secret only a salted hash is kept; a profile's version never changes, and a mended profile is a new version
that its devices adopt; every change bumps `registry_version`, by which recorders know to look again.
"""

from broadstreet.devices.answer import Answer, apply_answers, decode_answer
from broadstreet.devices.certificate import CertificateRow, Certificates, CertificateWish, NewCertificate
from broadstreet.devices.command import Choice, CommandRow, Commands, CommandState, Offer, Order, fetch_command
from broadstreet.devices.decoder import Decoder, Fault, Reading
from broadstreet.devices.dispatcher import Dispatcher
from broadstreet.devices.letters import Letter, LetterPage, Letters, Settled, Wanted
from broadstreet.devices.listing import DeviceRow, find_device, list_devices, profile_versions
from broadstreet.devices.loan import lend_secrets
from broadstreet.devices.prepared import Claim, Preparation, Prepared, PreparedRow, PreparedSpec
from broadstreet.devices.profile import SILENT_AFTER_INTERVALS, Profile, parse_profile
from broadstreet.devices.provisioning import Admitted, Application, KeyRow, KeySpec, NewKey, Provisioning
from broadstreet.devices.registration import DeviceSpec
from broadstreet.devices.registry import DeviceIdentity, ProfileVersion, Registered, Registry
from broadstreet.devices.table import LineReport, TableReport, register_table
from broadstreet.devices.webhook import NewWebhook, Webhook, WebhookRow, Webhooks, WebhookSpec

__all__ = [
    "SILENT_AFTER_INTERVALS",
    "Admitted",
    "Answer",
    "Application",
    "CertificateRow",
    "CertificateWish",
    "Certificates",
    "Choice",
    "Claim",
    "CommandRow",
    "CommandState",
    "Commands",
    "Decoder",
    "DeviceIdentity",
    "DeviceRow",
    "DeviceSpec",
    "Dispatcher",
    "Fault",
    "KeyRow",
    "KeySpec",
    "Letter",
    "LetterPage",
    "Letters",
    "LineReport",
    "NewCertificate",
    "NewKey",
    "NewWebhook",
    "Offer",
    "Order",
    "Preparation",
    "Prepared",
    "PreparedRow",
    "PreparedSpec",
    "Profile",
    "ProfileVersion",
    "Provisioning",
    "Reading",
    "Registered",
    "Registry",
    "Settled",
    "TableReport",
    "Wanted",
    "Webhook",
    "WebhookRow",
    "WebhookSpec",
    "Webhooks",
    "apply_answers",
    "decode_answer",
    "fetch_command",
    "find_device",
    "lend_secrets",
    "list_devices",
    "parse_profile",
    "profile_versions",
    "register_table",
]
