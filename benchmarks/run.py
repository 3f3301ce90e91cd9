"""Whole-process figures beside a peer, in the same run: start-up, ``status``, and a failover's memory.

Run by ``make bench``. Each row is a median over runs taken in turn with its peer; the machine's noise is in the range.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from resilience_cli.sandbox.orders import World, build

BIN = Path(sys.executable).parent
RUNS = 11


class Sample(NamedTuple):
    """One process: wall seconds and its peak resident memory in MiB."""

    wall_s: float
    peak_mib: float


class Row(NamedTuple):
    what: str
    measured: str
    bound: str
    holds: bool


def measure(argv: Sequence[str], env: Mapping[str, str], expect: int = 0) -> Sample:
    """Run once to its end. Raises where it does not exit as expected: a figure of a failure is no figure."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(argv, env=dict(env), stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expect:
            output.seek(0)
            raise SystemExit(f"{' '.join(argv)} exited {process.returncode}:\n{output.read().decode()}")
    return Sample(wall, usage.ru_maxrss / 1024)


def in_turn(first: Sequence[str], second: Sequence[str], env: Mapping[str, str]) -> tuple[list[Sample], list[Sample]]:
    """A B A B ..., after one warm-up of each."""
    measure(first, env), measure(second, env)
    pairs = [(measure(first, env), measure(second, env)) for _ in range(RUNS)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def median_s(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.wall_s for sample in samples)


def spread(samples: Sequence[Sample]) -> str:
    walls = [sample.wall_s for sample in samples]
    return f"{median_s(samples):.3f} s ({min(walls):.3f} to {max(walls):.3f})"


def help_beside_aws(env: Mapping[str, str]) -> Row:
    ours, theirs = in_turn(
        [str(BIN / "resil"), "--help"], [str(BIN.parent / "bench" / "bin" / "aws"), "--version"], env
    )
    ratio = statistics.median(a.wall_s / b.wall_s for a, b in zip(ours, theirs, strict=True))
    return Row(
        "resil --help beside aws --version",
        f"{spread(ours)} beside {spread(theirs)}: ratio {ratio:.2f}",
        "ratio at most 0.40",
        ratio <= 0.40,
    )


def status(env: Mapping[str, str]) -> Row:
    argv = [str(BIN / "resil"), "status"]
    measure(argv, env)
    samples = [measure(argv, env) for _ in range(RUNS)]
    return Row("resil status on the sandbox", spread(samples), "at most 1.200 s", median_s(samples) <= 1.2)


def failover_memory(env: Mapping[str, str]) -> Row:
    over = [str(BIN / "resil"), "failover", "--to", "us-east-1", "--yes"]
    sample = measure(over, env)
    return Row("peak memory of a failover", f"{sample.peak_mib:.0f} MiB", "at most 150 MiB", sample.peak_mib <= 150)


def environment(world: World, folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "RESIL_"))}
    return {**kept, **world.exports(), "RESIL_POLL_S": "0.2", "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(folder)}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="resil-bench-") as name:
        world = build(Path(name), propagation=0.5)
        world.start()
        try:
            env = environment(world, Path(name))
            rows = [help_beside_aws(env), status(env), failover_memory(env)]
        finally:
            world.stop()
    table = Table("what", "median (range)", "bound", "holds")
    for row in rows:
        table.add_row(row.what, row.measured, row.bound, "yes" if row.holds else "NO")
    Console(width=120).print(table)
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
