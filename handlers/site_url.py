"""The URL of this server as the world sees it, for every absolute URL that is told."""

from starlette.requests import HTTPConnection

from handlers.broker import broker_of
from handlers.listening import shown


def site_url(connection: HTTPConnection) -> str:
    """`[server] public_url`; where none is configured, the address at which this connection arrived.

    Never the Host header: whoever sends it could have another address signed into a claim, or stored in a cache. The
    local end of the connection is not the sender's to choose, and is right where nothing stands in between, as on a
    laptop. It is not right behind a proxy, and with TLS no name of the certificate: what is told to others needs
    public_url.
    """
    configured = broker_of(connection).site.public_url
    if configured:
        return configured
    host, port = connection.scope["server"]
    scheme = "https" if connection.scope["scheme"] in ("https", "wss") else "http"
    return f"{scheme}://{shown(host, port)}"
