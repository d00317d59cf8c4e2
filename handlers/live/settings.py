"""From the values of `[live]` to those of the pure parts. Pure."""

from handlers.broker import LiveSite
from handlers.live.moves import Pace
from handlers.live.playback import Playback


def pace_of(site: LiveSite) -> Pace:
    """When what comes by itself."""
    return Pace(site.lead_s * 1000, site.cancel_after_s * 1000, site.processing_s * 1000)


def playback_of(site: LiveSite) -> Playback:
    """Where to play."""
    return Playback(site.playback_url.rstrip("/"), site.playback_secret, site.playback_signed_s)
