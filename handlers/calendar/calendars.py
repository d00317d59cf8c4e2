"""Calendars and the agents that own them: what they are and how they are kept and shown (contract 4 and 5). Pure."""

from dataclasses import dataclass, field
from typing import Any, Literal

from broker.ids import render_time
from broker.strictjson import parse_stored, render_json

SYSTEM_REMINDERS = (10,)
"""Minutes before the start, where neither the event nor its calendar says anything."""

AgentStatus = Literal["idle", "working", "waiting", "error"]
AgentKind = Literal["ai", "human", "resource"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar; `agent_id` is None for one that the organisation shares.

    `defaults_ms` is when `default_reminders` were set: what inherits them drops what was past by then. `feed_epoch`
    grows when the address of its feed changes.
    """

    id: str
    name: str
    timezone: str
    created_ms: int
    updated_ms: int
    agent_id: str | None = None
    agent_status: AgentStatus = "idle"
    default_reminders: tuple[int, ...] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    defaults_ms: int = 0
    feed_epoch: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class Agent:
    """Who owns calendars."""

    id: str
    name: str
    type: AgentKind
    created_ms: int
    updated_ms: int
    description: str | None = None
    status: Literal["active", "paused", "decommissioned"] = "active"
    metadata: dict[str, Any] = field(default_factory=dict)
    version: int = 1


def org_id_of(tenant: str) -> str:
    """The id of an organisation."""
    return f"org_{tenant}"


def render_calendar(calendar: Calendar, tenant: str) -> dict[str, Any]:
    """How a calendar is shown."""
    defaults = calendar.default_reminders
    return {
        "id": calendar.id,
        "org_id": org_id_of(tenant),
        "agent_id": calendar.agent_id,
        "name": calendar.name,
        "timezone": calendar.timezone,
        "agent_status": calendar.agent_status,
        "default_reminders": None if defaults is None else list(defaults),
        "metadata": calendar.metadata,
        "created_at": render_time(calendar.created_ms),
        "updated_at": render_time(calendar.updated_ms),
    }


def render_agent(agent: Agent, tenant: str) -> dict[str, Any]:
    """How an agent is shown."""
    return {
        "id": agent.id,
        "org_id": org_id_of(tenant),
        "name": agent.name,
        "type": agent.type,
        "description": agent.description,
        "status": agent.status,
        "metadata": agent.metadata,
        "created_at": render_time(agent.created_ms),
        "updated_at": render_time(agent.updated_ms),
    }


def render_kept(kept: Calendar | Agent) -> bytes:
    """The body of its document."""
    return render_json({name: getattr(kept, name) for name in kept.__slots__})


def parse_calendar(body: bytes) -> Calendar:
    """The calendar of a kept document; trusts its input."""
    own: dict[str, Any] = parse_stored(body)
    defaults = own["default_reminders"]
    return Calendar(**{**own, "default_reminders": None if defaults is None else tuple(defaults)})


def parse_agent(body: bytes) -> Agent:
    """The agent of a kept document; trusts its input."""
    return Agent(**parse_stored(body))
