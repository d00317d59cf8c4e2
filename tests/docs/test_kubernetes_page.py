"""docs/kubernetes.md tells the truth: its container serves with its settings, and its probes are answered."""

import tomllib
from pathlib import Path

import click
import httpx2
import yaml  # type: ignore[import-untyped]

from broker.config_sources import load_settings
from handlers.__main__ import main
from tests.docs.blocks import ROOT, Blocks, runs
from tests.engines import running_engine
from tests.serve_process import serving


@runs("docs/kubernetes.md", "yaml")
def test_the_container_of_the_manifest_serves_and_is_probed(tmp_path: Path, blocks: Blocks) -> None:
    [manifest] = blocks
    document = yaml.safe_load(manifest.text)
    template = document["spec"]["template"]
    assert document["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    spec = template["spec"]
    [container] = spec["containers"]
    environ = {each["name"]: each["value"] for each in container["env"]}
    settings = load_settings(None, environ=environ)
    assert settings.server.drain_s < settings.server.shutdown_s < spec["terminationGracePeriodSeconds"]
    name, *words = container["args"]
    command = main.get_command(click.Context(main), name)
    assert name == "serve" and command is not None
    assert command.make_context(name, words).params["host"] == "0.0.0.0"
    port = tomllib.loads((ROOT / "config.toml").read_text())["server"]["port"]
    probes = [container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")]
    assert {port} == {container["ports"][0]["containerPort"], *(probe["port"] for probe in probes)}
    [mount], [volume] = container["volumeMounts"], spec["volumes"]
    key_file = Path(environ.pop("TIDEMARK_AUTH__SIGNING_KEY_FILE"))
    assert mount["name"] == volume["name"] and key_file.parent == Path(mount["mountPath"])
    # The owner may read it and nobody else: what the broker insists on.
    assert volume["secret"]["defaultMode"] == 0o400
    with running_engine(tmp_path / "engine") as engine:
        own = {**environ, "TIDEMARK_ENGINE__URL": engine.url}
        with serving(tmp_path / "data", own, signing_key=tmp_path / key_file.name) as server:
            answers = [httpx2.get(f"{server.url}{probe['path']}", trust_env=False) for probe in probes]
            assert server.stop() == 0
    assert [each.status_code for each in answers] == [200, 200, 200]
