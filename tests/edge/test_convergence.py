"""Pollers who begin anywhere end up asking for the same few URLs; `bench/pollers.py` measures it for ten thousand."""

from argparse import Namespace

from bench.pollers import SIMULATED, measured


async def test_pollers_of_a_quiet_channel_share_a_few_urls_after_a_few_intervals() -> None:
    asked = Namespace(cache=SIMULATED, pollers=100, interval=2, intervals=6, seed=1)
    intervals = await measured(1, asked)
    assert len(intervals[0].urls) > 50
    assert all(len(interval.urls) <= 4 for interval in intervals[3:])
    assert all(interval.at_broker <= len(interval.urls) for interval in intervals[3:])
    assert all(interval.urls.total() > 75 for interval in intervals)
