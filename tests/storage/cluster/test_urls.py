"""URLs of clusters: read, written for each node, or refused in words."""

import pytest

from broker.storage.cluster.urls import Address, is_cluster_url, parse_cluster_url


def test_hosts_ports_login_and_options_are_read_and_given_to_each_node() -> None:
    url = parse_cluster_url(
        "rediss+cluster://ann:s3%40cret@one,two.example:7001,[::1]:7002,[fe80::2]/0?ssl_ca_certs=/ca"
    )
    assert url.seeds == (
        Address("one", 6379),
        Address("two.example", 7001),
        Address("::1", 7002),
        Address("fe80::2", 6379),
    )
    assert url.node(Address("10.0.0.7", 7005)) == "rediss://ann:s3%40cret@10.0.0.7:7005?ssl_ca_certs=/ca"
    assert url.node(Address("::1", 7002)) == "rediss://ann:s3%40cret@[::1]:7002?ssl_ca_certs=/ca"


def test_the_shortest_url_is_a_host() -> None:
    assert parse_cluster_url("redis+cluster://one").node(Address("one", 6379)) == "redis://one:6379"


@pytest.mark.parametrize(
    "text",
    [
        "redis+cluster://",
        "redis+cluster://one/1",
        "redis+cluster://one,",
        "redis+cluster://one:0",
        "redis+cluster://one:70000",
        "redis+cluster://one:x",
        "redis+cluster://one two",
        "redis+cluster://::1:7000",
        "redis+cluster://one#x",
        "redis://one",
    ],
)
def test_what_is_no_url_of_a_cluster_is_refused_without_its_password(text: str) -> None:
    for secret in ("", "ann:secret@"):
        with pytest.raises(ValueError) as error:
            parse_cluster_url(text.replace("://", f"://{secret}"))
        assert "secret" not in str(error.value)


def test_a_url_is_told_by_its_scheme() -> None:
    assert is_cluster_url("redis+cluster://one") and is_cluster_url("rediss+cluster://")
    assert not is_cluster_url("redis://one") and not is_cluster_url("unix:///run/engine.sock")
