"""What a newcomer is told at the first start: a curl line that works as it stands (design section 6).

No admin credential is stored or printed; the line asks for one that lasts an hour.
"""

import shlex
from pathlib import Path

from broker.config import Settings
from handlers.listening import reachable, shown

RUN = Path(__file__).parents[2] / "run"


def first_steps(settings: Settings, config: str | None, port: int, run: str) -> str:
    """What a newcomer can type into a second terminal: a curl line that makes a public channel on this port.

    `run` is what the shell finds `./run` by.
    """
    from_file = f" --config {shlex.quote(config)}" if config else ""
    token = f"{shlex.quote(run)} token --data {shlex.quote(settings.server.data)}{from_file} --scope admin --expires 1h"
    address = shown(reachable(settings.server.host), port)
    return (
        "First start: a signing key was made. Create a public channel from another terminal:\n\n"
        f'  curl -X POST {settings.server.scheme}://{address}/api/v1/channels -H "Authorization: Bearer $({token})" '
        """-H 'Content-Type: application/json' -d '{"id": "hello", "name": "Hello", "is_public": true}'\n"""
    )


def run_from(directory: Path) -> str:
    """How `./run` is called from a directory."""
    return "./run" if directory.resolve() == RUN.parent else str(RUN)
