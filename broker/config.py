"""What can be configured, with defaults and bounds. `config.toml` says what each key does; a test compares the two.

Sections are frozen, and a key or a value that does not belong is refused (`broker.config_sources` reads and reports).
Limits come from reliability.md section F. Read by the composition root only; everybody else is given values.
"""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from broker.config_values import (
    EMBEDDED,
    AdminListen,
    Count,
    EngineUrl,
    Network,
    Origin,
    PublicUrl,
    Rate,
    Scope,
    Seconds,
    Size,
    WholeSeconds,
)


class Section(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ServerSettings(Section):
    """`[server]`: where the server listens, where its data is, and who may reach it from a browser."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    data: Annotated[str, Field(min_length=1)] = "./data"
    admin_listen: AdminListen = ""
    tls_certificate: str = ""
    tls_key: str = ""
    tls_key_password_file: str = ""
    public_url: PublicUrl = ""
    allowed_origins: tuple[Origin, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    drain_s: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 20.0
    shutdown_s: Seconds = 30.0

    @property
    def scheme(self) -> str:
        """How the server's own address begins."""
        return "https" if self.tls_certificate else "http"

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given both or not at all")
        if self.tls_key_password_file and not self.tls_key:
            raise ValueError("tls_key_password_file is of no use without tls_key")
        return self


class EngineSettings(Section):
    """`[engine]`: the Valkey or Redis that holds everything."""

    url: EngineUrl = EMBEDDED
    binary: str = ""
    fsync: Literal["everysec", "always"] = "everysec"
    partitions: Annotated[int, Field(ge=1, le=99)] = 16
    connect_timeout_s: Seconds = 1.0
    reply_timeout_s: Seconds = 2.0
    ack: Literal["primary", "replicated"] = "primary"
    ack_timeout_s: Annotated[Seconds, Field(validate_default=True)] = 1.0
    vouch_s: Seconds = 5.0
    position_check_s: Seconds = 1.0
    idle_position_check_s: Seconds = 10.0

    @field_validator("ack")
    @classmethod
    def _check_ack(cls, ack: str, given: ValidationInfo) -> str:
        if ack == "replicated" and given.data.get("url") == EMBEDDED:
            raise ValueError('"replicated" needs an engine with replicas: the embedded one has none')
        return ack

    @field_validator("ack_timeout_s")
    @classmethod
    def _check_ack_timeout(cls, timeout_s: float, given: ValidationInfo) -> float:
        if given.data.get("ack") == "replicated" and timeout_s >= given.data.get("reply_timeout_s", timeout_s + 1):
            raise ValueError("must be below reply_timeout_s, or the answer is given up before it can come")
        return timeout_s


class AuthSettings(Section):
    """`[auth]`: the server's own key, and the roles that it shows."""

    signing_key_file: str = ""
    token_leeway_s: Annotated[int, Field(ge=0, le=300)] = 5
    roles: dict[str, list[Scope]] = Field(default_factory=dict)


class ChannelSettings(Section):
    """`[channels]`: how long events are kept and how readers are served."""

    poll_interval_s: Annotated[int, Field(ge=1, le=3600)] = 2
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 7
    retention_events: Count = 10_000
    max_lag_events: Count = 100_000
    trim_interval_s: Seconds = 1.0
    idempotency_ttl_s: WholeSeconds = 86_400
    scheduled_per_channel: Annotated[int, Field(ge=0, le=10_000)] = 100
    presence: Literal["readers", "admins", "nobody"] = "readers"
    window_events: Annotated[int, Field(ge=1, le=100_000)] = 256
    window_bytes: Size = 1_048_576


class WebhookSettings(Section):
    """`[webhooks]`: who may register endpoints, how many, and how deliveries are made."""

    anonymous: bool = True
    per_channel: Annotated[int, Field(ge=0, le=10_000)] = 10
    per_address: Annotated[int, Field(ge=0, le=10_000)] = 3
    timeout_s: Annotated[float, Field(ge=0.1, le=30, allow_inf_nan=False)] = 15.0
    in_flight: Annotated[int, Field(ge=1, le=10_000)] = 256
    wait_s: Annotated[int, Field(ge=0, le=31_536_000)] = 86_400


class CueySettings(Section):
    """`[cuey]`: how scheduled webhooks are called, and how often again where they say nothing of that."""

    timeout_s: Annotated[float, Field(ge=0.1, le=300, allow_inf_nan=False)] = 30.0
    retries: Annotated[int, Field(ge=1, le=10)] = 3
    backoff_ms: Annotated[int, Field(ge=100, le=5_000)] = 500
    backoff: Literal["exponential", "linear"] = "exponential"
    in_flight: Annotated[int, Field(ge=1, le=10_000)] = 256
    per_host: Annotated[int, Field(ge=1, le=10_000)] = 32


class LiveSettings(Section):
    """`[live]`: when things happen by themselves, what a tenant may have, and where encoders and players go."""

    lead_s: Annotated[int, Field(ge=0, le=31_536_000)] = 3_600
    cancel_after_s: Annotated[int, Field(ge=60, le=31_536_000)] = 86_400
    processing_s: Annotated[int, Field(ge=1, le=604_800)] = 3_600
    grant_s: Annotated[int, Field(ge=10, le=3_600)] = 300
    events_per_tenant: Count = 1_000
    max_bitrate_kbps: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    retention_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    ingest_url: str = "rtmp://127.0.0.1/live"
    ingest_secret: str = ""
    playback_url: str = "http://127.0.0.1:8080"
    playback_secret: str = ""
    playback_signed_s: Annotated[int, Field(ge=60, le=604_800)] = 14_400
    push_connections: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000


class CalendarSettings(Section):
    """`[calendar]`: how many events and webhooks an organisation may have, and how webhooks are delivered."""

    events_per_month: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    webhooks: Annotated[int, Field(ge=0, le=1_000)] = 50
    webhook_timeout_s: Annotated[float, Field(ge=0.1, le=30, allow_inf_nan=False)] = 10.0
    webhook_retries_s: tuple[Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)], ...] = (
        60.0,
        300.0,
        1_800.0,
    )


