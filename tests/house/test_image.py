"""What can be said of the image and the composition without building them; `scripts/try-image` builds and runs one."""

import json
import re
import shlex
import subprocess
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import yaml  # type: ignore[import-untyped]

from broker.config_sources import load_settings
from handlers.__main__ import COMMANDS
from handlers.__main__ import main as our_command
from tests.docs.blocks import Blocks, holds

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
HANDLERS = ["python", "-P", "-m", "handlers"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, each with its words on one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines if line)]


def last_stage() -> dict[str, str]:
    """The last word of each instruction of the stage that becomes the image."""
    stage: dict[str, str] = {}
    for name, rest in instructions():
        stage = {} if name == "FROM" else {**stage, name: rest}
    return stage


def settings_in(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("TIDEMARK_")}


def image_environment() -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(last_stage()["ENV"]))


def seconds(duration: str) -> float:
    assert duration.endswith("s")
    return float(duration[:-1])


def test_the_image_is_made_of_two_stages_on_the_same_base() -> None:
    bases = [rest.split(" ")[0] for name, rest in instructions() if name == "FROM"]
    assert bases == ["debian:bookworm-slim"] * 2


def test_only_what_is_there_and_sent_to_the_builder_is_copied() -> None:
    copied = [
        rest.split(" ")[:-1] for name, rest in instructions() if name == "COPY" and not rest.startswith("--from=")
    ]
    sources = {source for words in copied for source in words}
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources == sent == {"broker", "handlers", "clients/python/tidemark_client", "requirements/serve.lock"}
    assert all((ROOT / source).exists() for source in sources)


def test_what_is_installed_is_the_lock_with_its_hashes() -> None:
    installs = [rest for name, rest in instructions() if name == "RUN" and "pip" in rest and " install " in rest]
    [install] = [rest for rest in installs if "-r " in rest]
    assert "--require-hashes" in install
    assert install.endswith("-r requirements/serve.lock")


def test_it_runs_as_nobody_in_particular_and_ends_by_sigterm() -> None:
    stage = last_stage()
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", stage["USER"])
    assert stage["STOPSIGNAL"] == "SIGTERM"
    assert stage["VOLUME"] == image_environment()["TIDEMARK_SERVER__DATA"]


def test_its_commands_are_ours_in_exec_form() -> None:
    stage = last_stage()
    check = json.loads(stage["HEALTHCHECK"].split("CMD ", 1)[1])
    assert json.loads(stage["ENTRYPOINT"]) == HANDLERS
    assert json.loads(stage["CMD"]) == ["serve", "--host", "0.0.0.0"]
    assert check[:-1] == HANDLERS
    assert {check[-1], "serve"} <= COMMANDS.keys()


def test_its_settings_exist_and_it_listens_where_it_is_exposed() -> None:
    settings = load_settings(None, settings_in(image_environment()))
    assert settings.server.admin_listen
    assert last_stage()["EXPOSE"] == str(settings.server.port)


def test_the_composition_names_only_what_is_there() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= SERVICES.keys()
        assert set(service["networks"]) <= COMPOSE["networks"].keys()
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith("./") else source in COMPOSE["volumes"]
    assert (ROOT / SERVICES["broker"]["build"] / "Dockerfile").is_file()


def test_its_settings_are_settings_of_ours() -> None:
    settings = load_settings(None, settings_in(image_environment()) | SERVICES["broker"]["environment"])
    address = ip_address(SERVICES["edge"]["networks"]["inside"]["ipv4_address"])
    [subnet] = [ip_network(each["subnet"]) for each in COMPOSE["networks"]["inside"]["ipam"]["config"]]
    assert settings.server.trusted_proxies == (ip_network(address),)
    assert address in subnet
    assert settings.engine.url == "redis://engine:6379"
    assert SERVICES["broker"]["ulimits"]["nofile"]["soft"] > settings.limits.connections
    assert seconds(SERVICES["broker"]["stop_grace_period"]) > settings.server.shutdown_s


def test_its_engine_keeps_what_it_holds_and_evicts_nothing() -> None:
    words = shlex.split(SERVICES["engine"]["command"])
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


def test_only_nginx_is_reached_from_outside_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"edge": ["127.0.0.1:8080:8080"]}


def test_its_nginx_has_the_tested_file_with_the_name_of_the_broker_in_it() -> None:
    [shell, option, script] = SERVICES["edge"]["command"]
    [edit] = [part for part in script.split(" && ") if "/tidemark.conf" in part]
    words = shlex.split(edit)[: shlex.split(edit).index("/tidemark.conf")]
    shipped = (ROOT / "deploy/nginx.conf").read_text()
    edited = subprocess.run(words, input=shipped, capture_output=True, text=True, check=True).stdout
    changed = [
        (before, after)
        for before, after in zip(shipped.splitlines(), edited.splitlines(), strict=True)
        if before != after
    ]
    assert (shell, option) == ("sh", "-c")
    [(before, after)] = changed
    assert "# SITE" in before
    assert "server broker:8000;" in after
    assert "listen 8080;" in edited


@holds("docs/deploy.md#the-image", "sh")
@holds("docs/deploy.md#with-nginx-and-an-engine-of-its-own", "sh")
def test_the_page_gives_what_the_image_and_the_composition_need(blocks: Blocks) -> None:
    """Every word of the page's commands, as nobody can type them here."""
    (build, volume, run, inside), (up, inside_composition, ready) = (block.commands for block in blocks)
    settings, stage = load_settings(None, settings_in(image_environment())), last_stage()
    image = build[3]
    assert build == ["docker", "build", "-t", image, "."] and volume == ["docker", "volume", "create", "tidemark"]
    assert run[:2] == ["docker", "run"] and run[-1] == image == SERVICES["broker"]["image"]
    given = dict(pairwise(run))
    assert given["-v"] == f"{volume[-1]}:{stage['VOLUME']}"
    assert given["-p"] == f"127.0.0.1:8000:{stage['EXPOSE']}"
    assert float(given["--stop-timeout"]) == seconds(SERVICES["broker"]["stop_grace_period"])
    assert int(given["--ulimit"].removeprefix("nofile=").split(":")[0]) > settings.limits.connections
    assert {"--read-only", "--cap-drop", "--security-opt"} <= set(run)
    assert inside[:3] == ["docker", "exec", given["--name"]] and up == [
        "docker",
        "compose",
        "up",
        "--build",
        "--detach",
    ]
    assert inside_composition[:4] == ["docker", "compose", "exec", "broker"] and "broker" in SERVICES
    for words in (inside[3:], inside_composition[4:]):
        assert words[:4] == HANDLERS
        command = our_command.get_command(click.Context(our_command), words[4])
        assert command is not None and command.make_context(words[4], words[5:])
    published = SERVICES["edge"]["ports"][0].rpartition(":")[0]
    assert ready == ["curl", f"http://{published}/readyz"]
