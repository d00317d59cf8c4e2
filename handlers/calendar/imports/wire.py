"""From bodies and queries to what is asked of subscriptions; refusals name the member. Pure."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from broker.addresses import Network, is_public_address
from broker.errors import Invalid
from broker.targets import check_target
from handlers.calendar.imports.models import SubscriptionPatched, SubscriptionTaken
from handlers.calendar.imports.subscription import STATUSES
from handlers.calendar.wire import Asked, one_of, parse_body, parse_list, wrong


def parse_subscription(body: Any, allow: Sequence[Network]) -> SubscriptionTaken:
    """A new subscription; raises `Invalid`."""
    taken = parse_body(SubscriptionTaken, body)
    return taken.model_copy(update={"url": check_feed(taken.url, allow)})


def parse_subscription_patch(body: Any, allow: Sequence[Network]) -> SubscriptionPatched:
    """A change of a subscription; raises `Invalid`."""
    patched = parse_body(SubscriptionPatched, body)
    if not patched.model_fields_set:
        raise Invalid("At least one member to change is needed")
    if "url" not in patched.model_fields_set:
        return patched
    return patched.model_copy(update={"url": check_feed(patched.url, allow)})


def parse_subscription_list(query: Sequence[tuple[str, str]]) -> Asked:
    """Which page of subscriptions; raises `Invalid`."""
    return parse_list(query)._replace(status=one_of(query, "status", STATUSES))


def check_feed(url: str, allow: Sequence[Network]) -> str:
    """The normal form of a feed's URL; raises `Invalid` unless it may be a public https endpoint.

    Plain http is for addresses of networks that the configuration opened, as tests and feeds of the own house are.
    """
    try:
        target = check_target(url, allow)
    except Invalid:
        wrong("url", "must be a public https:// URL")
    if target.startswith("http://") and not _is_opened(urlsplit(target).hostname or ""):
        wrong("url", "must be a public https:// URL")
    return target


def _is_opened(host: str) -> bool:
    """Whether a host that passed is not public: then it passed because its network was opened."""
    try:
        return not is_public_address(ip_address(host))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
