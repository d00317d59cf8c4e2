"""`GET /channels/{c}/presence`: who reads a channel now, on request only (contract section 16).

Whom the tokens of readers name is personal data, so it is told to those only who could be named there themselves: with
a token for the channel, also where anybody may read it. `[channels] presence` can narrow that.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.errors import Forbidden
from broker.ids import render_time
from broker.presence import Present
from broker.scopes import Grant
from handlers.auth import NO_RIGHT
from handlers.broker import Broker, broker_of
from handlers.requests import query_text
from handlers.responses import PRIVATE, json_answer

OFF = "This server does not tell who reads a channel"


async def get_presence(request: Request) -> Response:
    """Who reads the channel at sockets and streams of all processes; exact within a second. Long polls do not count.

    People are told by the `sub` and `name` of their tokens, each once, with all their connections; readers whose token
    names nobody, or who have none, are counted as anonymous.
    """
    broker = broker_of(request)
    channel = await broker.channels.refresh(request.path_params["channel_id"])
    grant = broker.verifier.grant(request.headers.get("authorization"), query_text(request, "token"))
    if not grant.may_subscribe(channel.id):
        raise Forbidden(NO_RIGHT)
    _check_told(broker, grant)
    return json_answer(render_present(await broker.presence.present(channel)), headers={"Cache-Control": PRIVATE})


def _check_told(broker: Broker, grant: Grant) -> None:
    """Raises `Forbidden` where the settings keep it from this caller."""
    if broker.site.presence == "nobody":
        raise Forbidden(OFF)
    if broker.site.presence == "admins" and not grant.is_admin:
        raise Forbidden(NO_RIGHT)


def render_present(present: Present) -> dict[str, Any]:
    """The answer."""
    return {
        "total": present.readers,
        "anonymous": present.anonymous,
        "readers": [
            {
                "subject": guest.subject,
                "name": guest.name,
                "since": render_time(guest.since_ms),
                "connections": guest.connections,
            }
            for guest in present.guests
        ],
        "truncated": present.truncated,
    }
