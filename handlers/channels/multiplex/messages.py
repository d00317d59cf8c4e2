"""What the server says beside events: JSON objects that never have an `id`, which every event has. Pure.

An answer repeats the `ref` of its command where there was one. Schemas: `handlers.channels.multiplex.schemas`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from broker.closing import Closed
from broker.errors import Refusal
from broker.ids import render_time
from broker.scopes import Grant
from broker.strictjson import render_json
from handlers.channels.multiplex.commands import Ref


class Beginning(NamedTuple):
    """Where a subscription begins, and the log's tail at that moment.

    `oldest` is the first id still kept (None where there is none); it counts where `complete` is False only.
    """

    cursor: str
    tail: str
    complete: bool
    oldest: str | None


def render_subscribed(ref: Ref, channel_id: str, beginning: Beginning) -> bytes:
    """The channel is followed from here on; its events come next."""
    said: dict[str, Any] = {
        "channel": channel_id,
        "cursor": beginning.cursor,
        "tail": beginning.tail,
        "complete": beginning.complete,
    }
    if not beginning.complete:
        said["oldest"] = beginning.oldest
    return _answer(ref, "subscribed", said)


def render_unsubscribed(ref: Ref, channel_id: str, cursor: str) -> bytes:
    """No more events of the channel; everything up to the cursor was sent."""
    return _answer(ref, "unsubscribed", {"channel": channel_id, "cursor": cursor})


def render_published(ref: Ref, channel_id: str, ids: list[str], *, replayed: bool) -> bytes:
    """The events are stored under these ids."""
    said: dict[str, Any] = {"channel": channel_id, "ids": ids}
    if replayed:
        said["replayed"] = True
    return _answer(ref, "published", said)


def render_authenticated(ref: Ref, grant: Grant) -> bytes:
    """The token is taken."""
    said: dict[str, Any] = {"publisher_id": grant.subject, "scopes": list(grant.scopes)}
    if grant.expires_at_s is not None:
        said["expires_at"] = render_time(grant.expires_at_s * 1000)
    return _answer(ref, "authenticated", said)


def render_error(ref: Ref, refusal: Refusal) -> bytes:
    """The command did nothing; the status and members are those of the HTTP answer to the same refusal."""
    said: dict[str, Any] = {"status": refusal.status, "error": refusal.message, **refusal.extra}
    if refusal.retry_after_s is not None:
        said["retry_after_s"] = refusal.retry_after_s
    return _answer(ref, "error", said)


def render_defect(ref: Ref) -> bytes:
    """The command failed for a reason that should not be; what it did is unknown."""
    return _answer(ref, "error", {"status": 500, "error": "Internal Server Error"})


def render_ended(channel_id: str, closed: Closed) -> bytes:
    """One subscription ended by itself; the socket goes on. `cursor` is null where resuming makes no sense."""
    said = {"channel": channel_id, "code": closed.code, "reason": closed.reason, "cursor": closed.cursor}
    return render_json({"ended": said})


def render_position(cursors: Mapping[str, str]) -> bytes:
    """Where subscriptions are that went on without an event."""
    return render_json({"position": dict(cursors)})


def render_closing(cursors: Mapping[str, str]) -> bytes:
    """The last words: where to resume each channel. The close frame comes next."""
    return render_json({"closing": dict(cursors)})


def _answer(ref: Ref, name: str, said: dict[str, Any]) -> bytes:
    return render_json({name: said} if ref is None else {"ref": ref, name: said})
