"""What pages name within their sentences is there: commands with their options, and settings with their values."""

import re
import shlex
from pathlib import Path

import click
import pytest

from bench.__main__ import main as bench
from broker.config import Settings
from broker.config_sources import load_settings
from handlers.__main__ import FOR_DEVELOPERS
from handlers.__main__ import main as tidemark
from soak.__main__ import main as soak
from tests.docs.blocks import ROOT, pages

# The changelog tells what was.
TEXTS = {page: (ROOT / page).read_text() for page in pages() if page != "CHANGELOG.md"}
SECTIONS = {name: set(type(section).model_fields) for name, section in Settings()}
COMMAND = re.compile(r"`(?:TIDEMARK_\S+ )?\./run ([a-z][^`\n]*)`")
SETTING = re.compile(r"`\[(\w+)\] (\w+)(?: = ([^`\n]+))?`")
VARIABLE = re.compile(r"\bTIDEMARK_([A-Z]+)__([A-Z_]+)")


def command_of(name: str) -> click.Command | None:
    """The click command of `./run <name>`, None for one that `run` does itself."""
    return {"bench": bench, "soak": soak}.get(name) or tidemark.get_command(click.Context(tidemark), name)


@pytest.mark.parametrize("page", [page for page in TEXTS if COMMAND.search(TEXTS[page])])
def test_commands_in_sentences_are_understood(page: str) -> None:
    for line in COMMAND.findall(TEXTS[page]):
        name, *words = shlex.split(line)
        command = command_of(name)
        if command is None:
            assert f"./run {name}" in FOR_DEVELOPERS, line
        elif words and words != ["--help"]:
            assert command.make_context(name, words), line


def test_settings_in_sentences_are_settings(tmp_path: Path) -> None:
    named = {found for text in TEXTS.values() for found in SETTING.findall(text)}
    assert len(named) > 30
    assert not [each for each in named if each[1] not in SECTIONS.get(each[0], ())]
    for section, key, value in named:
        if value:
            (tmp_path / "config.toml").write_text(f"[{section}]\n{key} = {value}\n")
            # Only some engines have replicas.
            load_settings(tmp_path / "config.toml", {"TIDEMARK_ENGINE__URL": "redis://x"} if key == "ack" else {})


def test_variables_of_the_environment_are_settings() -> None:
    named = {found for text in TEXTS.values() for found in VARIABLE.findall(text)}
    assert named
    assert not [
        (section, key)
        for section, key in named
        if section != "SECTION" and key.lower() not in SECTIONS.get(section.lower(), ())
    ]
