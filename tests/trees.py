"""Other versions of this tree for tests of upgrades: copies with another version, or with another format of the data.

Nothing is released yet, so the other version is this one under another name: what runs is the copy's code, from the
copy's directory, in a process of its own.
"""

import shutil
from pathlib import Path

from broker.storage.engine import FORMAT
from handlers.openapi import VERSION

ROOT = Path(__file__).parents[1]
PACKAGES = ("broker", "handlers", "clients/python/tidemark_client")


def copied_tree(directory: Path, *, version: str, stored_format: str = FORMAT) -> dict[str, str]:
    """A copy that says it is this version and reads and writes this format; what its process needs in its environment.

    What was compiled is copied too: times of files are kept.
    """
    for package in PACKAGES:
        shutil.copytree(ROOT / package, directory / Path(package).name)
    replace(directory / "handlers/openapi.py", f'VERSION = "{VERSION}"', f'VERSION = "{version}"')
    replace(directory / "broker/storage/engine.py", f'FORMAT = "{FORMAT}"', f'FORMAT = "{stored_format}"')
    return {"PYTHONPATH": str(directory)}


def replace(file: Path, old: str, new: str) -> None:
    """Change the one place of a file that has this text."""
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
