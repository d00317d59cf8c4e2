"""From the settings to the values that each part takes; beside it only what puts a process together reads them."""

import time
from pathlib import Path

from broker.channel_changes import ChannelLimits
from broker.config import Settings
from broker.events import EventLimits
from broker.hub_limits import HubLimits
from broker.rates import Rates, parse_rate
from broker.scheduler import SchedulerLimits
from broker.signing import SigningKey
from broker.storage.appender import Ack, Retention
from broker.storage.engine import Engine, open_engine
from broker.trust import own_key
from broker.webhooks import LEASE_S
from handlers.broker import ApiLimits, CalendarSite, IcalSite, LiveSite, MultiplexLimits, Site
from handlers.channels.multiplex.operations import MULTIPLEX_PATH
from handlers.cuey.calling import CallLimits
from handlers.cuey.machine import RetryConfig
from handlers.listening import shown
from handlers.serving.limits import FrameLimits, ServingLimits
from handlers.serving.tls import Tls, TlsFiles
from handlers.verifier import Verifier


async def connected_engine(settings: Settings, url: str) -> Engine:
    """The engine at this URL, checked; raises `EngineUnfit`, or `Unavailable` where none answers."""
    engine = settings.engine
    return await open_engine(
        url,
        partitions=engine.partitions,
        connect_timeout_s=engine.connect_timeout_s,
        reply_timeout_s=engine.reply_timeout_s,
    )


def retention_of(settings: Settings) -> Retention:
    """What is kept where a channel does not say."""
    channels = settings.channels
    return Retention(channels.retention_days, channels.retention_events, channels.idempotency_ttl_s)


def ack_of(settings: Settings) -> Ack | None:
    """Whether and how long a publish waits for a replica."""
    engine = settings.engine
    return Ack(int(engine.ack_timeout_s * 1000)) if engine.ack == "replicated" else None


def scheduler_limits_of(settings: Settings) -> SchedulerLimits:
    """Bounds and intervals of timers."""
    timers = settings.timers
    return SchedulerLimits(timers.lease_s, timers.at_once, timers.per_s, timers.look_s)


def delivery_limits_of(settings: Settings) -> SchedulerLimits:
    """Bounds and intervals of webhooks: a look costs one call, a round has its own pace."""
    at_once = settings.webhooks.in_flight
    return SchedulerLimits(LEASE_S, at_once, per_s=100_000.0, look_s=settings.timers.look_s)


def call_limits_of(settings: Settings) -> CallLimits:
    """How scheduled webhooks are called; a call whose process died is made again as late as a timer of one would be."""
    cuey = settings.cuey
    retry = RetryConfig(cuey.retries, cuey.backoff_ms, cuey.backoff)
    return CallLimits(retry, cuey.timeout_s, settings.timers.lease_s, cuey.in_flight, cuey.per_host)


def live_site_of(settings: Settings) -> LiveSite:
    """The values of `[live]`."""
    return LiveSite(**settings.live.model_dump())


def calendar_site_of(settings: Settings) -> CalendarSite:
    """The values of `[calendar]`."""
    return CalendarSite(**settings.calendar.model_dump())


def ical_site_of(settings: Settings) -> IcalSite:
    """The values of `[ical]`."""
    return IcalSite(**settings.ical.model_dump())


def hub_limits_of(settings: Settings) -> HubLimits:
    """Bounds and intervals of watching."""
    return HubLimits(
        window_events=settings.channels.window_events,
        window_bytes=settings.channels.window_bytes,
        page_events=settings.limits.replay_page_events,
        page_bytes=settings.limits.write_buffer_bytes,
        max_lag_events=settings.channels.max_lag_events,
        position_check_s=settings.engine.position_check_s,
        idle_position_check_s=settings.engine.idle_position_check_s,
        vouch_s=settings.engine.vouch_s,
    )


def api_limits_of(settings: Settings) -> ApiLimits:
    """Bounds of the channels API."""
    limits = settings.limits
    return ApiLimits(
        publish_body_bytes=limits.publish_body_bytes,
        body_bytes=limits.body_bytes,
        json_depth=limits.json_depth,
        json_keys=limits.json_keys,
        page_events=limits.page_events,
        page_channels=limits.page_channels,
        wait_s=limits.wait_s,
        idempotency_key_chars=limits.idempotency_key_chars,
        socket_age_s=limits.socket_age_s,
        ping_interval_s=limits.ping_interval_s,
        schema_bytes=limits.schema_bytes,
        scheduled_per_channel=settings.channels.scheduled_per_channel,
        endpoints_per_channel=settings.webhooks.per_channel,
        endpoints_per_address=settings.webhooks.per_address,
        multiplex=MultiplexLimits(
            channels=limits.multiplex_channels,
            in_flight=limits.multiplex_in_flight,
            step_events=limits.multiplex_step_events,
            position_s=limits.multiplex_position_s,
        ),
    )


