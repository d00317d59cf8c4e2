"""The cases that every client's core is held to (`clients/cases`): `$3` in their texts is the id of event 3."""

import json
import re
from pathlib import Path
from typing import Any

from tidemark_client.answers import Answer

FOLDER = Path(__file__).parents[2] / "clients/cases"
START = "01M8AD6V5177ERCVF2V0000000"


def ulid(number: int) -> str:
    return f"{START[:-4]}{number:04d}"


def cases(name: str) -> list[dict[str, Any]]:
    text = re.sub(r"\$(\d+)", lambda found: ulid(int(found[1])), (FOLDER / f"{name}.json").read_text())
    found: list[dict[str, Any]] = json.loads(text)
    return found


def answer_of(told: Any) -> Answer:
    body = told["body"]
    return Answer(told["status"], told["headers"], (body if isinstance(body, str) else json.dumps(body)).encode())
