"""Who is asking: from the credential of a request to a `Grant` (contract channels.md sections 3 and 5).

Verifying a signature costs far more than a look into a table, and clients repeat the same token on every request, so
verified tokens are remembered for a short time by their digest. The token itself is not kept. The memory is dropped
whole when the trusted keys change, so that a revoked key ends at once.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from broker.api_keys import ApiKey, grant_of, id_of, is_api_key
from broker.claims import render_claims
from broker.errors import Unauthorized
from broker.scopes import Grant
from broker.tokens import MAX_TOKEN, read_claims, read_token
from broker.trust import TrustedKey

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]+) *")


def credential(authorization: str | None, query_token: str | None) -> str:
    """The token of a request: of the Authorization header when there is one, else of `?token=`.

    Raises Unauthorized when there is neither, or when the header is not a Bearer one.
    """
    if authorization is None:
        if query_token:
            return query_token
    elif match := _BEARER.fullmatch(authorization):
        return match[1]
    raise Unauthorized("Missing or invalid Authorization header")


class Verifier:
    """Turns credentials into grants, against the trusted keys of the moment.

    `audiences` are the URLs of this server, `now_s` tells the Unix time in seconds, `leeway_s` is how long a token is
    still taken after its expiry. At most `max_entries` grants are remembered, each for at most `max_age_s` and never
    past its expiry.
    """

    def __init__(
        self,
        keys: Mapping[str, TrustedKey],
        *,
        audiences: Collection[str],
        now_s: Callable[[], float],
        leeway_s: float = 0,
        max_entries: int = 10_000,
        max_age_s: float = 60,
    ) -> None:
        self._keys = dict(keys)
        self._audiences = frozenset(audiences)
        self._now_s = now_s
        self._leeway_s = leeway_s
        self._max_entries = max_entries
        self._max_age_s = max_age_s
        self._known: dict[bytes, tuple[Grant, float]] = {}
        # Only keys that there are, so there are no more than were made.
        self._api_keys: dict[str, ApiKey] = {}

    def grant(self, authorization: str | None, query_token: str | None = None) -> Grant:
        """What the caller may do; raises Unauthorized when there is no credential or it does not verify."""
        token = credential(authorization, query_token)
        return self.grant_of(token)

    def grant_of(self, token: str) -> Grant:
        """What the bearer of `token` may do; raises Unauthorized when it does not verify."""
        if is_api_key(token):
            return self._grant_of_key(token)
        now_s = self._now_s()
        digest = hashlib.sha256(token[: MAX_TOKEN + 1].encode(errors="replace")).digest()
        remembered = self._known.get(digest)
        if remembered is not None and now_s < remembered[1]:
            return remembered[0]
        self._known.pop(digest, None)
        grant = read_token(token, self._keys, audiences=self._audiences, now_s=now_s, leeway_s=self._leeway_s)
        self._remember(digest, grant, now_s)
        return grant

    def claims_of(self, token: str) -> dict[str, Any]:
        """The answer of `GET /tokens/claims`, always verified afresh; raises Unauthorized."""
        now_s = self._now_s()
        claims, _ = read_claims(token, self._keys, audiences=self._audiences, now_s=now_s, leeway_s=self._leeway_s)
        return render_claims(claims)

    def replace_keys(self, keys: Mapping[str, TrustedKey]) -> None:
        """From now on trust `keys` and no others, and forget every grant given before."""
        self._keys = dict(keys)
        self._known.clear()

    def knows(self, key_id: str) -> bool:
        """Whether the API key with this id was taken."""
        return key_id in self._api_keys

    def known_keys(self) -> list[str]:
        """The ids of the API keys that were taken."""
        return list(self._api_keys)

    def take_keys(self, keys: Mapping[str, ApiKey]) -> None:
        """From now on know these API keys too, by their ids."""
        self._api_keys.update(keys)

    def replace_api_keys(self, key_ids: Collection[str], keys: Mapping[str, ApiKey]) -> None:
        """From now on know, of the API keys with these ids, what `keys` says; those not in it are forgotten."""
        for key_id in key_ids:
            self._api_keys.pop(key_id, None)
        self._api_keys.update(keys)

    def is_trusted(self, grant: Grant) -> bool:
        """Whether the key that a grant came from is still there and still good for it, whenever the grant expires."""
        if grant.tenant is not None:
            api_key = self._api_keys.get(grant.key_id)
            return api_key is not None and api_key.revoked_ms is None
        key = self._keys.get(grant.key_id)
        return (
            key is not None and (key.x, key.issuer) == (grant.key_x, grant.key_issuer) and key.may_grant(grant.scopes)
        )

    def may_read_by(self, key_id: str | None, key_x: str | None, channel_id: str) -> bool:
        """Whether who once read a channel by this key could still do so: for readers without a credential of now."""
        if key_id is None:
            return False
        api_key = self._api_keys.get(key_id)
        if api_key is not None:
            return api_key.revoked_ms is None and grant_of(api_key).may_subscribe(channel_id)
        key = self._keys.get(key_id)
        return key is not None and key.x == key_x and key.may_grant((f"sub:{channel_id}",))

    def still_good(self, grant: Grant, now_s: float) -> bool:
        """Whether a grant given earlier would be given again at `now_s`: not expired, its key still good for it."""
        if not self.is_trusted(grant):
            return False
        return grant.expires_at_s is None or now_s < grant.expires_at_s + self._leeway_s

    def ends_at_s(self, grant: Grant) -> float | None:
        """When a grant ends by itself, in Unix seconds with the leeway; None when it does not."""
        return None if grant.expires_at_s is None else grant.expires_at_s + self._leeway_s

    def _grant_of_key(self, text: str) -> Grant:
        key = self._api_keys.get(id_of(text))
        if key is None or not key.is_of(text):
            raise Unauthorized("Invalid or revoked API key")
        return grant_of(key)

    def _remember(self, digest: bytes, grant: Grant, now_s: float) -> None:
        until_s = now_s + self._max_age_s
        if grant.expires_at_s is not None:
            until_s = min(until_s, grant.expires_at_s + self._leeway_s)
        while len(self._known) >= self._max_entries:
            del self._known[next(iter(self._known))]
        self._known[digest] = (grant, until_s)
