"""How many files we and our children may open; each connection is one."""

import resource

import click


def allow_open_files(wanted: int) -> None:
    """Let us and our children open so many files; raises a usage error where the hard limit forbids it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise click.UsageError(f"{wanted} open files are needed and the hard limit is {hard}: raise it (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
