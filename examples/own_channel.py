"""The channel of an example: made where it is not there yet."""

from tidemark_client import Client, Refused


def ensure_channel(client: Client, channel: str, name: str, *, is_public: bool) -> None:
    """Create the channel unless it is there; raises `Refused` for whatever else the broker has against it."""
    try:
        client.request("POST", "channels", json={"id": channel, "name": name, "is_public": is_public})
    except Refused as refused:
        if refused.status != 409:
            raise
