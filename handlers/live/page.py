"""The watch page, to be opened (`/watch/<slug>`) or framed by others (`/embed/<slug>`): static, one for all events.

What it shows it asks for itself, by the public API only; an event that does not want to be embedded is not framed.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from handlers.broker import broker_of
from handlers.live import slugs
from handlers.live.decisions import kept_event
from handlers.live.documents import event_key

PAGE = Path(__file__).parents[1] / "static/watch/page.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; media-src *; "
    "base-uri 'none'; form-action 'none'; frame-ancestors "
)


async def show_watch_page(_: Request) -> Response:
    """The page for viewers; nobody frames it."""
    return _page("'none'")


async def show_embedded_page(request: Request) -> Response:
    """The page for other sites to frame, where the event allows it; a cache may keep it for a minute."""
    return _page("*" if await _may_be_embedded(request) else "'none'")


def _page(ancestors: str) -> Response:
    headers = {
        "Content-Security-Policy": POLICY + ancestors,
        "Cache-Control": "public, max-age=60",
        "Referrer-Policy": "no-referrer",
    }
    return FileResponse(PAGE, headers=headers, media_type="text/html; charset=utf-8")


async def _may_be_embedded(request: Request) -> bool:
    broker, slug = broker_of(request), request.path_params["slug"]
    found = await slugs.find(broker, slug)
    if found is None:
        return True
    loaded = (await broker.reader.read(found.partition, [event_key(found.tenant, found.event_id)])).loaded
    kept = kept_event(loaded, found.tenant, found.event_id)
    return kept is None or kept.event.embed_enabled
