"""What a newcomer is told at the first start: a curl line that works as it stands (design section 6).

No admin credential is stored or printed; the line asks for one that lasts an hour.
"""

import shlex

from broker.config import Settings


def first_steps(settings: Settings, config: str | None) -> str:
    """What a newcomer can type into a second terminal: a curl line that makes a public channel."""
    host = settings.server.host
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    from_file = f" --config {shlex.quote(config)}" if config else ""
    token = f"./run token --data {shlex.quote(settings.server.data)}{from_file} --scope admin --expires 1h"
    return (
        "First start: a signing key was made. Create a public channel from another terminal:\n\n"
        f'  curl -X POST http://{shown}:{settings.server.port}/api/v1/channels -H "Authorization: Bearer $({token})" '
        """-H 'Content-Type: application/json' -d '{"id": "hello", "name": "Hello", "is_public": true}'\n"""
    )