class IcalSettings(Section):
    """`[ical]`: how often other people's calendars are polled, and what they may cost."""

    poll_s: Annotated[float, Field(ge=10, le=86_400, allow_inf_nan=False)] = 900.0
    timeout_s: Annotated[float, Field(ge=0.1, le=300, allow_inf_nan=False)] = 20.0
    feed_bytes: Annotated[int, Field(ge=1_024, le=67_108_864)] = 5_242_880
    feed_events: Annotated[int, Field(ge=1, le=20_000)] = 2_000
    subscriptions_per_tenant: Annotated[int, Field(ge=0, le=1_000)] = 100
    polls_at_once: Annotated[int, Field(ge=1, le=1_000)] = 16
    reads_at_once: Annotated[int, Field(ge=1, le=64)] = 2
    read_cpu_s: Annotated[int, Field(ge=1, le=600)] = 20
    read_memory_bytes: Annotated[int, Field(ge=134_217_728, le=8_589_934_592)] = 268_435_456


class OutboundSettings(Section):
    """`[outbound]`: which private addresses the server may call."""

    allow: tuple[Network, ...] = ()


class TimerSettings(Section):
    """`[timers]`: how due work is shared out among processes, and how much of it is done at once."""

    lease_s: Annotated[float, Field(ge=0.1, le=3600, allow_inf_nan=False)] = 30.0
    at_once: Annotated[int, Field(ge=1, le=1_000)] = 32
    per_s: Annotated[float, Field(ge=0.1, le=100_000, allow_inf_nan=False)] = 500.0
    look_s: Seconds = 1.0


class ClockSettings(Section):
    """`[clock]`: the engine's clock, or one that tests can move."""

    mode: Literal["real", "test"] = "real"