def tls_of(settings: Settings) -> Tls | None:
    """TLS of the server's own listener, None for plain HTTP; raises `TlsUnfit`."""
    server = settings.server
    if not server.tls_certificate:
        return None
    password = Path(server.tls_key_password_file).expanduser() if server.tls_key_password_file else None
    certificate, key = (Path(name).expanduser() for name in (server.tls_certificate, server.tls_key))
    return Tls(TlsFiles(certificate, key, password))


def rates_of(settings: Settings) -> Rates:
    """The rate limits in force."""
    rates = settings.rates
    return Rates(
        requests_per_address=parse_rate(rates.requests_per_address_per_s, rates.requests_per_address_burst),
        requests_per_key=parse_rate(rates.requests_per_key_per_s, rates.requests_per_key_burst),
        events_per_token=parse_rate(rates.events_per_token_per_s, rates.events_per_token_burst),
        events_per_channel=parse_rate(rates.events_per_channel_per_s, rates.events_per_channel_burst),
    )


def event_limits_of(settings: Settings) -> EventLimits:
    """Bounds of one publish."""
    limits = settings.limits
    return EventLimits(
        data_bytes=limits.data_bytes,
        batch_events=limits.batch_events,
        type_chars=limits.type_chars,
        meta_bytes=limits.meta_bytes,
        json_depth=limits.json_depth,
        json_keys=limits.json_keys,
    )


def channel_limits_of(settings: Settings) -> ChannelLimits:
    """Bounds of a channel's record."""
    return ChannelLimits(config_bytes=settings.limits.config_bytes, meta_bytes=settings.limits.meta_bytes)


def server_url_of(settings: Settings) -> str:
    """Where receivers of webhooks find this server: its public URL, or where it listens; '' for a port of chance."""
    server = settings.server
    listening = f"{server.scheme}://{shown(server.host, server.port)}" if server.port else ""
    return server.public_url or listening


def site_of(settings: Settings) -> Site:
    """How this server presents itself."""
    return Site(
        public_url=settings.server.public_url,
        poll_interval_s=settings.channels.poll_interval_s,
        allowed_origins=tuple(settings.server.allowed_origins),
        anonymous_webhooks=settings.webhooks.anonymous,
        outbound_allow=settings.outbound.allow,
        trusted_proxies=settings.server.trusted_proxies,
        presence=settings.channels.presence,
        roles=dict(settings.auth.roles),
    )


def verifier_of(settings: Settings, signing_key: SigningKey) -> Verifier:
    """The check of tokens, trusting the server's own key only until the trusted keys are loaded."""
    url = settings.server.public_url
    return Verifier(
        {signing_key.kid: own_key(signing_key.kid, signing_key.public_x)},
        audiences=[url] if url else [],
        now_s=time.time,
        leeway_s=settings.auth.token_leeway_s,
    )


def serving_limits_of(settings: Settings) -> ServingLimits:
    """Bounds of connections, request heads and bodies, frames and writes."""
    limits, server = settings.limits, settings.server
    return ServingLimits(
        connections=limits.connections,
        connections_per_address=limits.connections_per_address,
        connections_per_s=limits.connections_per_s,
        connection_burst=limits.connection_burst,
        trusted_proxies=server.trusted_proxies,
        head_bytes=limits.head_bytes,
        head_lines=limits.head_lines,
        head_line_bytes=limits.head_line_bytes,
        head_s=limits.head_s,
        keep_alive_s=limits.keep_alive_s,
        body_s=limits.body_s,
        body_min_bytes_per_s=limits.body_min_bytes_per_s,
        handshake_s=limits.handshake_s,
        client_frame_bytes=limits.client_frame_bytes,
        client_frames_per_min=limits.client_frames_per_min,
        client_frame_burst=limits.client_frame_burst,
        frames_at={
            MULTIPLEX_PATH: FrameLimits(
                limits.multiplex_frame_bytes, limits.multiplex_frames_per_min, limits.multiplex_frame_burst
            )
        },
        ping_interval_s=limits.ping_interval_s,
        pong_wait_s=limits.pong_wait_s,
        write_buffer_bytes=limits.write_buffer_bytes,
        write_stall_s=limits.write_stall_s,
        drain_s=server.drain_s,
        shutdown_s=server.shutdown_s,
    )
