"""Which web pages may open sockets here (reliability.md E, cross-site WebSocket hijacking). Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from handlers.broker import Site


def is_allowed_origin(site: Site, headers: Mapping[str, str]) -> bool:
    """True for no Origin (not a browser), the own origin, the public URL's, a listed one, or any where `*` is listed.

    Origins are compared whole: scheme, host and port; the own one by host and port, which is all that Host says: behind
    a proxy that ends TLS nobody here knows the scheme. `null` is allowed only by `*`.
    """
    origin = headers.get("origin")
    if origin is None or "*" in site.allowed_origins or origin in site.allowed_origins:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return False
    if site.public_url:
        own = urlsplit(site.public_url)
        if (own.scheme, own.netloc.lower()) == (parts.scheme, parts.netloc.lower()):
            return True
    return parts.netloc.lower() == headers.get("host", "").lower()
