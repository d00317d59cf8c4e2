"""The address of a calendar's feed: who has it may read (D16 of the contract). Pure.

Nothing is stored but a number in the calendar: the token is the calendar's name and an HMAC of it and the number, under
a key that HKDF-SHA256 (RFC 5869) makes of the server's own. A higher number ends all earlier addresses.
"""

import base64
import hashlib
import hmac
import re
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handlers.calendar.calendars import Calendar

_PURPOSE = b"tidemark calendar feed\n"
_MAC_BYTES = 24
_TOKEN = re.compile(r"([a-z0-9-]{3,40})\.([0-9a-z]{14})\.([A-Za-z0-9_-]{32})", re.ASCII)


class Named(NamedTuple):
    """The calendar that a token names, and what is to be checked."""

    tenant: str
    calendar_id: str
    mac: str


class Feeds(NamedTuple):
    """Makes and checks addresses: `secret` is of the server only, `site` its URL."""

    secret: bytes
    site: str

    def url(self, tenant: str, calendar: Calendar) -> str:
        """The absolute address of a calendar's feed."""
        return f"{self.site}/ical/{self.token(tenant, calendar)}.ics"

    def token(self, tenant: str, calendar: Calendar) -> str:
        """The token of a calendar's feed."""
        letters = calendar.id.removeprefix("cal_")
        return f"{tenant}.{letters}.{self._mac(tenant, calendar)}"

    def is_of(self, named: Named, calendar: Calendar) -> bool:
        """Whether a token is that of this calendar now."""
        return hmac.compare_digest(named.mac, self._mac(named.tenant, calendar))

    def _mac(self, tenant: str, calendar: Calendar) -> str:
        key = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(self.secret)
        content = f"{tenant}/{calendar.id}/{calendar.feed_epoch}".encode()
        return base64.urlsafe_b64encode(hmac.digest(key, content, hashlib.sha256)[:_MAC_BYTES]).decode()


def parse_token(text: str) -> Named | None:
    """What a token names, None for what is none."""
    match = _TOKEN.fullmatch(text)
    return None if match is None else Named(match[1], f"cal_{match[2]}", match[3])
