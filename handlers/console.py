"""The console: a page at `/` that shows what the tokens and keys given to it open, by the public APIs only.

It is for browsers, which ask for HTML; to everybody else there is nothing at `/`, as ever (404).
"""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from handlers.operations import Answer, Operation

PAGE = Path(__file__).parent / "static/console/page.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    # Text never becomes markup: no code of the page may even try.
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


async def show_console(request: Request) -> Response:
    """The console's page, for those who ask for HTML."""
    if not wants_html(request.headers.get("accept", "")):
        raise HTTPException(404)
    return FileResponse(PAGE, headers=HEADERS, media_type="text/html; charset=utf-8")


def wants_html(accept: str) -> bool:
    """Whether an Accept header names HTML itself: `*/*` is what programs send."""
    offers = [part.strip().lower().partition(";") for part in accept.split(",")]
    return any(media.strip() == "text/html" and "q=0" not in rest.split() for media, _, rest in offers)


OPERATIONS = (
    Operation(
        "GET",
        "/",
        show_console,
        "The console, for browsers",
        "none",
        {200: Answer("The page", media_type="text/html")},
        refusals=(404,),
        tag="operation",
    ),
)
