"""The machine of a scheduled webhook: its statuses, what leads where, and when a failed call is made again. Pure.

A scheduled webhook is called once by this state, at least once by the world: `run` counts how often somebody began, and
only the outcome of the last run counts. A failure is final; what is tried again is a new scheduled webhook that says
which was the first (`retry_of`). All times are Unix milliseconds by the engine's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from broker.errors import Invalid


class Status(StrEnum):
    """Where it is in its life; the names are those of the wire (seed). The last two are terminal."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing leads out of it."""
        return self in (Status.SUCCESS, Status.FAILED)


class Step(StrEnum):
    """What happens to one."""

    UPDATE = "update"
    DELETE = "delete"
    BEGIN = "begin"
    SUCCEED = "succeed"
    FAIL = "fail"


TABLE: Mapping[tuple[Status, Step], Status | None] = MappingProxyType(
    {
        (Status.PENDING, Step.UPDATE): Status.PENDING,
        (Status.PENDING, Step.DELETE): None,
        (Status.PENDING, Step.BEGIN): Status.PROCESSING,
        (Status.PROCESSING, Step.BEGIN): Status.PROCESSING,
        (Status.PROCESSING, Step.SUCCEED): Status.SUCCESS,
        (Status.PROCESSING, Step.FAIL): Status.FAILED,
    }
)
"""All that is allowed. None is gone; a begin in `processing` is of a retry, or after a process that died."""


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """How often a failed call is made again, and after how long (contract section 5)."""

    most: int
    backoff_ms: int
    backoff: Literal["exponential", "linear"]

    def delay_ms(self, number: int) -> int:
        """How long after a failure retry `number`, from 1 on, is due. `linear` is the same each time (contract)."""
        return self.backoff_ms * (2 ** (number - 1) if self.backoff == "exponential" else 1)


@dataclass(frozen=True, slots=True)
class Target:
    """What is called, and how. `payload` and `headers` are as they were given, None where they were null."""

    webhook_url: str
    method: str = "POST"
    headers: Mapping[str, str] | None = None
    payload: Any = None
    retry_config: RetryConfig | None = None


class Outcome(NamedTuple):
    """What came of a call. `status` is None where no answer arrived; then `error` says why."""

    status: int | None
    headers: Mapping[str, str] | None
    body: str | None
    error: str | None
    duration_ms: int

    @property
    def is_success(self) -> bool:
        """Whether the receiver took it: any 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class ScheduledWebhook:
    """One call that is to be made, or was. `attempt` is 1 for the first, one more for each retry.

    `version` is 1 at first and one higher with every change; `run` is how often somebody began the call.
    """

    id: str
    target: Target
    scheduled_at_ms: int
    created_at_ms: int
    updated_at_ms: int
    status: Status = Status.PENDING
    cron_id: str | None = None
    retry_of: str | None = None
    executed_at_ms: int | None = None
    outcome: Outcome | None = None
    attempt: int = 1
    run: int = 0
    version: int = 1


class Retry(NamedTuple):
    """The scheduled webhook that tries a failed one again, and how long it waits."""

    webhook: ScheduledWebhook
    delay_ms: int


class Finished(NamedTuple):
    """What follows from an outcome. `retries_left` are those after the next one, if there is one."""

    webhook: ScheduledWebhook
    retry: Retry | None
    retries_left: int


def allows(status: Status, step: Step) -> bool:
    """Whether the table has it."""
    return (status, step) in TABLE


def require(webhook: ScheduledWebhook, step: Step) -> None:
    """Raises `Invalid` (a state conflict is 400 here, contract section 3) for what the table has not."""
    if not allows(webhook.status, step):
        raise Invalid(
            f"Only a pending event can be {step}d",
            code="BAD_REQUEST",
            details={"currentStatus": webhook.status.value},
        )


def updated(webhook: ScheduledWebhook, target: Target, scheduled_at_ms: int, now_ms: int) -> ScheduledWebhook:
    """It, to be made otherwise or at another time. Raises `Invalid` unless it is pending."""
    require(webhook, Step.UPDATE)
    return _later(webhook, now_ms, target=target, scheduled_at_ms=scheduled_at_ms)


def deleted(webhook: ScheduledWebhook, now_ms: int) -> ScheduledWebhook:
    """It, as its deletion is told. Raises `Invalid` unless it is pending."""
    require(webhook, Step.DELETE)
    return _later(webhook, now_ms)


def begun(webhook: ScheduledWebhook, now_ms: int) -> ScheduledWebhook:
    """It, as somebody begins to make the call: this run is the one whose outcome counts."""
    return _later(webhook, now_ms, status=Status.PROCESSING, executed_at_ms=now_ms, run=webhook.run + 1)


def finished(webhook: ScheduledWebhook, outcome: Outcome, default: RetryConfig, fresh_id: str, now_ms: int) -> Finished:
    """What follows from the outcome of its run: a failure with retries left makes a new one, with `fresh_id`."""
    after = _later(webhook, now_ms, status=Status.SUCCESS if outcome.is_success else Status.FAILED, outcome=outcome)
    config = webhook.target.retry_config or default
    left = config.most - (webhook.attempt - 1)
    if outcome.is_success or left < 1:
        return Finished(after, None, 0)
    delay_ms = config.delay_ms(webhook.attempt)
    retry = ScheduledWebhook(
        id=fresh_id,
        target=webhook.target,
        scheduled_at_ms=after.updated_at_ms + delay_ms,
        created_at_ms=after.updated_at_ms,
        updated_at_ms=after.updated_at_ms,
        status=Status.PROCESSING,
        cron_id=webhook.cron_id,
        retry_of=webhook.retry_of or webhook.id,
        attempt=webhook.attempt + 1,
    )
    return Finished(after, Retry(retry, delay_ms), left - 1)


def _later(webhook: ScheduledWebhook, now_ms: int, **changes: Any) -> ScheduledWebhook:
    """A changed one: its times never run backwards, whatever the clock does."""
    at_ms = max(now_ms, webhook.updated_at_ms)
    return replace(webhook, version=webhook.version + 1, updated_at_ms=at_ms, **changes)
