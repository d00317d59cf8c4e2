"""Scopes: what a credential may do, and with which channels (contract channels.md section 5, design.md section 6).

    admin         everything
    metrics       the metrics of the server, and nothing else
    pub:{id}      publish to one channel            sub:{id}      read one channel
    pub:{text}*   to all whose id begins with text  sub:{text}*   and the same for reading
    pub:*         to all                            sub:*

Publishing does not include reading, nor the other way round. The channels of the other APIs (`RESERVED_PREFIXES`) are
covered by admin, by their exact id, and by a prefix that names at least the whole reserved prefix: `sub:*` was given
out before anyone thought of a team's calendar.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from broker.errors import Invalid
from broker.tenants import tenant_of

ADMIN = "admin"
METRICS = "metrics"

RESERVED_PREFIXES = ("lifecycle-", "live-", "calendar-", "cuey-", "system-")
"""How the ids of channels begin that belong to another API or to the broker itself (design.md section 8)."""

SCOPE_FORM = r"admin|metrics|(?:pub|sub):(?:\*|[a-z0-9][a-z0-9-]{0,62}\*|[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)"
"""The grammar above as a regular expression, for matching the whole text."""

_SCOPE = re.compile(SCOPE_FORM)


def is_reserved(channel_id: str) -> bool:
    """Whether the channel belongs to another API, so that nobody creates, changes or publishes to it by hand."""
    return channel_id.startswith(RESERVED_PREFIXES)


def is_scope(text: str) -> bool:
    """Whether `text` is a scope of the grammar above; upper case, blanks, NUL and stars elsewhere are not."""
    return _SCOPE.fullmatch(text) is not None


def parse_scope(value: Any) -> str:
    """`value` when it is a scope of the grammar; raises Invalid otherwise. For what we are to sign or to trust."""
    if isinstance(value, str) and is_scope(value):
        return value
    shown = f' "{value[:80]}"' if isinstance(value, str) and value.isprintable() else ""
    raise Invalid(f'Invalid scope{shown}. Must be "admin", "metrics", "pub:<channel>" or "sub:<channel>"')


def known_scopes(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of `texts` that are scopes, each once and in their order. A foreign token's other scopes give nothing."""
    return tuple(dict.fromkeys(text for text in texts if is_scope(text)))


def covers(pattern: str, scope: str) -> bool:
    """Whether everything that `scope` allows, `pattern` allows too; both are of the grammar. Ceilings ask this."""
    if pattern in (ADMIN, scope):
        return True
    if scope == ADMIN or not pattern.endswith("*") or not scope.startswith(pattern[:-1]):
        return False
    beginning = scope.partition(":")[2]
    return not is_reserved(beginning) or is_reserved(pattern.partition(":")[2])


def _allows(scopes: tuple[str, ...], verb: str, channel_id: str) -> bool:
    wanted = f"{verb}:{channel_id}"
    # The usual case first: this is asked for each publish.
    return wanted in scopes or any(covers(scope, wanted) for scope in scopes)


class Reach(NamedTuple):
    """The channels that a credential publishes to or reads: by their ids, and by how their ids begin.

    For lists, which reserved channels are absent from: those are in nobody's reach.
    """

    ids: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether it is every channel."""
        return "" in self.prefixes

    def includes(self, channel_id: str) -> bool:
        """Whether it is this channel."""
        return not is_reserved(channel_id) and (channel_id in self.ids or channel_id.startswith(self.prefixes))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a verified credential may do, and who holds it.

    `scopes` are of the grammar above. `subject` is the publisher_id of its events: the token's `sub`, or `issuer:sub`
    for a trusted key with an issuer; None for a token without `sub`. `groups` are carried and not evaluated. Times are
    Unix seconds. `principal` tells callers apart for idempotency: the key and the subject, or a digest of the token
    where it has no subject. `key_x` and `key_issuer` are those of the key that verified it, so that a key that was
    removed and added again under the same `key_id` is noticed.

    An API key's grant has no scopes of channels but a `tenant` whose domain APIs `apis` it may call, an `agent` when it
    is for one of the calendar's only; it reads the channels of these APIs, an agent's none by their names.
    """

    scopes: tuple[str, ...]
    subject: str | None
    name: str | None
    groups: tuple[str, ...]
    issued_at_s: int | None
    expires_at_s: int | None
    key_id: str
    principal: str
    key_x: str = ""
    key_issuer: str | None = None
    tenant: str | None = None
    apis: tuple[str, ...] = ()
    agent: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether it may do everything."""
        return ADMIN in self.scopes

    @property
    def may_read_metrics(self) -> bool:
        """Whether it may see what the server counts."""
        return self.is_admin or METRICS in self.scopes

    def may_publish(self, channel_id: str) -> bool:
        """Whether it may append to this channel."""
        return _allows(self.scopes, "pub", channel_id)

    def may_subscribe(self, channel_id: str) -> bool:
        """Whether it may read this channel, at every door."""
        return _allows(self.scopes, "sub", channel_id) or self._is_of_its_tenant(channel_id)

    def may_call(self, api: str) -> bool:
        """Whether it may call this API of the domains, for its tenant."""
        return self.tenant is not None and api in self.apis

    def _is_of_its_tenant(self, channel_id: str) -> bool:
        if self.tenant is None or self.agent is not None:
            return False
        found = tenant_of(channel_id)
        return found is not None and found[0] == self.tenant and found[1] in self.apis

    @property
    def reach(self) -> Reach:
        """The channels that it may publish to or read, for lists."""
        of_channels = [scope for scope in self.scopes if scope != METRICS]
        names = {"*" if scope == ADMIN else scope.partition(":")[2] for scope in of_channels}
        prefixes = sorted(name[:-1] for name in names if name.endswith("*"))
        return Reach(frozenset(name for name in names if not name.endswith("*")), tuple(prefixes))
