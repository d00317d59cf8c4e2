"""The ids of the channels that live events are told on (contract section 8). Pure."""


def team_channel_id(tenant: str) -> str:
    """Of the channel of all that happens to a tenant's events."""
    return f"live-team-{tenant}"


def watch_channel_id(slug: str) -> str:
    """Of the channel of what viewers see of an event."""
    return f"live-watch-{slug}"
