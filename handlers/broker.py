"""What the routes of one process share: the engine's parts and the values of the settings that the routes need."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from starlette.requests import HTTPConnection

from broker.channel_changes import ChannelLimits
from broker.closing import RESTART, CloseReason
from broker.events import EventLimits
from broker.hub import Hub
from broker.known_types import KnownTypes
from broker.rates import Rates
from broker.signing import SigningKey
from broker.storage.answers import Answers
from broker.storage.api_keys import ApiKeys
from broker.storage.channel_list import ChannelList
from broker.storage.channels import Channels
from broker.storage.clock import Clock
from broker.storage.commit import Commits
from broker.storage.deliveries import Deliveries
from broker.storage.documents import Documents
from broker.storage.endpoints import Endpoints
from broker.storage.engine import Engine
from broker.storage.glances import Glances
from broker.storage.log import Log
from broker.storage.presence import Presence
from broker.storage.rates import RateLimits
from broker.storage.state import Reader
from broker.storage.timers import Timers
from broker.subscription import Subscription
from handlers.auth_watch import AuthWatch
from handlers.metrics.meter import Meter
from handlers.open_connections import OpenConnections
from handlers.push_room import PushRoom
from handlers.ready_pages import ReadyPages
from handlers.serving.refusals import Refusals
from handlers.serving.wheel import Wheel
from handlers.trust_watch import TrustWatch
from handlers.verifier import Verifier

HASHES_AT_ONCE = 2
AGE_GRAIN_S = 1.0
"""How exactly old age is kept: readers of about the same age share an entry."""


@dataclass(frozen=True, slots=True)
class MultiplexLimits:
    """Bounds of one socket on `/api/v1/ws`; the defaults are those of config.toml."""

    channels: int = 128
    in_flight: int = 16
    step_events: int = 100
    position_s: float = 5.0


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """Bounds of the channels API; the defaults are those of config.toml (reliability.md F)."""

    publish_body_bytes: int = 8_388_608
    body_bytes: int = 1_048_576
    json_depth: int = 100
    json_keys: int = 10_000
    page_events: int = 100
    page_channels: int = 500
    wait_s: int = 30
    idempotency_key_chars: int = 128
    socket_age_s: float = 3600.0
    ping_interval_s: float = 25.0
    schema_bytes: int = 16_384
    scheduled_per_channel: int = 100
    endpoints_per_channel: int = 10
    endpoints_per_address: int = 3
    multiplex: MultiplexLimits = MultiplexLimits()


@dataclass(frozen=True, slots=True)
class LiveSite:
    """The values of `[live]`; the defaults are those of config.toml."""

    lead_s: int = 3_600
    cancel_after_s: int = 86_400
    processing_s: int = 3_600
    grant_s: int = 300
    events_per_tenant: int = 1_000
    max_bitrate_kbps: int = 20_000
    retention_days: int = 30
    ingest_url: str = "rtmp://127.0.0.1/live"
    ingest_secret: str = ""
    playback_url: str = "http://127.0.0.1:8080"
    playback_secret: str = ""
    playback_signed_s: int = 14_400
    push_connections: int = 1_000


@dataclass(frozen=True, slots=True)
class CalendarSite:
    """The values of `[calendar]`; the defaults are those of config.toml."""

    events_per_month: int = 0
    webhooks: int = 50
    webhook_timeout_s: float = 10.0
    webhook_retries_s: tuple[float, ...] = (60.0, 300.0, 1_800.0)


@dataclass(frozen=True, slots=True)
class IcalSite:
    """The values of `[ical]`; the defaults are those of config.toml."""

    poll_s: float = 900.0
    timeout_s: float = 20.0
    feed_bytes: int = 5_242_880
    feed_events: int = 2_000
    subscriptions_per_tenant: int = 100
    polls_at_once: int = 16
    reads_at_once: int = 2
    read_cpu_s: int = 20
    read_memory_bytes: int = 268_435_456

    @property
    def stale_after_ms(self) -> int:
        """So long after it was synced a feed that is polled still counts as current: a poll or two may fail."""
        return round(self.poll_s * 3 * 1000)


@dataclass(frozen=True, slots=True)
class Site:
    """How this server presents itself: its public URL ('' when not configured) and what it promises to pollers."""

    public_url: str
    poll_interval_s: int
    allowed_origins: tuple[str, ...]
    anonymous_webhooks: bool
    outbound_allow: tuple[IPv4Network | IPv6Network, ...]
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    presence: Literal["readers", "admins", "nobody"]
    roles: dict[str, list[str]]


@dataclass(slots=True)
class Broker:
    """The parts of one broker process. Made by `handlers.app`, reached through `broker_of`.

    `hashing` bounds how many passwords are hashed at once. `ages` ends readers that have lived long enough.
    `ended_by_drain` are called after the hub's subscriptions were closed: for connections that may have none.
    """

    engine: Engine
    channels: Channels
    channel_list: ChannelList
    log: Log
    glances: Glances
    documents: Documents
    endpoints: Endpoints
    reader: Reader
    answers: Answers
    commits: Commits
    timers: Timers
    deliveries: Deliveries
    clock: Clock
    hub: Hub
    presence: Presence
    verifier: Verifier
    trust: TrustWatch
    api_keys: ApiKeys
    auth: AuthWatch
    signing_key: SigningKey
    site: Site
    limits: ApiLimits
    event_limits: EventLimits
    channel_limits: ChannelLimits
    known_types: KnownTypes
    rates: Rates
    rate_limits: RateLimits
    now_s: Callable[[], float]
    is_draining: Callable[[], bool]
    open_connections: OpenConnections
    refusals: Refusals
    meter: Meter
    push_room: PushRoom = field(default_factory=lambda: PushRoom({}))
    live: LiveSite = LiveSite()
    calendar: CalendarSite = CalendarSite()
    ical: IcalSite = IcalSite()
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))
    ended_by_drain: set[Callable[[CloseReason], None]] = field(default_factory=set)
    ages: Wheel[Subscription] = field(default_factory=lambda: Wheel(_end_old, AGE_GRAIN_S))
    ready_pages: ReadyPages = field(default_factory=ReadyPages)


def _end_old(subscription: Subscription) -> None:
    subscription.close(RESTART)


def broker_of(connection: HTTPConnection) -> Broker:
    """The broker that serves this request or socket."""
    broker: Broker = connection.scope["app"].state.broker
    return broker
