"""The channels of live events are named as the broker knows the channels of tenants."""

from broker.scopes import is_reserved
from broker.tenants import is_claimed, tenant_of
from handlers.live.channel_ids import team_channel_id, watch_channel_id


def test_a_tenants_channel_is_known_as_its_own() -> None:
    assert tenant_of(team_channel_id("acme")) == ("acme", "live")
    assert is_reserved(team_channel_id("acme"))


def test_a_viewers_channel_lives_where_the_claim_of_its_slug_says() -> None:
    assert is_claimed(watch_channel_id("launch"))
    assert is_reserved(watch_channel_id("launch"))
