"""From a scheduled webhook to a request, and from what came of it to an outcome (contract section 7). Pure."""

import codecs
from collections.abc import Iterable, Mapping

from broker.ids import render_time
from broker.strictjson import render_json
from broker.webclient import Answered, Call
from handlers.cuey.machine import Outcome, ScheduledWebhook

KEPT_BYTES = 1_024
KEPT_HEADERS_BYTES = 16_384
JSON = "application/json"
WITHOUT_BODY = ("GET", "HEAD")


def call_of(webhook: ScheduledWebhook, timeout_s: float) -> Call:
    """The request. A receiver tells repetitions by `X-Cuey-Event-Id`: it is called once or more often by one id."""
    target = webhook.target
    own = {
        "X-Cuey-Event-Id": webhook.id,
        "X-Cuey-Scheduled-At": render_time(webhook.scheduled_at_ms),
        **({"X-Cuey-Retry-Of": webhook.retry_of} if webhook.retry_of else {}),
    }
    ours = {name.lower() for name in own}
    given = {name: text for name, text in (target.headers or {}).items() if name.lower() not in ours}
    has_body = target.payload is not None and target.method not in WITHOUT_BODY
    if has_body and not any(name.lower() == "content-type" for name in given):
        own["Content-Type"] = JSON
    body = render_json(target.payload) if has_body else b""
    return Call(target.method, target.webhook_url, {**given, **own}, body, timeout_s, KEPT_BYTES + 1)


def outcome_of(answer: Answered) -> Outcome:
    """What came of it; anything but 2xx has an error, and so has no answer."""
    if answer.status is None:
        return Outcome(None, None, None, answer.error or "no answer", answer.duration_ms)
    error = None if 200 <= answer.status < 300 else f"The receiver answered {answer.status}"
    return Outcome(answer.status, joined(answer.headers.items()), kept(answer.body), error, answer.duration_ms)


def kept(body: bytes) -> str:
    """The first KB of a body as text: no character is cut in two, and what is no UTF-8 is replaced."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return decoder.decode(body[:KEPT_BYTES], final=len(body) <= KEPT_BYTES)


def joined(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Headers by name in lower case; what was sent more often is joined by commas. As many as fit in 16 KB."""
    found: dict[str, str] = {}
    size = 0
    for name, text in headers:
        size += len(name) + len(text)
        if size > KEPT_HEADERS_BYTES:
            break
        known = found.get(name.lower())
        found[name.lower()] = text if known is None else f"{known}, {text}"
    # What came as other bytes than UTF-8 is kept in a form that can be shown.
    return {name: text.encode("utf-8", "replace").decode() for name, text in found.items()}
