"""A live event as it is kept: what its organiser decided, where it is in its life, its sessions and recordings. Pure.

All times are Unix milliseconds. `version` is 1 at first, and one higher with every change.
"""

from dataclasses import dataclass
from enum import StrEnum

from broker.channels import DAY_MS
from handlers.live.machine import Status

MOST_SESSIONS = 100
"""Of one event; an encoder that flaps more often is refused."""


class Visibility(StrEnum):
    """Who may watch (`visibility_mode`)."""

    PUBLIC = "public"
    TOKEN = "token"  # noqa: S105 - a mode
    PASSWORD = "password"  # noqa: S105 - a mode
    TENANT_ONLY = "tenant_only"


class RecordingState(StrEnum):
    """What has become of a recording."""

    RECORDING = "recording"
    PROCESSING = "processing"
    FINALISED = "finalised"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Recording:
    """The recording of a live session; `duration_ms` and `finalised_ms` once it is whole."""

    id: str
    state: RecordingState
    duration_ms: int | None = None
    finalised_ms: int | None = None

    @property
    def is_pending(self) -> bool:
        """Whether it is still being written or processed."""
        return self.state in (RecordingState.RECORDING, RecordingState.PROCESSING)


@dataclass(frozen=True, slots=True)
class Session:
    """A time of being live with one encoder; `encoder_ms` is when it connected, None while none has."""

    id: str
    started_ms: int
    encoder_ms: int | None = None
    ended_ms: int | None = None
    recording: Recording | None = None

    def duration_s(self, now_ms: int) -> int:
        """How long it was, or is so far."""
        return max(0, (now_ms if self.ended_ms is None else self.ended_ms) - self.started_ms) // 1000


@dataclass(frozen=True, slots=True)
class StreamKey:
    """What is kept of a stream key: its SHA-256, how it begins, and the public name of what is streamed with it."""

    digest: str
    prefix: str
    stream: str


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event. `access_epoch` rises when password or mode change: grants of an earlier epoch are void."""

    id: str
    tenant: str
    slug: str
    name: str
    key: StreamKey
    created_ms: int
    updated_ms: int
    description: str | None = None
    scheduled_start_ms: int | None = None
    scheduled_end_ms: int | None = None
    timezone: str = "UTC"
    visibility: Visibility = Visibility.PUBLIC
    password_hash: str | None = None
    record_enabled: bool = True
    replay_enabled: bool = True
    rehearsal_enabled: bool = True
    auto_start_on_ingest: bool = False
    embed_enabled: bool = True
    max_bitrate_kbps: int = 0
    retention_days: int = 30
    status: Status = Status.READY
    version: int = 1
    access_epoch: int = 0
    encoder_ms: int | None = None
    encoder_left_ms: int | None = None
    sessions: tuple[Session, ...] = ()
    deleted_ms: int | None = None

    @property
    def session(self) -> Session | None:
        """The session that is open now."""
        return self.sessions[-1] if self.sessions and self.sessions[-1].ended_ms is None else None

    @property
    def recordings(self) -> list[Recording]:
        """Its recordings, the oldest first."""
        return [each.recording for each in self.sessions if each.recording is not None]

    def expires_ms(self, recording: Recording) -> int | None:
        """When a finalised recording is past its retention; None for others."""
        if recording.finalised_ms is None or recording.state is not RecordingState.FINALISED:
            return None
        return recording.finalised_ms + self.retention_days * DAY_MS

    def replay_at(self, now_ms: int) -> tuple[Session, Recording] | None:
        """What is replayed: the longest recording that is whole and within its retention, the newest of equals."""
        found = [
            (session, recording)
            for session in self.sessions
            if (recording := session.recording) and (self.expires_ms(recording) or 0) > now_ms
        ]
        return max(found, key=lambda each: (each[1].duration_ms or 0, each[0].started_ms), default=None)
