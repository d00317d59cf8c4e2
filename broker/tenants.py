"""Tenants: the organisations, teams and companies that the domain APIs work for, and which channels are theirs. Pure.

All of a tenant lives in one partition (design section 3): its documents, timers, indexes, answers, and its logs. So
the channels below are found by their tenant's name, and any other channel by its own.
"""

import re
from types import MappingProxyType

from broker.errors import Invalid

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]")

CHANNELS_OF_TENANTS = MappingProxyType(
    {
        "lifecycle-team-": "lifecycle",
        "live-team-": "live",
        "calendar-org-": "calendar",
        "cuey-team-": "cuey",
    }
)
"""How the channels of a tenant begin, each with the API that writes to it; the tenant's name follows."""

CLAIMED_NAMES = ("live-watch-",)
"""How the channels of a tenant begin whose names do not tell the tenant: `storage.homes` says where they live."""

APIS = ("lifecycle", "live", "calendar", "cuey")
"""The APIs that work for tenants: the scopes of API keys."""


def parse_tenant(value: str) -> str:
    """`value` when it is a tenant's name; raises `Invalid`."""
    if TENANT.fullmatch(value):
        return value
    raise Invalid("A tenant's name is 3 to 40 of a-z, 0-9 and -, not beginning or ending with -")


CALENDAR_OF_TENANT = re.compile(r"calendar-[0-9a-z]{14}-([a-z0-9-]{3,40})")
"""A calendar's channel: its id without the prefix, which has no hyphen, and the tenant's name."""


def tenant_of(channel_id: str) -> tuple[str, str] | None:
    """The tenant that a channel belongs to by its name, and the API that writes to it; None for any other channel."""
    for prefix, api in CHANNELS_OF_TENANTS.items():
        if channel_id.startswith(prefix):
            return channel_id.removeprefix(prefix), api
    match = CALENDAR_OF_TENANT.fullmatch(channel_id)
    return None if match is None else (match[1], "calendar")


def owner_of(channel_id: str) -> str:
    """Whose partition a channel lives in: its tenant's, or its own."""
    found = tenant_of(channel_id)
    return channel_id if found is None else found[0]


def is_claimed(channel_id: str) -> bool:
    """Whether the channel lives where the claim of its name says."""
    return channel_id.startswith(CLAIMED_NAMES)
