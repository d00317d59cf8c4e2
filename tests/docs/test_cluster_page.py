"""docs/cluster.md tells the truth: a broker with its settings serves channels of a real cluster."""

from pathlib import Path

import pytest

from broker.config_sources import load_settings
from tests.clusters import running_cluster
from tests.docs.blocks import Blocks, runs
from tests.serve_process import serving

PATIENT = {"TIDEMARK_ENGINE__ACK_TIMEOUT_S": "8"}


@pytest.mark.timeout(240)
@runs("docs/cluster.md", "toml")
def test_a_broker_with_these_settings_acknowledges_what_a_replica_has(tmp_path: Path, blocks: Blocks) -> None:
    [settings] = blocks
    config = tmp_path / "tidemark.toml"
    config.write_text(settings.text)
    engine = load_settings(config, {}).engine
    assert engine.ack == "replicated" and engine.url.count(":6379") == 3
    with running_cluster(tmp_path / "cluster", replicas=1) as cluster:
        config.write_text(settings.text.replace(engine.url, cluster.url))
        own = load_settings(config, {}).engine
        environ = {"TIDEMARK_ENGINE__URL": own.url, "TIDEMARK_ENGINE__ACK": own.ack, **PATIENT}
        with serving(tmp_path / "data", environ) as server:
            name = cluster.name_in(*cluster.partitions_of(cluster.primaries[0]))
            server.create(name)
            [published] = server.publish(name, "kept")
            [event] = server.ask("GET", f"/channels/{name}/events").json()["events"]
    assert event["id"] == published
