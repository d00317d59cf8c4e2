"""What live events tell of each type is said with the members that are its own."""

import ast
from pathlib import Path

from handlers.live.events import TYPES, WHOLE

LIVE = Path(__file__).parents[2] / "handlers/live"


def facts() -> list[tuple[str, list[str]]]:
    """Every fact that is told under a name in the code, with the names of its members that are written there."""
    trees = [ast.parse(path.read_text()) for path in LIVE.glob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = []
    for call in calls:
        match call:
            case ast.Call(func=ast.Name("Fact"), args=[ast.Constant(str(kind)), members]):
                keys = members.keys if isinstance(members, ast.Dict) else []
                found.append((kind, [str(key.value) for key in keys if isinstance(key, ast.Constant)]))
    return found


def test_every_fact_is_a_type_that_names_its_members() -> None:
    found = facts()
    assert len(found) > 20
    for kind, members in found:
        said = TYPES[f"live.{kind}"]
        assert [name for name in members if f"`{name}`" not in said] == [], kind
    assert all("`event`" in TYPES[f"live.{kind}"] for kind in WHOLE)
