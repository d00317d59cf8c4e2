"""The rules of the house that no linter knows (design section 7, style C10): small rooms, plain names, pure cores."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("broker", "handlers", "bench", "soak", "reference")
CLIENT = ROOT / "clients/python/tidemark_client"
SOURCES = sorted([*(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")), *CLIENT.glob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FILE_LINES = 300
TEST_FILE_LINES = 300
BODY_LINES = 50
DRAWERS = ("util", "utils", "helper", "helpers", "common", "base", "misc", "manager", "shared")
PRODUCT = sorted(path for package in ("broker", "handlers") for path in (ROOT / package).rglob("*.py"))
ALL_DEBT = tomllib.loads((ROOT / "tests/house/debt.toml").read_text())
DEBT: dict[str, int] = ALL_DEBT["file_lines"]
UNTESTED: list[str] = ALL_DEBT["tested_through_the_doors_only"]["modules"]
PURE = (
    "addresses",
    "api_keys",
    "change",
    "channel_changes",
    "channels",
    "claims",
    "counts",
    "cursors",
    "curve",
    "deliveries",
    "delivery_log",
    "delivery_signing",
    "directory",
    "durations",
    "endpoints",
    "errors",
    "events",
    "idempotency",
    "identity",
    "ids",
    "listing",
    "pages",
    "patience",
    "presence",
    "progress",
    "rates",
    "readable",
    "retry",
    "scheduled",
    "schemacost",
    "schemas",
    "scopes",
    "sealing",
    "strictjson",
    "targets",
    "tenants",
    "timers",
    "tokens",
    "trust",
    "window",
    "xmltext",
    "yamltext",
)
PURE_OF_TERMINAL = ("colours", "filters", "rendering", "starts")
PURE_OF_CLIENT = (
    "answers",
    "asked",
    "connection",
    "endings",
    "errors",
    "event",
    "following",
    "ids",
    "inbox",
    "polling",
    "requests",
    "retrying",
    "server_url",
    "sse",
    "steps",
    "timing",
    "ways",
)
PURE_OF_LIFECYCLE = ("decisions", "diagram", "documents", "errors", "events", "machine", "models", "wire")
PURE_OF_LIVE = (
    "access",
    "credentials",
    "decisions",
    "diagram",
    "documents",
    "errors",
    "events",
    "ingest_decisions",
    "ingest_wire",
    "live_event",
    "machine",
    "models",
    "moves",
    "passwords",
    "playback",
    "settings",
    "shown",
    "watch",
    "wire",
)
PURE_OF_CUEY = (
    "checks",
    "cron_decisions",
    "crons",
    "decisions",
    "diagram",
    "documents",
    "errors",
    "events",
    "listing",
    "machine",
    "models",
    "running",
    "sending",
    "wire",
)
PURE_OF_CALENDAR = (
    "alarms",
    "availability",
    "calendar_event",
    "calendars",
    "decisions",
    "delivery_rows",
    "diagram",
    "documents",
    "errors",
    "events",
    "holds",
    "imports/documents",
    "imports/expansion",
    "imports/fetching",
    "imports/health",
    "imports/merging",
    "imports/models",
    "imports/occurrence",
    "imports/runs",
    "imports/subscribing",
    "imports/subscription",
    "imports/wire",
    "machine",
    "making",
    "models",
    "moments",
    "quota",
    "sent",
    "texts",
    "times",
    "webhook_models",
    "webhooks",
    "wire",
)
PURE_OF_BENCH = ("histogram", "rounds", "goals", "report", "samples", "table", "event", "requests")
PURE_OF_SOAK = ("checker", "figures", "frames", "history", "reader_check", "schedule", "table")
PURE_FILES = [
    *(f"broker/{name}.py" for name in PURE),
    *(f"handlers/terminal/{name}.py" for name in PURE_OF_TERMINAL),
    *(f"clients/python/tidemark_client/{name}.py" for name in PURE_OF_CLIENT),
    *(f"handlers/lifecycle/{name}.py" for name in PURE_OF_LIFECYCLE),
    *(f"handlers/live/{name}.py" for name in PURE_OF_LIVE),
    *(f"handlers/cuey/{name}.py" for name in PURE_OF_CUEY),
    *(f"handlers/calendar/{name}.py" for name in PURE_OF_CALENDAR),
    *(f"bench/{name}.py" for name in PURE_OF_BENCH),
    *(f"soak/{name}.py" for name in PURE_OF_SOAK),
    "reference/markdown.py",
    "reference/schemas.py",
    "handlers/error_codes.py",
]
IMPURE_CALLS = {"time", "monotonic", "now", "utcnow", "today", "random", "token_hex", "token_bytes", "randbits", "open"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def says_that_it_is_pure(path: Path) -> bool:
    return "Pure." in (ast.get_docstring(ast.parse(path.read_text())) or "")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_source_file_is_one_small_room(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= DEBT.get(name_of(path), FILE_LINES)
    assert path.stem not in DRAWERS
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module says what it promises"
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    long = {each.name: body_lines(each) for each in functions(path) if body_lines(each) > BODY_LINES}
    assert not long


@pytest.mark.parametrize("path", sorted((ROOT / "bench/native").glob("*.[ch]")), ids=name_of)
def test_a_file_of_c_is_one_small_room_too(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= FILE_LINES
    assert lines[0].startswith("/* ") or path.with_suffix(".h").exists(), "a file says what it is for"


def test_every_source_file_has_its_tests() -> None:
    """A test file of its name, or a test that imports it; those tested only through the doors are listed as debt."""
    texts = "\n".join(path.read_text() for path in TESTS)
    names = {path.stem for path in TESTS}

    def is_tested(module: str) -> bool:
        parent, _, leaf = module.rpartition(".")
        imported = rf"\b{re.escape(module)}\b|from {re.escape(parent)} import [^\n]*\b{leaf}\b"
        return f"test_{leaf}" in names or re.search(imported, texts) is not None

    modules = [name_of(path).removesuffix(".py").replace("/", ".") for path in PRODUCT if path.stem != "__init__"]
    assert [module for module in modules if not is_tested(module)] == UNTESTED


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_a_test_file_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= TEST_FILE_LINES


def test_debt_only_goes_down() -> None:
    """Each exception is a line with its present value, so that it cannot grow by accident."""
    assert {name: len((ROOT / name).read_text().splitlines()) for name in DEBT} == DEBT


@pytest.mark.parametrize("name", sorted({*PURE_FILES, *map(name_of, filter(says_that_it_is_pure, SOURCES))}))
def test_a_pure_module_has_no_loop_no_clock_and_no_chance(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text())
    for node in ast.walk(tree):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await)
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in IMPURE_CALLS, f"line {node.lineno} calls {called}"


def test_what_developers_install_has_all_that_serving_needs() -> None:
    """`./run` relies on it: an environment for tests serves as well."""

    def pinned(lock: str) -> set[str]:
        text = (ROOT / "requirements" / lock).read_text()
        return {line.split(" ")[0] for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))}

    assert pinned("serve.lock") <= pinned("dev.lock")


def test_locks_name_no_host() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        assert "://" not in lock.read_text()
