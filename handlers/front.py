"""What stands before the routes, from the outside in, in the place of Starlette's own stack."""

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from broker.config import Settings
from broker.errors import Refusal
from handlers.address_limit import AddressLimit
from handlers.address_rate import AddressRate
from handlers.answering import Answering
from handlers.api_key_loading import ApiKeyLoading
from handlers.hot_paths import HotPaths
from handlers.metrics.requests import RequestCounts
from handlers.responses import on_expected
from handlers.routes import HOT_PATHS
from handlers.serving.refusals import Refusals
from handlers.wiring import rates_of


def front(router: ASGIApp, settings: Settings, refusals: Refusals, counts: RequestCounts) -> ASGIApp:
    """The app that is served. A limit that is not configured is not there."""
    proxies, rates = settings.server.trusted_proxies, rates_of(settings)
    expected = {Refusal: on_expected, HTTPException: on_expected}
    app: ASGIApp = HotPaths(ExceptionMiddleware(router, handlers=expected), HOT_PATHS)
    app = ApiKeyLoading(app, rates.requests_per_key)
    if rates.requests_per_address is not None:
        app = AddressRate(app, rate=rates.requests_per_address, trusted_proxies=proxies)
    if proxies:
        app = AddressLimit(app, proxies, settings.limits.connections_per_address)
    return Answering(app, refusals, counts)
