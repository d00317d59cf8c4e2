"""Where settings come from: command flags, over the environment, over the file that was named, over the defaults.

pydantic checks the merged document; the rest is here because a library that merges sources forgets which source a value
came from (ecosystem section 8), and whoever reads "port must be at most 65535" needs to know where to look.
"""

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from broker.config import Settings

PREFIX = "TIDEMARK_"
OF_CLIENTS = ("TIDEMARK_TOKEN", "TIDEMARK_URL")
"""Names that the client commands read and that are no settings; a shell may hold both kinds."""


Document = dict[str, dict[str, Any]]
Sources = dict[tuple[str, ...], str]


class SettingsError(Exception):
    """The configuration is refused. `problems` has one line for each thing to mend, with its key and its source."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_settings(
    config_file: str | Path | None, environ: Mapping[str, str], overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """The settings in force. `overrides` are the command's flags, `{section: {key: value}}`, None for flags not given.

    Raises `SettingsError` with all problems at once.
    """
    problems: list[str] = []
    document: Document = {}
    sources: Sources = {}
    for source, section, key, value in (
        *_from_file(config_file, problems),
        *_from_environment(environ, problems),
        *_from_flags(overrides or {}),
    ):
        document.setdefault(section, {})[key] = value
        sources[section, key] = source
    try:
        # As JSON, so that a list may stand for a tuple and text for a network, while true never stands for 1.
        settings = Settings.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        problems += [_render(fault["loc"], fault["msg"], sources) for fault in error.errors(include_input=False)]
    if problems:
        raise SettingsError(problems)
    return settings


Entry = tuple[str, str, str, Any]
"""Source, section, key, value."""


def _from_file(config_file: str | Path | None, problems: list[str]) -> Iterator[Entry]:
    if config_file is None:
        return
    try:
        # TOML is UTF-8, whatever the locale is.
        tables = tomllib.loads(Path(config_file).read_bytes().decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{config_file}: {getattr(error, 'strerror', None) or error}")
        return
    for section, table in tables.items():
        if not isinstance(table, dict):
            problems.append(f"{section}: a key outside of any section (from {config_file})")
        elif section not in Settings.model_fields:
            problems.append(
                f"[{section}]: there is no such section{_nearest(section, list(Settings.model_fields))}"
                f" (from {config_file})"
            )
        else:
            yield from ((str(config_file), section, key, value) for key, value in table.items())


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> Iterator[Entry]:
    known = {f"{PREFIX}{section}__{key}".upper(): (section, key, field) for section, key, field in keys()}
    for name in sorted(name for name in environ if name.startswith(PREFIX) and name not in OF_CLIENTS):
        if name not in known:
            problems.append(f"{name}: there is no such setting{_nearest(name, list(known))} (from the environment)")
            continue
        section, key, field = known[name]
        try:
            environ[name].encode()
            yield name, section, key, environ[name] if _is_text(field) else json.loads(environ[name])
        except UnicodeEncodeError:
            problems.append(f"{section}.{key}: must be UTF-8 (from {name})")
        except json.JSONDecodeError:
            problems.append(f"{section}.{key}: must be a JSON value such as {_example(field)} (from {name})")


def _from_flags(overrides: Mapping[str, Mapping[str, Any]]) -> Iterator[Entry]:
    for section, table in overrides.items():
        yield from ((f"--{key}", section, key, value) for key, value in table.items() if value is not None)


def keys() -> Iterator[tuple[str, str, FieldInfo]]:
    """Every key there is: section, name, and its definition."""
    for section, table in Settings.model_fields.items():
        for key, field in type(table.default).model_fields.items():
            yield section, key, field


def _is_text(field: FieldInfo) -> bool:
    return field.annotation is str or get_origin(field.annotation) is Literal


def _example(field: FieldInfo) -> str:
    return json.dumps(field.get_default(call_default_factory=True))


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    return f", did you mean {near[0]}?" if near else ""


def _render(place: tuple[int | str, ...], message: str, sources: Sources) -> str:
    key = ".".join(map(str, place[:2])) + "".join(f"[{part}]" for part in place[2:])
    if message == "Extra inputs are not permitted":
        section = Settings.model_fields[str(place[0])].default
        message = f"there is no such key{_nearest(str(place[-1]), list(type(section).model_fields))}"
    return (
        f"{key}: {message.removeprefix('Value error, ')} (from {sources.get(tuple(map(str, place[:2])), 'defaults')})"
    )