class LimitSettings(Section):
    """`[limits]`: what one node, one address, one token, one connection and one request may use."""

    channels: Count = 100_000
    connections: Count = 10_000
    connections_per_s: Count = 500
    connection_burst: Count = 1_000
    connections_per_address: Count = 200
    connections_per_token: Count = 100
    handshake_s: Seconds = 10.0
    keep_alive_s: Seconds = 5.0
    head_bytes: Annotated[int, Field(ge=1024, le=1_048_576)] = 16_384
    head_lines: Annotated[int, Field(ge=10, le=10_000)] = 100
    head_line_bytes: Annotated[int, Field(ge=256, le=1_048_576)] = 8_192
    head_s: Seconds = 10.0
    body_s: Seconds = 20.0
    body_min_bytes_per_s: Annotated[int, Field(ge=0, le=1_073_741_824)] = 1_024
    body_bytes: Size = 1_048_576
    publish_body_bytes: Size = 8_388_608
    data_bytes: Size = 65_536
    batch_events: Annotated[int, Field(ge=1, le=10_000)] = 100
    type_chars: Annotated[int, Field(ge=1, le=65_536)] = 256
    meta_bytes: Size = 16_384
    schema_bytes: Size = 16_384
    config_bytes: Size = 32_768
    json_depth: Annotated[int, Field(ge=1, le=200)] = 100
    json_keys: Count = 10_000
    idempotency_key_chars: Annotated[int, Field(ge=1, le=4_096)] = 128
    page_events: Annotated[int, Field(ge=1, le=10_000)] = 100
    page_channels: Annotated[int, Field(ge=1, le=10_000)] = 500
    replay_page_events: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    wait_s: Annotated[int, Field(ge=0, le=300)] = 30
    client_frame_bytes: Size = 4_096
    client_frames_per_min: Count = 100
    client_frame_burst: Count = 50
    multiplex_channels: Annotated[int, Field(ge=1, le=10_000)] = 128
    multiplex_frame_bytes: Size = 73_728
    multiplex_frames_per_min: Count = 120_000
    multiplex_frame_burst: Count = 4_000
    multiplex_in_flight: Annotated[int, Field(ge=1, le=1_000)] = 16
    multiplex_step_events: Annotated[int, Field(ge=1, le=10_000)] = 100
    multiplex_position_s: Seconds = 5.0
    write_buffer_bytes: Annotated[int, Field(ge=4_096, le=1_073_741_824)] = 262_144
    write_stall_s: Seconds = 20.0
    ping_interval_s: Seconds = 25.0
    pong_wait_s: Seconds = 10.0
    socket_age_s: Annotated[float, Field(ge=1, le=604_800, allow_inf_nan=False)] = 3600.0


class RateSettings(Section):
    """`[rates]`: how much of it a second; 0 is no limit."""

    requests_per_address_per_s: Rate = 0.0
    requests_per_address_burst: Count = 100
    requests_per_key_per_s: Rate = 0.0
    requests_per_key_burst: Count = 50
    events_per_token_per_s: Rate = 0.0
    events_per_token_burst: Count = 200
    events_per_channel_per_s: Rate = 0.0
    events_per_channel_burst: Count = 200


class LogSettings(Section):
    """`[log]`: what is written to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"


class Settings(Section):
    """The whole configuration. Immutable."""

    server: ServerSettings = ServerSettings()
    engine: EngineSettings = EngineSettings()
    auth: AuthSettings = AuthSettings()
    channels: ChannelSettings = ChannelSettings()
    webhooks: WebhookSettings = WebhookSettings()
    cuey: CueySettings = CueySettings()
    live: LiveSettings = LiveSettings()
    calendar: CalendarSettings = CalendarSettings()
    ical: IcalSettings = IcalSettings()
    outbound: OutboundSettings = OutboundSettings()
    timers: TimerSettings = TimerSettings()
    clock: ClockSettings = ClockSettings()
    limits: LimitSettings = LimitSettings()
    rates: RateSettings = RateSettings()
    log: LogSettings = LogSettings()
