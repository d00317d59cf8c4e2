"""Reading what Prometheus would read."""

import asyncio
from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.broker_server import BrokerServer

PATIENCE_S = 8


class Exposition:
    """The text of `/metrics`, parsed by prometheus-client's own parser."""

    def __init__(self, text: str) -> None:
        self.families: dict[str, Metric] = {family.name: family for family in text_string_to_metric_families(text)}

    def value(self, name: str, **labels: str) -> float:
        """The value of one sample, 0 where it has none yet; fails where the metric is not there."""
        found = {tuple(sorted(labels_of.items())): value for labels_of, value in self._samples(name)}
        return found.get(tuple(sorted(labels.items())), 0.0)

    def _samples(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        samples = [sample for family in self.families.values() for sample in family.samples if sample.name == name]
        assert samples, f"there is no {name}"
        return ((sample.labels, sample.value) for sample in samples)


async def exposition_of(server: BrokerServer) -> Exposition:
    """What the server answers now."""
    answer = await server.http.get("/metrics", headers=server.bearer("admin"))
    assert answer.status_code == 200, answer.text
    return Exposition(answer.text)


async def until(holds: Callable[[Exposition], bool], server: BrokerServer) -> Exposition:
    """The first exposition of which this holds; fails when none does in time."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds(found := await exposition_of(server)):
            await asyncio.sleep(0.05)
    return found
