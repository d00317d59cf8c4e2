"""How subscriptions are kept: documents, indexes, timers (design section 5). Pure."""

from broker.change import Document, DocumentKey, Entry, Put
from broker.storage.state import Loaded
from broker.strictjson import parse_stored, render_json
from broker.timers import Timer, TimerName
from handlers.calendar.imports.subscription import IcalSubscription, parse_kept, render_kept

SUBSCRIPTION = "calendar-subscription"
COUNT = "calendar-subscription-count"
POLL_TIMER = "calendar-poll"
FORGET_TIMER = "calendar-forget"


def subscription_key(tenant: str, subscription_id: str) -> DocumentKey:
    """The document of a subscription."""
    return DocumentKey(SUBSCRIPTION, f"{tenant}/{subscription_id}")


def count_key(tenant: str) -> DocumentKey:
    """The document that counts an organisation's subscriptions: of two at once one sees the other."""
    return DocumentKey(COUNT, tenant)


def subscription_index(tenant: str, of: str, status: str | None = None) -> str:
    """The index of the subscriptions of an agent or of a calendar (`of` is its id), with this status."""
    return f"calendar-subscriptions/{tenant}/{of}/{status or ''}"


def put_subscription(tenant: str, subscription: IcalSubscription, expected: int) -> Put:
    """The document of a subscription, in place of the version `expected`."""
    key = subscription_key(tenant, subscription.id)
    entries = tuple(
        Entry(subscription_index(tenant, of, status), subscription.created_ms, key.id)
        for of in (subscription.agent_id, subscription.calendar_id)
        for status in (None, subscription.status)
    )
    return Put(key, expected, render_kept(subscription), entries)


def find_kept(tenant: str, subscription_id: str, loaded: Loaded) -> tuple[IcalSubscription, int] | None:
    """A subscription that was read, and the version of its document."""
    document: Document | None = loaded.documents[subscription_key(tenant, subscription_id)]
    return None if document is None else (parse_kept(document.body), document.version)


def counted(tenant: str, loaded: Loaded) -> int:
    """How many subscriptions an organisation has."""
    document = loaded.documents[count_key(tenant)]
    return 0 if document is None else int(parse_stored(document.body))


def put_count(tenant: str, count: int, loaded: Loaded) -> Put:
    """The document that says that it has so many."""
    document = loaded.documents[count_key(tenant)]
    return Put(count_key(tenant), document.version if document else 0, render_json(count))


def poll_name(tenant: str, subscription_id: str) -> TimerName:
    """The name of the timer of a subscription's next poll."""
    return TimerName(POLL_TIMER, tenant, subscription_id)


def poll_timer(tenant: str, subscription_id: str, at_ms: int) -> Timer:
    """That timer, armed."""
    return Timer(poll_name(tenant, subscription_id), at_ms)


def forget_name(tenant: str, subscription_id: str) -> TimerName:
    """The name of the timer that sees to what a subscription left behind."""
    return TimerName(FORGET_TIMER, tenant, subscription_id)
