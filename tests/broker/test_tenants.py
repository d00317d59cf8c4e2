"""Tenants' names and channels."""

import pytest

from broker.channels import is_channel_id
from broker.errors import Invalid
from broker.scopes import is_reserved
from broker.tenants import CHANNELS_OF_TENANTS, owner_of, parse_tenant, tenant_of


@pytest.mark.parametrize("name", ["acme", "a-1", "x" * 40])
def test_a_tenants_name_makes_a_channel_of_every_api(name: str) -> None:
    assert parse_tenant(name) == name
    for prefix, api in CHANNELS_OF_TENANTS.items():
        assert is_channel_id(prefix + name) and is_reserved(prefix + name)
        assert tenant_of(prefix + name) == (name, api)
        assert owner_of(prefix + name) == name


@pytest.mark.parametrize("name", ["", "ab", "x" * 41, "Acme", "a_b", "a/b", "-ab", "ab-", "a\nb", "abc\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        parse_tenant(name)


def test_a_channel_made_by_hand_is_its_own_owner() -> None:
    assert tenant_of("news") is None
    assert owner_of("news") == "news"
