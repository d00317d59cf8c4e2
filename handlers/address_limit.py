"""How many requests a client behind a trusted proxy has open at once (reliability.md F, connections per address).

Other clients are counted by their connections when these are accepted (`handlers.serving.admission`). Through a proxy
one connection carries many clients, or one client comes on many, so what counts is what is being answered: sockets,
streams, long polls, and for its short time any other request.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import lru_cache, partial
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from broker.addresses import Network, host_of
from broker.errors import TooMany
from handlers.open_connections import OpenConnections
from handlers.responses import refusal_answer
from handlers.serving.client_address import client_address, is_proxy
from handlers.serving.detach import at_end


class AddressLimit:
    """ASGI middleware: 429 beyond `most` for one address."""

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[Network], most: int) -> None:
        self._app = app
        self._trusted_proxies = trusted_proxies
        self._is_proxy = lru_cache(maxsize=1_024)(partial(is_proxy, trusted_proxies))
        self._open = OpenConnections(most, "Too many connections from this address")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on while the address may have one more open."""
        client = scope.get("client")
        if scope["type"] not in ("http", "websocket") or not self._is_proxy(client[0] if client else None):
            await self._app(scope, receive, send)
            return
        address = client_address(scope, self._trusted_proxies)
        with ExitStack() as held:
            try:
                held.enter_context(self._open.hold(None if address is None else host_of(ip_address(address))))
            except TooMany as refusal:
                await refusal_answer(refusal, scope)(scope, receive, send)
            else:
                await self._app(scope, receive, send)
                at_end(scope, held.pop_all().close)
