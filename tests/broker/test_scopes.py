"""Scopes: the grammar, and what a grant covers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Invalid
from broker.scopes import RESERVED_PREFIXES, Grant, Reach, covers, is_reserved, known_scopes, parse_scope

CHANNEL_IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{1,20}[a-z0-9]", fullmatch=True)


def granted(*scopes: str) -> Grant:
    return Grant(scopes, "alice", None, (), None, None, "server", "server alice")


@pytest.mark.parametrize(
    "scope",
    [
        "admin",
        "metrics",
        "pub:*",
        "sub:*",
        "pub:orders",
        "sub:orders-*",
        "pub:o*",
        "sub:a--b",
        "pub:x",
        "sub:" + "a" * 64,
    ],
)
def test_a_scope_of_the_grammar_is_taken(scope: str) -> None:
    assert parse_scope(scope) == scope


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Admin",
        "admin ",
        " admin",
        "admin\n",
        "pub",
        "pub:",
        "sub:",
        "pub: ",
        "pub:or*ders",
        "pub:**",
        "pub:*s",
        "pub:Orders",
        "PUB:orders",
        "pub:orders\x00",
        "pub:or\x00ders",
        "pub:or ders",
        "pub:orders ",
        "pub:-orders",
        "pub:orders-",
        "pub:-*",
        "pub:sub:x",
        "pub:a.b",
        "pub:.*",
        "pub:a|b",
        "pub:é",
        "pub:a/b",
        "pub:" + "a" * 65,
        "read:x",
        "*",
        "pub:?",
        "pub:orders,sub:x",
        1,
        None,
        True,
        ["admin"],
        {},
        "pub:\ud800",
    ],
)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(Invalid, match="Invalid scope"):
        parse_scope(value)


def test_unknown_scopes_of_a_foreign_token_give_nothing() -> None:
    assert known_scopes(["openid", "sub:a", "ADMIN", "sub:a", "pub:"]) == ("sub:a",)


def test_admin_may_do_everything() -> None:
    admin = granted("admin")

    assert admin.is_admin
    assert admin.may_publish("orders")
    assert admin.may_subscribe("lifecycle-team-acme")


def test_metrics_opens_the_metrics_and_nothing_else() -> None:
    watcher = granted("metrics")

    assert watcher.may_read_metrics and granted("admin").may_read_metrics
    assert not granted("sub:*", "pub:*").may_read_metrics
    assert not (watcher.is_admin or watcher.may_publish("metrics") or watcher.may_subscribe("metrics"))
    assert watcher.reach == Reach()


def test_publishing_does_not_include_reading() -> None:
    assert not granted("pub:orders").may_subscribe("orders")
    assert not granted("sub:orders").may_publish("orders")


def test_an_exact_scope_covers_its_channel_only() -> None:
    reader = granted("sub:orders")

    assert reader.may_subscribe("orders")
    assert not any(reader.may_subscribe(other) for other in ("orders-eu", "order", "Orders", "orders\x00", ""))


def test_a_prefix_scope_covers_what_begins_with_it() -> None:
    reader = granted("sub:orders-*")

    assert reader.may_subscribe("orders-eu")
    assert not any(reader.may_subscribe(other) for other in ("orders", "my-orders-eu", "order-eu"))


@pytest.mark.parametrize("prefix", RESERVED_PREFIXES)
def test_a_star_does_not_cover_the_channels_of_other_apis(prefix: str) -> None:
    channel = f"{prefix}team-acme"

    assert is_reserved(channel)
    assert not granted("sub:*", "pub:*", f"sub:{prefix[:-1]}*", f"sub:{prefix[0]}*").may_subscribe(channel)
    assert all(granted(f"sub:{scope}").may_subscribe(channel) for scope in (channel, f"{prefix}*", f"{prefix}team-*"))


def test_a_channel_that_only_looks_reserved_is_not() -> None:
    assert not any(is_reserved(channel) for channel in ("live", "lively-chat", "my-live-show", "systems"))


@pytest.mark.parametrize(
    ("ceiling", "scope", "under"),
    [
        ("admin", "admin", True),
        ("admin", "pub:x", True),
        ("sub:*", "admin", False),
        ("admin", "metrics", True),
        ("metrics", "metrics", True),
        ("metrics", "admin", False),
        ("sub:*", "metrics", False),
        ("sub:*", "sub:a-*", True),
        ("sub:*", "sub:*", True),
        ("sub:*", "pub:a", False),
        ("sub:*", "sub:live-*", False),
        ("sub:*", "sub:live-watch", False),
        ("sub:live-*", "sub:live-watch-*", True),
        ("sub:a-*", "sub:*", False),
        ("sub:a-*", "sub:a*", False),
        ("sub:a", "sub:a*", False),
    ],
)
def test_a_ceiling_covers_what_allows_no_more(ceiling: str, scope: str, under: bool) -> None:
    assert covers(ceiling, scope) is under


@given(st.sampled_from(["*", "a*", "l*", "live-*", "system-*", "live-a", "a-*"]), st.data(), CHANNEL_IDS)
def test_nothing_under_a_ceiling_reaches_past_it(ceiling: str, data: st.DataObject, channel: str) -> None:
    scope = data.draw(st.sampled_from([channel, f"{channel[:2]}*", f"{channel[:6]}*", "live-*", "*"]))

    if covers(f"sub:{ceiling}", f"sub:{scope}") and granted(f"sub:{scope}").may_subscribe(channel):
        assert granted(f"sub:{ceiling}").may_subscribe(channel)


SCOPES = st.builds("{}:{}".format, st.sampled_from(["pub", "sub"]), st.from_regex(r"[ab]{1,3}\*?|\*", fullmatch=True))


@given(st.lists(SCOPES, max_size=4), st.text("ab", min_size=3, max_size=4))
def test_a_reach_is_what_a_grant_publishes_to_or_reads(scopes: list[str], channel_id: str) -> None:
    grant = granted(*scopes)
    expected = grant.may_publish(channel_id) or grant.may_subscribe(channel_id)
    assert grant.reach.includes(channel_id) is expected


@pytest.mark.parametrize("scopes", [("admin",), ("pub:*",), ("sub:a", "sub:*")])
def test_an_admin_and_a_star_reach_everything(scopes: tuple[str, ...]) -> None:
    reach = granted(*scopes).reach
    assert reach.is_everything and reach.includes("any")


@pytest.mark.parametrize("prefix", RESERVED_PREFIXES)
def test_reserved_channels_are_in_nobodys_reach(prefix: str) -> None:
    channel_id = f"{prefix}x"
    for scopes in (("admin",), ("sub:*",), (f"sub:{channel_id}",), (f"sub:{prefix}*",)):
        assert not granted(*scopes).reach.includes(channel_id)


def test_without_scopes_nothing_is_in_reach() -> None:
    assert granted().reach == Reach()
    assert not Reach().includes("any") and not Reach().is_everything
