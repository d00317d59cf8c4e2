"""How many requests one address may send (`[rates]`), over all processes; without a rate it is not there.

An address is the client's, as `client_address` finds it behind trusted proxies; one of IPv6 stands for its /64, as for
the limit of connections. Health checks are not counted, so that a balancer is never refused. While the engine does not
answer nothing is refused: the request will find that out.
"""

from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from broker.addresses import Network, host_of
from broker.errors import TooMany, Unavailable
from broker.rates import Rate
from broker.storage.rates import RateLimits
from handlers.responses import refusal_answer
from handlers.serving.client_address import client_address

LIMIT = "requests-per-address"
UNCOUNTED = ("/healthz", "/readyz")


class AddressRate:
    """ASGI middleware; the limits come from the broker in the app's state, which is there once the app has started."""

    def __init__(self, app: ASGIApp, *, rate: Rate, trusted_proxies: tuple[Network, ...]) -> None:
        self._app = app
        self._rate = rate
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 429."""
        if scope["type"] in ("http", "websocket") and scope["path"] not in UNCOUNTED:
            address = client_address(scope, self._trusted_proxies)
            limits: RateLimits = scope["app"].state.broker.rate_limits
            try:
                await limits.take(LIMIT, "" if address is None else host_of(ip_address(address)), self._rate)
            except TooMany as refusal:
                await refusal_answer(refusal, scope)(scope, receive, send)
                return
            except Unavailable:
                pass
        await self._app(scope, receive, send)
