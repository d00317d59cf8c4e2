"""What every measure is given: the compiled tools, the cores, the size of the runs, the peers, a place for files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.cores import Cores
from bench.load import Load, run_load
from bench.native import Tools
from bench.report import Report
from bench.target import Target


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the runs are. `connections` is the N of the goals, `many` their 5,000."""

    rounds: int = 3
    seconds: float = 2.0
    warm_s: float = 0.3
    settle_s: float = 10.0
    connections: int = 1_000
    many: int = 5_000
    idle_s: float = 1.0
    replayed: int = 100_000
    stall_s: float = 4.5
    stall_events_per_s: int = 5_000
    history: int = 10_000


QUICK = Scale(rounds=1, seconds=0.5, warm_s=0.2, connections=200, many=500, replayed=10_000, stall_s=1.0, history=1_000)


@dataclass(frozen=True, slots=True)
class Stage:
    """The benchmark as it is set up. `token` is an admin's, of `key_file`; `peers` are programs by name."""

    tools: Tools
    cores: Cores
    scale: Scale
    peers: Mapping[str, Path]
    work: Path
    key_file: Path
    token: str

    def timed(self, load: Load, times: float = 1) -> Load:
        """The load with the times of the stage, but so many times its seconds."""
        scale = self.scale
        return replace(load, warm_s=scale.warm_s, seconds=times * scale.seconds, settle_s=scale.settle_s)

    def run(self, target: Target, load: Load) -> Report:
        """One run of the load client."""
        return run_load(self.tools.load_client, self.cores.client, target, load)
