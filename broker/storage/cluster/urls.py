"""The URL of a cluster: `redis+cluster://[user:password@]host[:port][,host[:port]...][/0][?options]`. Pure.

`rediss+cluster://` is the same over TLS. The hosts are those to ask first; the cluster itself names all of its nodes.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

PORT = 6379

_URL = re.compile(
    r"(?P<scheme>rediss?)\+cluster://(?P<login>[^\s/?#@]*@)?(?P<seeds>[^\s/?#@]+)(?:/0?)?(?P<options>\?[^\s#]*)?"
)
_SEED = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:,\[\]]+))(?::(?P<port>[0-9]{1,5}))?")


class Address(NamedTuple):
    """Where a node listens; `host` is a name or an IP address without brackets."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ClusterUrl:
    """A parsed URL. `login` ends with its @ and `options` begin with their question mark, or are empty."""

    scheme: str
    login: str
    seeds: tuple[Address, ...]
    options: str

    def node(self, address: Address) -> str:
        """The URL of one node, with the login and the options of the cluster's."""
        host = f"[{address.host}]" if ":" in address.host else address.host
        return f"{self.scheme}://{self.login}{host}:{address.port}{self.options}"


def is_cluster_url(url: str) -> bool:
    """Whether a URL is one of a cluster, well-formed or not."""
    return url.startswith(("redis+cluster://", "rediss+cluster://"))


def parse_cluster_url(url: str) -> ClusterUrl:
    """Read a URL; raises ValueError, with what is wrong and without the password."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("must be redis+cluster://host:port[,host:port...], without a database but 0")
    seeds = tuple(_parse_seed(text) for text in match["seeds"].split(","))
    return ClusterUrl(match["scheme"], match["login"] or "", seeds, match["options"] or "")


def _parse_seed(text: str) -> Address:
    match = _SEED.fullmatch(text)
    port = int(match["port"] or PORT) if match else 0
    if match is None or not 0 < port <= 65_535:
        raise ValueError(f"{text!r} is not a host and port, such as 10.0.0.1:6379 or [::1]:6379")
    return Address(match["v6"] or match["host"], port)
