"""The command line: `./run <command>` is `python -m handlers <command>` (design section 10).

Each command is a module of `handlers.commands` with a click command named like it, imported when it is asked for, so
that `./run token` does not wait for the server's imports.
"""

import importlib
from types import MappingProxyType

import click

COMMANDS = MappingProxyType(
    {
        "serve": "handlers.commands.serve",
        "worker": "handlers.commands.worker",
        "token": "handlers.commands.token",
        "key": "handlers.commands.key",
        "publish": "handlers.commands.publish",
        "tail": "handlers.commands.tail",
        "channels": "handlers.commands.channels",
        "timers": "handlers.commands.timers",
        "healthcheck": "handlers.commands.healthcheck",
    }
)


class Commands(click.Group):
    """A click group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        return command


FOR_DEVELOPERS = """\b
For developers, in the project's folder:
  ./run test [PYTEST ARGUMENTS]  Run the whole suite.
  ./run check                    Check format, lint, types and import contracts.
  ./run bench                    Measure, beside what others reach.
  ./run soak                     Publish and read under faults, and check everything.
  ./run reference                Write what the documentation has from the code's own tables.
  ./run docs [serve]             Build the documentation into site/, or serve it while it is written."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=FOR_DEVELOPERS)
def main() -> None:
    """Tidemark, a realtime channel broker."""


if __name__ == "__main__":
    main(prog_name="./run")
