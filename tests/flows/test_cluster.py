"""Brokers on a cluster of three primaries: one for all, and what a fail-over loses is said at every door."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.clusters import QUICK_MS, Cluster, running_cluster
from tests.flows.sockets import next_data
from tests.serve_process import ServeProcess, serving
from tests.storage.cluster.test_fail_over import MINE, cut_off, fail_over


@contextmanager
def two_brokers(directory: Path, cluster: Cluster) -> Iterator[tuple[ServeProcess, ServeProcess]]:
    """Two brokers with one signing key on the cluster."""
    environ = {"TIDEMARK_ENGINE__URL": cluster.url}
    with (
        serving(directory / "one", environ) as one,
        serving(directory / "two", environ, signing_key=one.signing_key) as two,
    ):
        yield one, two


async def test_two_brokers_on_a_cluster_serve_channels_of_every_node(tmp_path: Path) -> None:
    with running_cluster(tmp_path / "cluster") as cluster, two_brokers(tmp_path, cluster) as (one, two):
        names = [cluster.name_in(*cluster.partitions_of(node)) for node in cluster.primaries]
        for name in names:
            one.create(name)
            tip = two.tip(name)
            async with two.socket(name) as socket:
                ids = await asyncio.to_thread(one.publish, name, *range(20))
                assert [await next_data(socket) for _ in range(20)] == list(range(20))
            assert [event["id"] for event in two.events(name, tip)] == ids
            poll = one.ask("GET", f"/channels/{name}/events?cursor={ids[17]}").json()
            assert [event["data"] for event in poll["events"]] == [18, 19] and poll["complete"]
        listed = two.ask("GET", "/channels").json()
        assert {channel["id"] for channel in listed["channels"]} == set(names)
        key = {"Idempotency-Key": "once"}
        answers = [
            each.ask("POST", f"/channels/{names[0]}/events", json={"data": "kept"}, headers=key).json()
            for each in (one, two)
        ]
        assert answers[0] == answers[1]
        assert one.ask("DELETE", f"/channels/{names[1]}").status_code == 204
        assert two.ask("GET", f"/channels/{names[1]}/events").status_code == 404


async def test_what_a_fail_over_loses_is_said_at_every_door(tmp_path: Path) -> None:
    quick = running_cluster(tmp_path / "cluster", replicas=1, timeout_ms=QUICK_MS)
    with quick as cluster, two_brokers(tmp_path, cluster) as (one, two):
        name = cluster.name_in(*MINE)
        one.create(name)
        [kept] = one.publish(name, "kept")
        assert cluster.primaries[0].tell("WAIT", 1, 5_000) == 1
        async with two.socket(name, cursor=kept) as socket:
            cut_off(cluster)
            [lost] = await asyncio.to_thread(one.publish, name, "lost")
            assert await next_data(socket) == "lost"
            await asyncio.to_thread(fail_over, cluster)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 30)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4410

        page = one.ask("GET", f"/channels/{name}/events?cursor={lost}").json()
        assert (page["complete"], page["events"], page["cursor"]) == (False, [], kept)
        assert two.ask("GET", f"/channels/{name}/events?cursor={lost}&on_gap=error").status_code == 410
        async with two.socket(name, cursor=lost) as late:
            with pytest.raises(ConnectionClosed) as refused:
                await asyncio.wait_for(late.recv(), 30)
            assert refused.value.rcvd is not None and refused.value.rcvd.code == 4410

        async with two.socket(name, cursor=kept) as resumed:
            [after] = await asyncio.to_thread(one.publish, name, "after")
            assert after > lost, "what readers saw is not overtaken"
            assert await next_data(resumed) == "after"
        assert [each.is_ready() for each in (one, two)] == [True, True]
