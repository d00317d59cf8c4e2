"""Where a server is: its URL as a person types it, and the addresses and paths that follow from it. Pure."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlencode, urlsplit

from tidemark_client.errors import Invalid

API = "/api/v1"
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """The origin of a server, and the path that a proxy may put before all of its paths ('' without one)."""

    scheme: str
    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `http://host:port` or `https://...`, with or without a path; raises `Invalid`."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise Invalid(f"{text} is no URL") from None
        is_plain = parts.scheme in PORTS and parts.hostname and not (parts.query or parts.fragment or parts.username)
        if not is_plain or not text.isascii() or not text.isprintable() or " " in text:
            raise Invalid(f"{text} is no URL of a server: http://HOST:PORT or https://HOST")
        default = PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname or "", default if port is None else port, parts.path.rstrip("/"))

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    @property
    def origin(self) -> str:
        """Scheme, host and port, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def __str__(self) -> str:
        return self.origin + self.prefix

    def path(self, *segments: str, **query: str | int | None) -> str:
        """The path of a resource of the API; segments and values are encoded, parameters that are None left out."""
        given = {name: value for name, value in query.items() if value is not None}
        path = "".join(f"/{quote(segment, safe='')}" for segment in segments)
        return f"{self.prefix}{API}{path}" + (f"?{urlencode(given)}" if given else "")

    def socket(self, path: str) -> str:
        """The WebSocket URL of a path that `path` made."""
        return ("wss" if self.is_secure else "ws") + self.origin.removeprefix(self.scheme) + path
