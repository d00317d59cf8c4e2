"""The hook of media servers: who may stream, who is cut, and what was recorded (contract sections 5 and 10).

One route takes all calls, in the form posts of nginx-rtmp (`on_publish`, `on_update`, `on_publish_done`,
`on_record_done`) and in JSON. It has a secret of its own, in `X-Ingest-Secret` or, as nginx-rtmp can send no headers,
in `?secret=`. Without a configured secret there is no hook.
"""

import hmac
import uuid
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from broker.errors import Forbidden, NotFound, Unauthorized
from broker.strictjson import parse_json
from handlers.broker import broker_of
from handlers.live.credentials import digest_of, partition_of
from handlers.live.decisions import event_of_key
from handlers.live.documents import event_key, stream_key_key
from handlers.live.events import team_channel, watch_channel
from handlers.live.ingest_decisions import OK, REFUSED, check_update, streamed, telling
from handlers.live.ingest_wire import IngestTold, Told, parse_told
from handlers.live.settings import pace_of
from handlers.live.wire import parse
from handlers.requests import query_text, read_body
from handlers.responses import json_bytes

SECRET_HEADER = "x-ingest-secret"  # noqa: S105 - its name
MOST_BYTES = 16_384
NO_STORE = {"Cache-Control": "no-store"}


async def ingest(request: Request) -> Response:
    """Answer a media server: 2xx lets go on, 302 names the stream, 403 refuses or cuts."""
    _check_secret(request)
    told, is_form = await _told(request)
    broker, digest = broker_of(request), digest_of(told.name)
    partition = partition_of(told.name)
    if partition is None or partition >= broker.engine.partitions:
        raise Forbidden(REFUSED)
    key = stream_key_key(digest)
    document = (await broker.reader.read(partition, [key])).loaded.documents[key]
    if document is None:
        raise Forbidden(REFUSED)
    tenant, event_id = event_of_key(document.body)
    keys = [event_key(tenant, event_id), key]
    event = streamed(digest, tenant, event_id, (await broker.reader.read(partition, keys)).loaded).event
    if told.call == "update":
        # Every few seconds for each stream: nothing is written.
        check_update(event)
        return json_bytes(OK.body, headers=NO_STORE)
    ids, pace = (str(uuid.uuid4()), str(uuid.uuid4())), pace_of(broker.live)
    decide = partial(telling, told, digest, tenant, event_id, ids, pace)
    logs = (team_channel(tenant), watch_channel(event.slug))
    committed = await broker.commits.execute(tenant, keys, decide, logs=logs)
    assert committed.answer is not None and committed.answer.body is not None  # noqa: S101 - it is answered here
    if committed.answer.status != 302:
        return json_bytes(committed.answer.body, headers=NO_STORE)
    if is_form:
        return Response(status_code=302, headers={**NO_STORE, "Location": event.key.stream})
    return json_bytes(committed.answer.body, headers=NO_STORE)


def _check_secret(request: Request) -> None:
    secret = broker_of(request).live.ingest_secret
    if not secret:
        raise NotFound("Not Found")
    sent = request.headers.get(SECRET_HEADER) or query_text(request, "secret") or ""
    if not hmac.compare_digest(sent.encode(), secret.encode()):
        raise Unauthorized("The secret of the ingest hook is required")


async def _told(request: Request) -> tuple[Told, bool]:
    content_type, body = request.headers.get("content-type", ""), await read_body(request, MOST_BYTES)
    if content_type.partition(";")[0].strip().lower() == "application/json":
        limits = broker_of(request).limits
        return parse(IngestTold, parse_json(body, depth=limits.json_depth, keys=limits.json_keys)).told(), False
    return parse_told(content_type, body), True
