"""What stands before the routes: a limit that is not configured is not there."""

from typing import Any

from broker.config_sources import load_settings
from handlers.address_rate import AddressRate
from handlers.answering import Answering
from handlers.front import front
from handlers.metrics.requests import RequestCounts
from handlers.serving.refusals import Refusals


async def router(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError


def layers(**overrides: dict[str, Any]) -> list[type]:
    app: Any = front(router, load_settings(None, {}, overrides), Refusals(), RequestCounts())
    found = []
    while hasattr(app, "_app"):
        found.append(type(app))
        app = app._app
    return found


def test_every_request_is_counted_and_answered_in_one_place() -> None:
    assert layers()[0] is Answering and layers().count(Answering) == 1


def test_the_rate_of_addresses_stands_there_only_where_one_is_set() -> None:
    assert AddressRate not in layers()
    assert AddressRate in layers(rates={"requests_per_address_per_s": 5})
