"""The calls about crons (contract sections 1 and 6)."""

import uuid
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from handlers.auth import read_as_tenant, require_tenant
from handlers.broker import broker_of
from handlers.cuey import cron_decisions as decisions
from handlers.cuey.documents import CRON, cron_index, cron_key
from handlers.cuey.documents import parse_cron as parse_kept
from handlers.cuey.listing import parse_crons_query, render_page
from handlers.cuey.serving import API, execute, id_of, read_one, read_page
from handlers.cuey.wire import parse_cron, render_cron
from handlers.requests import asked_or_refusal


async def create_cron(request: Request) -> Response:
    """Have a webhook called again and again; its first events are there at once."""
    caller, body = await read_as_tenant(request, API)
    asked, broker, tenant = parse_cron(body), broker_of(request), caller.tenant
    page = await broker.reader.page(broker.engine.partition(tenant), CRON, cron_index(tenant), limit=1)
    decide = partial(decisions.creating, tenant, asked, str(uuid.uuid4()), _fresh_ids(), page.total)
    return await execute(request, caller, body, [], decide)


async def list_crons(request: Request) -> Response:
    """A page of crons, the newest first, with how many there are in all."""
    tenant = require_tenant(request, API).tenant
    asked = parse_crons_query(request.query_params)
    return await read_page(
        request,
        tenant,
        (CRON, cron_index(tenant, asked.is_active)),
        asked,
        lambda page: render_page(
            asked, page.total, [render_cron(parse_kept(each.body), tenant) for _, each in page.documents]
        ),
    )


async def read_cron(request: Request) -> Response:
    """A cron. `Tidemark-Channel` and `Tidemark-Cursor` say from where to follow what happens to it next."""
    tenant = require_tenant(request, API).tenant
    cron_id = id_of(request, "cron_id", "Cron not found")
    return await read_one(
        request,
        tenant,
        cron_key(tenant, cron_id),
        lambda loaded: {"data": render_cron(decisions.find(tenant, cron_id, loaded).cron, tenant)},
    )


async def update_cron(request: Request) -> Response:
    """Change a cron: its pending events go, and new ones come. What is left out stays as it is."""
    require_tenant(request, API)
    cron_id = id_of(request, "cron_id", "Cron not found")
    body, asked = await asked_or_refusal(request, parse_cron)
    caller = require_tenant(request, API)
    decide = partial(decisions.updating, caller.tenant, cron_id, asked, _fresh_ids())
    return await execute(request, caller, body, [cron_key(caller.tenant, cron_id)], decide)


async def delete_cron(request: Request) -> Response:
    """Remove a cron and its pending events. Calls under way go on, and so do their retries."""
    caller = require_tenant(request, API)
    cron_id = id_of(request, "cron_id", "Cron not found")
    decide = partial(decisions.deleting, caller.tenant, cron_id)
    return await execute(request, caller, None, [cron_key(caller.tenant, cron_id)], decide)


def _fresh_ids() -> list[str]:
    return [str(uuid.uuid4()) for _ in range(decisions.FRESH_IDS)]
